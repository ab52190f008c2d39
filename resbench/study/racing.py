"""A grid's spec and what stands -> its stages: all seeds at once, or look by look of a race.

A race is replayed from its runs before every stage (statistics/race.py), so one that was interrupted goes on where it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from resbench.errors import BadInput
from resbench.evidence.assessment import race_of
from resbench.evidence.study_runs import StudyRuns, study_runs
from resbench.language.study.study import StudySpec
from resbench.search.point import Point
from resbench.search.stage import Dealt, Stage
from resbench.store.open import Engine
from resbench.study.context import Desk
from resbench.study.seed_allocation import deal_seeds


def first_seeds(spec: StudySpec) -> StudySpec:
    """The study up to its first look."""
    return spec if spec.design.race is None else replace(spec, seeds=spec.seeds[: spec.design.race[0]])


def stages(desk: Desk, plan: Mapping[int, Point], first: Dealt, failed: Collection[int]) -> Iterator[Stage]:
    """`first` as dealt at the start; each stage is asked for when the one before it was trained.

    `failed`: trials of which a cell failed in this start; they are not waited for, and are in no look until they have its seeds.
    """
    yield Stage(dict(first))
    engine, spec, watch = desk.engine, desk.spec, desk.watch
    looks = spec.design.race or ()
    told: set[str] = set()
    for number, look in enumerate(looks, start=1):
        runs = desk.do(lambda: _runs(engine, spec.name))
        if runs is None:  # every cell failed
            return
        found = race_of(runs, looks)
        broken = {(plan[i].digest, plan[i].recipe.digest) for i in failed}
        names = dict(zip(runs.groups, runs.names, strict=True))
        late = [name for name in runs.lacking(found.still_in, look) if not found.over]
        if found.taken < number and not found.over and not set(late) <= {names[key] for key in broken if key in names}:
            watch.note(
                f"race: the look at {look} seeds waits for runs that are missing, of {', '.join(late)}; start the study again"
            )
            return
        left = [name for name, at in found.left.items() if at is not None and at < number and name not in told]
        told.update(left)
        inside = [name for name, at in found.left.items() if at is None or at >= number]
        if number <= found.taken:
            watch.note(f"race: at {look} seeds {', '.join(left) or 'nobody'} left out, {len(inside)} still in")
        if number == len(looks) or (found.over and number >= found.taken):
            return
        going = {i: p for i, p in plan.items() if names.get((p.digest, p.recipe.digest)) in found.still_in}
        going = {i: p for i, p in going.items() if i not in failed}
        grown = replace(spec, seeds=spec.seeds[: looks[number]])
        dealt = desk.do(lambda grown=grown, going=going: deal_seeds(engine, grown, list(going.values()), watch))  # type: ignore[misc]
        yield Stage(dict(zip(going, dealt, strict=True)))


def is_over(engine: Engine, spec: StudySpec) -> bool:
    """Whether there is no more to come: always so where the study is no race."""
    runs = _runs(engine, spec.name)
    return spec.design.race is None or (runs is not None and race_of(runs, spec.design.race).over)


def _runs(engine: Engine, study: str) -> StudyRuns | None:
    try:
        return study_runs(engine, study)
    except BadInput:
        return None
