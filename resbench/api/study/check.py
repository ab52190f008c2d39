"""A study's file -> its points, and a description of what its search will do with them, before anything is trained."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resbench.api.study.decoding import Decoding
from resbench.api.study.prepare import bind_points, room_on
from resbench.data.info import DatasetInfo
from resbench.data.registry import absent, is_settled
from resbench.errors import BadInput, SpaceTooLarge
from resbench.evidence.names import short_names
from resbench.language.library.library import Library
from resbench.language.study.search import BY_RUNGS
from resbench.language.study.study import StudySpec
from resbench.results.html import html_table

if TYPE_CHECKING:
    from resbench.measure.memory_check import DeviceMemory
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

    def sentences(self) -> list[str]:
        """Return sentences on what would be trained, and on what the user should know of it."""
        return list(sentences_of(self))

    def _repr_html_(self) -> str:
        """Return the table of points with the sentences, for a notebook."""
        named = short_names([point.name for point in self.points])
        rows = [(named[point.name], point.params, point.macs, point.digest) for point in self.points]
        return html_table(("unit", "params", "MACs", "digest"), rows, title=self.spec.name, notes=self.sentences())


def room_of(device: str | None, memory: str | None) -> Callable[[], DeviceMemory | None]:
    """Return a function that gives the memory of the training device. Raises BadInput for an invalid size."""
    if memory is None:
        return lambda: room_on(device)
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?([MGT])(i?)B?", memory)
    count = 0 if match is None else round(float(match[1]) * (1024 if match[3] else 1000) ** (2 + "MGT".index(match[2])))
    if count == 0:
        raise BadInput(f"--memory {memory}: expected a size such as 80GiB or 512MiB")

    def given() -> DeviceMemory:
        from resbench.measure.capacity import Capacity
        from resbench.measure.memory_check import DeviceMemory

        return DeviceMemory(Capacity(f"a device of --memory {memory}", count, count))

    return given


def check_study(
    spec: StudySpec,
    library: Library,
    room: Callable[[], DeviceMemory | None] = lambda: None,
    tell: Callable[[str], None] = lambda text: None,
) -> StudyCheck:
    """Also of a search that looks at some points: all that it could look at, where they can be counted.

    `room`: of the device that they must fit on. `tell`: given a line now and then, where many images are decoded.
    """
    request = bind_points(spec, library, device=room)
    from resbench.search.library_matches import (
        library_names,  # after the file was read: its problems are reported without torch
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
        except SpaceTooLarge as error:
            endless = str(error).partition(";")[0]
    warnings = list(hints(request.spec, points, about.n_train))
    warnings += crowded(points, about, request.room)
    drawn = len({(point.digest, point.recipe.digest) for point in request.points})
    images = [*data_sentences(request.spec, about, tell)]
    return StudyCheck(request.spec, points, refused, library_names(space, points), drawn, warnings, images, endless)


def data_sentences(spec: StudySpec, info: DatasetInfo, tell: Callable[[str], None]) -> Iterator[str]:
    """Load the data and decode every file of them, and yield notes. Raises as `study run` would; data that must be
    fetched first are only reported.
    """
    from resbench.data.notes import notes, sizes
    from resbench.workers.data import data_of

    yield sizes(info)
    missing = absent(info.name)
    if missing is not None:
        yield f"data set `{info.name}` cannot be trained on yet: {missing}"
    elif info.offline and not is_settled(info.name):
        yield from notes(data_of(spec, Decoding(tell))[0])


def sentences_of(found: StudyCheck) -> Iterator[str]:
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
