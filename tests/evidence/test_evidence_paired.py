from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from resbench.errors import BadInput
from resbench.evidence.compare import compare
from resbench.statistics.comparison import reach_note
from resbench.statistics.exact import paired_p
from resbench.statistics.paired import correlation
from resbench.statistics.sample import Sample

A = Sample("a", (6.1, 6.5, 6.9, 7.3, 6.0), seeds=(0, 1, 2, 3, 4))
B = Sample("b", (6.8, 6.0, 7.2, 6.3), diverged=1, seeds=(2, 0, 3, 1))


def test_only_common_seeds_enter_each_with_its_own() -> None:
    [row] = compare([A, B], n_val=5000, method="paired")
    differences = [6.1 - 6.0, 6.5 - 6.3, 6.9 - 6.8, 7.3 - 7.2]
    assert (row.n_a, row.n_b, row.method) == (4, 4, "paired")
    assert row.difference == pytest.approx(np.mean(differences))
    assert row.p == pytest.approx(paired_p(differences)) == pytest.approx(2**-3)
    oracle = stats.t.interval(0.95, 3, np.mean(differences), stats.sem(differences))
    assert (row.ci_low, row.ci_high) == pytest.approx(oracle)
    assert row.smallest_p == 2**-3
    assert row.out_of_reach
    note = reach_note([row])
    assert note is not None
    assert "4 common seeds reach p = 0.12 at best" in note
    assert "6 seeds" in note


def test_correlation_is_shown_whatever_the_test() -> None:
    oracle = stats.pearsonr([6.1, 6.5, 6.9, 7.3], [6.0, 6.3, 6.8, 7.2]).statistic
    assert correlation(A, B) == pytest.approx(oracle)
    [row] = compare([A, B], n_val=5000)
    assert row.correlation == pytest.approx(oracle)
    assert (row.n_a, row.n_b) == (5, 4)


def test_no_correlation_without_seeds_or_without_spread() -> None:
    assert correlation(A, Sample("c", B.scores)) is None
    assert correlation(A, Sample("c", (6.0, 6.0, 6.0), seeds=(0, 1, 2))) is None
    assert correlation(A, Sample("c", (6.0, 6.1), seeds=(0, 1))) is None


def test_the_same_runs_under_two_names() -> None:
    [row] = compare([A, Sample("again", A.scores, seeds=A.seeds)], n_val=5000, method="paired")
    assert (row.difference, row.p, row.claim) == (0.0, 1.0, False)
    rounding = stats.t.ppf(0.975, 4) * (2 * 0.02**2 / 12 / 5) ** 0.5
    assert (row.ci_low, row.ci_high) == pytest.approx((-rounding, rounding))


@pytest.mark.parametrize(
    "other",
    [
        Sample("few", (6.0, 6.1, 6.2), seeds=(0, 1, 9)),
        Sample("fails", (6.0, 6.1, 6.2), diverged=4, seeds=(0, 1, 2)),
        Sample("none", (), diverged=5),
    ],
)
def test_too_little_in_common_is_no_claim(other: Sample) -> None:
    [row] = compare([A, other], n_val=5000, method="paired")
    assert (row.p, row.ci_low, row.claim, row.smallest_p) == (None,) * 4


def test_seeds_are_needed() -> None:
    with pytest.raises(BadInput, match="`c`: a paired comparison requires the seed of every score"):
        compare([A, Sample("c", (6.0, 6.1, 6.2))], n_val=5000, method="paired")
