"""A unit was still improving where its training error, at its last rate, would fall by more than the seeds tell apart."""

from __future__ import annotations

import pytest

from resbench.evidence.still_improving import was_improving
from resbench.statistics.sample import Sample
from resbench.store.results.last_epochs import LastEpochs

STEADY = Sample("a", (5.0, 5.2, 4.8))  # a standard error of 0.115


@pytest.mark.parametrize(
    ("end", "improving"),
    [
        (LastEpochs(4, 1, 15.0, 6.6), True),
        (LastEpochs(12, 1, 0.24, 0.15), False),
        (LastEpochs(100, 10, 3.0, 2.9), False),  # 0.2 points in another fifth: under two standard errors
        (LastEpochs(100, 10, 3.0, 2.8), True),  # 0.4 points
        (LastEpochs(100, 10, 2.8, 3.0), False),
        (LastEpochs(5, 1, 5.0, 5.0), False),
    ],
)
def test_by_the_rate_of_the_last_epochs(end: LastEpochs, improving: bool) -> None:
    assert was_improving(STEADY, [end] * 3, 5000) is improving


def test_what_the_seeds_spread_over_is_no_improvement() -> None:
    falling = [LastEpochs(10, 1, 10.0, 8.0)] * 3  # by 4 points in another fifth
    assert was_improving(Sample("a", (5.0, 6.0, 4.0)), falling, 5000)
    assert not was_improving(Sample("a", (5.0, 15.0, 25.0)), falling, 5000)


def test_less_than_one_validation_image_is_no_improvement() -> None:
    falling = [LastEpochs(10, 1, 10.0, 9.0)] * 3  # by 2 points
    assert was_improving(STEADY, falling, 340)
    assert not was_improving(STEADY, falling, 40)


def test_fewer_than_three_runs_claim_nothing() -> None:
    assert not was_improving(Sample("a", (5.0, 5.1)), [LastEpochs(4, 1, 50.0, 10.0)] * 2, 340)
    assert not was_improving(STEADY, [], 340)


def test_a_fall_that_may_be_luck_is_no_improvement() -> None:
    ends = [LastEpochs(10, 1, 10.0, last) for last in (9.0, 8.0, 9.9)]  # by 2, 4 and 0.2 points
    assert not was_improving(STEADY, ends, 340)
    assert was_improving(STEADY, [LastEpochs(10, 1, 10.0, last) for last in (9.0, 8.9, 9.1)], 340)
