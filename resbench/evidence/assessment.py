"""A study's runs -> the units that may still be the best, by the test that the design of the study requires."""

from __future__ import annotations

from dataclasses import dataclass

from resbench.evidence.study_runs import StudyRuns
from resbench.statistics.anytime import anytime_test
from resbench.statistics.race import Race, race
from resbench.statistics.standing import Scored, TieMembership, standing
from resbench.statistics.ties import Test


@dataclass(frozen=True, slots=True)
class Assessment:
    """The tie group of a study. `race` is the replayed race where the study is one; `anytime`: an anytime-valid test was used."""

    tied: TieMembership
    race: Race | None = None
    anytime: bool = False


def assess(runs: StudyRuns) -> Assessment:
    """Assess a study by rule 6, a race by its interim looks (rule 8), and a study that got more seeds after an unplanned look
    by an anytime-valid test.
    """
    if runs.design.race is not None:
        replayed = race_of(runs, runs.design.race)
        return Assessment(replayed.tied, replayed)
    return Assessment(standing(runs.scored(), test=test_of(runs)), anytime=bool(runs.looks))


def race_of(runs: StudyRuns, looks: tuple[int, ...]) -> Race:
    """Replay a race: a look was taken once every remaining unit had its seeds, or once one of them has more seeds."""
    taken: list[list[Scored]] = []
    replayed = race(runs.names, taken, len(looks))
    for look in looks:
        inside = set(replayed.still_in)
        if replayed.over or not _was_taken(runs, inside, look):
            break
        with_all_seeds = inside - set(runs.lacking(inside, look))
        taken.append([each.of(with_all_seeds) for each in runs.scored(runs.seeds[:look])])
        replayed = race(runs.names, taken, len(looks))
    return replayed


def test_of(runs: StudyRuns) -> Test | None:
    """Return the test for one look at the study; None stands for rule 6."""
    return anytime_test if runs.looks and runs.design.race is None else None


def _was_taken(runs: StudyRuns, inside: set[str], look: int) -> bool:
    """Return whether the look was taken. A unit that lacks seeds, since one of its cells failed, is not in that look."""
    return not runs.lacking(inside, look) or bool(runs.beyond(inside, look))
