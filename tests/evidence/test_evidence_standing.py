"""Several objectives: the Pareto set, and a plain reading of its rule beside it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from resbench.statistics.moderated import variance_floor
from resbench.statistics.sample import Sample
from resbench.statistics.standing import Scored, standing
from resbench.statistics.ties import ObjectiveColumn, stepwise

FLOOR = variance_floor(5000)


def samples(*rows: tuple[float, ...]) -> tuple[Sample, ...]:
    return tuple(Sample(name, row) for name, row in zip("abcdef", rows, strict=False))


def exact(*values: float) -> Scored:
    return Scored(tuple(Sample(name, (v, v, v)) for name, v in zip("abcdef", values, strict=False)), FLOOR, exact=True)


GOOD, BAD = (6.1, 6.3, 6.0), (9.1, 9.3, 9.0)


def test_worse_and_cheaper_stays_on_the_front() -> None:
    errors = Scored(samples(GOOD, BAD), FLOOR)
    assert standing([errors]) == {"a": True, "b": False}
    assert standing([errors, exact(200, 100)]) == {"a": True, "b": True}
    assert standing([errors, exact(100, 200)]) == {"a": True, "b": False}


def test_of_equal_cost_the_error_alone_decides() -> None:
    assert standing([Scored(samples(GOOD, BAD), FLOOR), exact(100, 100)]) == {"a": True, "b": False}


def test_what_was_not_measured_is_neither_better_nor_worse() -> None:
    unknown = Scored((Sample("a", ()), Sample("b", (200.0,) * 3)), FLOOR, exact=True)
    assert standing([Scored(samples(GOOD, BAD), FLOOR), unknown]) == {"a": True, "b": True}


def test_exact_numbers_alone() -> None:
    columns = [
        ObjectiveColumn(np.array([1.0, 1.0, 2.0]), None, FLOOR),
        ObjectiveColumn(np.array([5.0, 5.0, 5.0]), None, FLOOR),
    ]
    assert stepwise(columns, np.full(3, 5.0)).tolist() == [True, True, False]


def test_a_failing_unit_is_left_out_and_a_short_one_is_in_no_test() -> None:
    runs = (*samples(GOOD), Sample("fails", (6.0,), diverged=4), Sample("short", (6.0, 6.1)))
    assert standing([Scored(runs, FLOOR)]) == {"a": True, "fails": False, "short": None}
    assert standing([Scored(runs[1:], FLOOR)]) == {"fails": False, "short": None}
    assert standing([Scored(runs[1:2], FLOOR)]) == {"fails": None}  # worse than whom?


@pytest.mark.parametrize("seed", range(4))
def test_the_largest_p_of_two_objectives_decides(seed: int) -> None:
    """Plain Welch of three units (too few to moderate), pair by pair, with scipy's t."""
    g = np.random.default_rng(seed)
    n, offsets = 6, np.array([0.0, 0.7, 1.4])[:, None]
    one, two = (g.normal(size=(3, n)) * 0.3 + offsets * sign for sign in (1, -0.2 + 0.4 * (seed % 2)))
    inside = set(range(3))
    while len(inside) > 1:
        level = 0.05 / (len(inside) * (len(inside) - 1))
        leaving = {
            i
            for i in inside
            for j in inside - {i}
            if max(stats.ttest_ind(x[i], x[j], equal_var=False, alternative="greater").pvalue for x in (one, two))
            <= level
        }
        if not leaving:
            break
        inside -= leaving
    columns = [ObjectiveColumn(x.mean(1), x.var(1, ddof=1), 1e-24) for x in (one, two)]
    assert set(np.flatnonzero(stepwise(columns, np.full(3, float(n)))).tolist()) == inside
