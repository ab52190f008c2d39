"""A study's spec and what stands -> the seeds of each trial, stage by stage: all at once, or look by look of a race.

A race is replayed from its runs before every stage (evidence/race.py), so one that was interrupted goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from resbench.errors import BadInput
from resbench.evidence.race import Race
from resbench.evidence.study_runs import StudyRuns, study_runs
from resbench.evidence.verdict import race_of
from resbench.spec.study import StudySpec
from resbench.store.engine import Engine
from resbench.study.budget import deal_seeds
from resbench.study.space import Point
from resbench.study.watcher import Watcher

Dealt = Mapping[int, tuple[int, ...]]  # trial, by id -> seeds


def first_seeds(spec: StudySpec) -> StudySpec:
    """The study up to its first look."""
    return spec if spec.design.race is None else replace(spec, seeds=spec.seeds[: spec.design.race[0]])


def stages(
    engine: Engine, spec: StudySpec, points: Mapping[int, Point], first: Dealt, watch: Watcher
) -> Iterator[Dealt]:  # fmt: skip
    """`first` as dealt at the start; each stage is asked for when the one before it was trained."""
    yield dict(first)
    looks = spec.design.race or ()
    told: set[str] = set()
    for number, look in enumerate(looks, start=1):
        found, runs = _replay(engine, spec.name, looks)
        if found is None or runs is None:
            return
        if found.taken < number and not found.over:
            late = ", ".join(name for name in found.still_in or runs.names if _lacks(runs, name, runs.seeds[:look]))
            watch.note(
                f"race: the look at {look} seeds waits for runs that are missing, of {late}; start the study again"
            )
            return
        if number > found.taken:
            return
        left = [name for name, at in found.left.items() if at is not None and at < number and name not in told]
        told.update(left)
        still = f"{len(found.still_in)} still in"
        watch.note(
            f"race: at {look} seeds "
            + (f"{', '.join(left)} left out, {still}" if left else f"nobody left out, {still}")
        )
        if found.over or number == len(looks):
            return
        inside = {key for key, name in zip(runs.groups, runs.names, strict=True) if name in found.still_in}
        going = {i: p for i, p in points.items() if (p.digest, p.recipe.digest) in inside}
        grown = replace(spec, seeds=spec.seeds[: looks[number]])
        yield dict(zip(going, deal_seeds(engine, grown, list(going.values()), watch), strict=True))


def _replay(engine: Engine, study: str, looks: tuple[int, ...]) -> tuple[Race | None, StudyRuns | None]:
    try:
        runs = study_runs(engine, study)
    except BadInput:  # not a single run: every cell failed
        return None, None
    return race_of(runs, looks), runs


def _lacks(runs: StudyRuns, name: str, seeds: tuple[int, ...]) -> bool:
    group = dict(zip(runs.names, runs.groups.values(), strict=True))[name]
    return not set(seeds) <= {run.seed for run in group}
