"""Power: the table of evidence.md, limits of sds, and what is refused."""

from __future__ import annotations

import pytest
from scipy import stats

from resbench.errors import BadInput
from resbench.evidence.power import power, sds_of, seeds_for
from resbench.statistics.sample import Sample


@pytest.mark.parametrize(("delta", "seeds"), [(1.0, 17), (1.5, 9), (2.0, 6), (3.0, 4)])
def test_seeds_of_one_pair(delta: float, seeds: int) -> None:
    """Known for one pair of equal spread; simulated shares may be off by a seed."""
    found = seeds_for([0.2, 0.2], 0.2 * delta, n_val=50_000).seeds
    assert found is not None
    assert abs(found - seeds) <= 1


def test_power_grows_with_seeds_and_falls_with_units() -> None:
    by_seeds = [power([0.2] * 4, n, 0.4, n_val=5000) for n in (3, 5, 8, 12)]
    assert by_seeds == sorted(by_seeds)
    assert power([0.2] * 2, 8, 0.4, n_val=5000) > power([0.2] * 12, 8, 0.4, n_val=5000)
    assert power([0.2] * 2, 2, 9.0, n_val=5000) == 0.0


def test_it_repeats() -> None:
    assert power([0.2, 0.3], 6, 0.4, n_val=5000) == power([0.2, 0.3], 6, 0.4, n_val=5000)


def test_a_difference_that_no_study_sees() -> None:
    found = seeds_for([5.0, 5.0], 0.01, n_val=5000)
    assert found.seeds is None
    assert found.power < 0.8


def test_upper_limits_are_of_chi_squared() -> None:
    seen, upper = sds_of([Sample("a", (1.0, 2.0, 3.0, 2.0, 1.0)), Sample("few", (1.0, 2.0))])
    assert len(seen) == len(upper) == 1
    assert upper[0] == pytest.approx(seen[0] * (4 / stats.chi2.ppf(0.2, 4)) ** 0.5)


@pytest.mark.parametrize(("sds", "delta", "words"), [([0.2, 0.2], 0.0, "above 0"), ([0.2], 0.1, "got a study of one")])
def test_what_is_refused(sds: list[float], delta: float, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        power(sds, 5, delta, n_val=5000)
