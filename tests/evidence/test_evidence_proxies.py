"""Kendall's tau against scipy's, its interval against many bootstraps done one by one, and the ceiling."""

from __future__ import annotations

import numpy as np
import pytest

from resbench.evidence.proxies import agreements, ceiling


def sample(count: int, noise: float, seed: int = 0) -> tuple[dict[str, list[float | None]], list[float]]:
    random = np.random.default_rng(seed)
    errors = random.uniform(2, 90, count)
    good = -errors + random.normal(0, noise, count)
    return {
        "good": [float(v) for v in good],
        "params": [float(v) for v in random.integers(1, 5, count)],
        "macs": [float(v) for v in random.uniform(0, 1, count)],
    }, [float(error) for error in errors]


def test_tau_is_scipys_with_ties_and_with_units_that_fail() -> None:
    from scipy.stats import kendalltau

    values, errors = sample(60, 20.0)
    errors[:5] = [float("inf")] * 5
    finite = [1e300 if error == float("inf") else error for error in errors]
    for row in agreements(values, errors, ("params", "macs")):
        expected = kendalltau(np.array(values[row.name], dtype=float), -np.array(finite)).statistic
        assert row.tau == pytest.approx(expected, abs=1e-12)


def test_the_interval_is_that_of_drawing_architectures_one_by_one() -> None:
    from scipy.stats import kendalltau

    values, errors = sample(40, 30.0)
    row = agreements(values, errors, ("params", "macs"))[0]
    random = np.random.default_rng(5)
    drawn = []
    for _ in range(1500):
        chosen = random.integers(0, 40, 40)
        drawn.append(kendalltau(np.array(values["good"])[chosen], -np.array(errors)[chosen]).statistic)
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert row.low == pytest.approx(low, abs=0.03)
    assert row.high == pytest.approx(high, abs=0.03)


def test_baselines_stand_beside_and_few_architectures_have_no_interval() -> None:
    values, errors = sample(50, 5.0)
    good, params, _ = agreements(values, errors, ("params", "macs"))
    assert set(good.beside) == {"params", "macs"}
    assert set(params.beside) == {"macs"}
    difference, low, high = good.beside["params"]
    assert difference == pytest.approx(good.tau - params.tau)
    assert low is not None
    assert high is not None
    assert 0 < low < difference < high
    few = agreements({name: own[:29] for name, own in values.items()}, errors[:29], ("params", "macs"))[0]
    assert (few.low, few.high, few.n) == (None, None, 29)


def test_what_is_no_number_is_left_out_and_counted() -> None:
    values, errors = sample(50, 5.0)
    values["good"][3] = None
    row = agreements(values, errors, ("params", "macs"))[0]
    assert row.n == 49


def test_the_ceiling_falls_with_the_noise_of_the_seeds() -> None:
    random = np.random.default_rng(0)
    true = random.uniform(0, 50, 60)
    quiet, loud = ([list(random.normal(t, sd, 6)) for t in true] for sd in (0.1, 20.0))
    best, worst = ceiling(quiet), ceiling(loud)
    assert best is not None
    assert worst is not None
    assert best.tau > 0.95 > 0.8 > worst.tau
    assert ceiling([[1.0], [2.0]]) is None
