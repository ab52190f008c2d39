"""A race over seeds: from its runs, which units are trained up to the next look.

A race is replayed from its runs before every stage (statistics/race.py), so one that was interrupted goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from resbench.errors import BadInput
from resbench.evidence.assessment import race_of
from resbench.evidence.study_runs import StudyRuns, study_runs
from resbench.language.study.study import StudySpec
from resbench.search.point import Point
from resbench.search.stage import SeedsByTrial, StudyStage
from resbench.store.open import Engine
from resbench.workers.events import Progress


def racing_stages(
    spec: StudySpec,
    points: Mapping[int, Point],
    read_runs: Callable[[], StudyRuns | None],
    allocate: Callable[[Mapping[int, Point], Sequence[int]], SeedsByTrial],
    *,
    failed: Collection[int],
    progress: Progress,
) -> Iterator[StudyStage]:
    """Yield the stages of a race after its first, each asked for when the one before it was trained.

    Args:
        spec: The study; one that is no race has no further stage.
        points: Of each trial, by its id.
        read_runs: Reads the study's runs now; None where it has none that came to its end.
        allocate: Allocates seeds to trials, as far as the budget goes.
        failed: Trials of which a cell failed in this start; they are not waited for, and in no look until they have its seeds.
        progress: Shown who is left out.
    """
    looks = spec.design.race or ()
    reported: set[str] = set()
    for number, look in enumerate(looks, start=1):
        runs = read_runs()
        if runs is None:  # every cell failed
            return
        found = race_of(runs, looks)
        broken = {(points[i].digest, points[i].recipe.digest) for i in failed}
        names = dict(zip(runs.groups, runs.names, strict=True))
        late = [name for name in runs.lacking(found.still_in, look) if not found.over]
        if found.taken < number and not found.over and not set(late) <= {names[key] for key in broken if key in names}:
            progress.note(
                f"race: the look at {look} seeds waits for runs that are missing, of {', '.join(late)}; start the study again"
            )
            return
        left = [name for name, at in found.left.items() if at is not None and at < number and name not in reported]
        reported.update(left)
        inside = [name for name, at in found.left.items() if at is None or at >= number]
        if number <= found.taken:
            progress.note(f"race: at {look} seeds {', '.join(left) or 'nobody'} left out, {len(inside)} still in")
        if number == len(looks) or (found.over and number >= found.taken):
            return
        going = {i: p for i, p in points.items() if names.get((p.digest, p.recipe.digest)) in found.still_in}
        going = {i: p for i, p in going.items() if i not in failed}
        yield StudyStage(allocate(going, spec.seeds[: looks[number]]))


def is_race_over(engine: Engine, spec: StudySpec) -> bool:
    """Return whether there is no more to come: always so where the study is no race."""
    if spec.design.race is None:
        return True
    runs = runs_or_none(engine, spec.name)
    return runs is not None and race_of(runs, spec.design.race).over


def runs_or_none(engine: Engine, study: str) -> StudyRuns | None:
    """Read the study's runs; None where none came to its end."""
    try:
        return study_runs(engine, study)
    except BadInput:
        return None
