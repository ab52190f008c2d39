"""A study's runs -> who may still be the best, by the test that the study's design asks for, and what must be said of it."""

from __future__ import annotations

from dataclasses import dataclass

from resbench.evidence.study_runs import StudyRuns
from resbench.statistics.anytime import anytime_test
from resbench.statistics.race import Race, race
from resbench.statistics.standing import Scored, TieMembership, standing
from resbench.statistics.ties import Test


@dataclass(frozen=True, slots=True)
class Assessment:
    """`race`: as replayed, where the study is one."""

    tied: TieMembership
    race: Race | None = None
    anytime: bool = False


def assess(runs: StudyRuns) -> Assessment:
    """Rule 6; a race by its looks (rule 8); with seeds added after a look and no plan, a test that holds whenever one looks."""
    if runs.design.race is not None:
        found = race_of(runs, runs.design.race)
        return Assessment(found.tied, found)
    return Assessment(standing(runs.scored(), test=test_of(runs)), anytime=bool(runs.looks))


def race_of(runs: StudyRuns, looks: tuple[int, ...]) -> Race:
    """Replayed: a look was taken when every unit still in had its seeds, or when one has gone on beyond them."""
    taken: list[list[Scored]] = []
    found = race(runs.names, taken, len(looks))
    for look in looks:
        inside = set(found.still_in)
        if found.over or not _was_taken(runs, inside, look):
            break
        whole = inside - set(runs.lacking(inside, look))
        taken.append([each.of(whole) for each in runs.scored(runs.seeds[:look])])
        found = race(runs.names, taken, len(looks))
    return found


def test_of(runs: StudyRuns) -> Test | None:
    """Of one look at the study; None: rule 6."""
    return anytime_test if runs.looks and runs.design.race is None else None


def _was_taken(runs: StudyRuns, inside: set[str], look: int) -> bool:
    """Who lacks seeds then, a cell of it having failed, is not in that look."""
    return not runs.lacking(inside, look) or bool(runs.beyond(inside, look))
