"""A study's runs -> who may still be the best, by the test that the study's design asks for, and what must be said of it."""

from __future__ import annotations

from dataclasses import dataclass

from resbench.evidence.anytime import anytime_test
from resbench.evidence.race import Race, race
from resbench.evidence.standing import Scored, Standing, standing
from resbench.evidence.study_runs import StudyRuns


@dataclass(frozen=True, slots=True)
class Verdict:
    """`race`: as replayed, where the study is one."""

    tied: Standing
    race: Race | None = None
    anytime: bool = False


def judge(runs: StudyRuns) -> Verdict:
    """Rule 6; a race by its looks (rule 8); with seeds added after a look and no plan, a test that holds whenever one looks."""
    if runs.design.race is not None:
        found = race_of(runs, runs.design.race)
        return Verdict(dict.fromkeys(runs.names) | found.tied, found)
    if runs.looks:
        return Verdict(standing(runs.scored(), test=anytime_test), anytime=True)
    return Verdict(standing(runs.scored()))


def race_of(runs: StudyRuns, looks: tuple[int, ...]) -> Race:
    """Replayed: a look was taken when every unit still in had its seeds, or when one has gone on beyond them."""
    taken: list[list[Scored]] = []
    found = race(taken, len(looks))
    inside = set(runs.names)
    for look in looks:
        if found.over or not _was_taken(runs, inside, look):
            break
        taken.append(runs.scored(runs.seeds[:look]))
        found = race(taken, len(looks))
        inside = set(found.still_in)
    return found


def _was_taken(runs: StudyRuns, inside: set[str], look: int) -> bool:
    first, later = set(runs.seeds[:look]), set(runs.seeds[look:])
    had = [
        {run.seed for run in group}
        for name, group in zip(runs.names, runs.groups.values(), strict=True)
        if name in inside
    ]
    return all(first <= seeds for seeds in had) or any(later & seeds for seeds in had)
