"""A study's file -> its points, and what its search will do with them, in sentences: before anything is trained."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from resbench.cli.study.decoding import Decoding
from resbench.cli.study.run import prepare, room_on
from resbench.cli.terminal import echo
from resbench.data.info import DatasetInfo
from resbench.data.registry import absent, is_settled
from resbench.errors import BadInput, Endless
from resbench.language.study.search import BY_RUNGS
from resbench.language.study.study import StudySpec

if TYPE_CHECKING:
    from resbench.measure.memory_check import Room
    from resbench.search.point import Point, Refused


@dataclass(frozen=True, slots=True)
class StudyCheck:
    """A study that was checked.

    Attributes:
        spec: The study.
        points: All that it could look at; some where they cannot be counted.
        refused: Points that cannot be built.
        known: Units of the study's own that the library has, by name.
        drawn: How many different points a search by rungs begins with.
        hints: What is seldom meant.
        data: How many images there are, and what of them a person should know.
        endless: Why the points cannot be counted, where they cannot.
    """

    spec: StudySpec
    points: Sequence[Point]
    refused: Sequence[Refused]
    known: Mapping[str, str]
    drawn: int
    hints: Sequence[str]
    data: Sequence[str]
    endless: str | None = None


def room_of(device: str | None, memory: str | None) -> Callable[[], Room | None]:
    """Return what reads the room of the device that will train. Raises BadInput for a size that is none."""
    if memory is None:
        return lambda: room_on(device)
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?([MGT])(i?)B?", memory)
    count = 0 if match is None else round(float(match[1]) * (1024 if match[3] else 1000) ** (2 + "MGT".index(match[2])))
    if count == 0:
        raise BadInput(f"--memory {memory}: expected a size such as 80GiB or 512MiB")

    def given() -> Room:
        from resbench.measure.capacity import Capacity
        from resbench.measure.memory_check import Room

        return Room(Capacity(f"a device of --memory {memory}", count, count))

    return given


def check_study(file: str, changes: tuple[str, ...], room: Callable[[], Room | None] = lambda: None) -> StudyCheck:
    """Check a study, of a search all points that it could look at, where they can be counted.

    `room`: of the device that they must fit on.
    """
    request = prepare(file, changes, device=room)
    from resbench.search.library_matches import (
        library_names,  # after the file was read: what is wrong there needs no torch to be shown
    )
    from resbench.study.resources.memory import crowded
    from resbench.study.warnings import hints

    points, refused, endless = request.points, request.refused, None
    space = request.space
    assert space is not None  # it was read from a file
    about = space.info
    if request.spec.budget.trials is not None and not request.spec.search.is_grid:
        try:
            points, refused = space.all()
        except Endless as error:
            endless = str(error).partition(";")[0]
    warnings = list(hints(request.spec, points, about.n_train))
    warnings += crowded(points, about, request.room)
    drawn = len({(point.digest, point.recipe.digest) for point in request.points})
    images = [*data_sentences(request.spec, about)]
    return StudyCheck(request.spec, points, refused, library_names(space, points), drawn, warnings, images, endless)


def data_sentences(spec: StudySpec, info: DatasetInfo) -> Iterator[str]:
    """Load the data, decode every file of them and raise as `study run` would; what must be fetched first is only noted."""
    from resbench.data.notes import notes, sizes
    from resbench.workers.data import data_of

    yield sizes(info)
    missing = absent(info.name)
    if missing is not None:
        yield f"data set `{info.name}` cannot be trained on yet: {missing}"
    elif info.offline and not is_settled(info.name):
        yield from notes(data_of(spec, Decoding(partial(echo, err=True)))[0])


def sentences(found: StudyCheck) -> Iterator[str]:
    spec, search = found.spec, found.spec.search
    for ours, library in found.known.items():
        yield f"{ours} is {library} of the library"
    different = len({(point.digest, point.recipe.digest) for point in found.points})
    if found.endless is not None:
        yield f"the points cannot be counted, the table shows some: {found.endless}"
    left_out = f", {len(found.refused)} more that cannot be built" if found.refused else ""
    space = f"{len(found.points)} points{left_out}, {different} different networks"
    yield from found.data
    yield from found.hints
    if search.is_grid:
        looked_at = min(different, spec.budget.trials or different)
        runs = looked_at * len(spec.seeds)
        if looked_at < different:
            space += f", of which the budget allows {looked_at}"
        limit = spec.budget.runs
        allowed = "" if limit is None or limit >= runs else f", of which the budget allows {limit}"
        yield f"{space}, {len(spec.seeds)} seeds: {runs} runs{allowed}"
        return
    trials = found.drawn if search.use in BY_RUNGS else spec.budget.trials or 0
    if found.endless is None:
        trials = min(trials, different)
    final = f"the best {search.finalists} are judged by {len(spec.seeds)} others"
    if found.endless is None:
        yield space
    if search.use in BY_RUNGS:
        from resbench.search.successive_halving import rungs_of

        rungs = ", ".join(map(str, rungs_of(search, found.points[0].epochs)))
        yield f"{search.use}: {trials} points, {search.seeds} seeds each, rungs at {rungs} epochs; {final}"
    else:
        yield f"{search.use}: {trials} points, {search.seeds} seeds each, {search.batch} at a time; {final}"
