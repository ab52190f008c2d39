from __future__ import annotations

import pytest

from resbench.errors import BadInput
from resbench.statistics.exact import DRAWS, paired_p, unpaired_p
from resbench.statistics.seeds_needed import seeds_to_claim, smallest_p


@pytest.mark.parametrize(("n", "p"), [(4, 0.029), (5, 0.0079), (6, 0.0022)])
def test_the_published_figures(n: int, p: float) -> None:
    assert smallest_p(n, n) == pytest.approx(p, rel=0.02)


@pytest.mark.parametrize(("n_a", "n_b"), [(3, 3), (3, 6), (5, 4)])
def test_smallest_is_what_full_separation_gives(n_a: int, n_b: int) -> None:
    a, b = [float(i) for i in range(n_a)], [10.0 + i * i for i in range(n_b)]
    assert unpaired_p(a, b) == smallest_p(n_a, n_b)
    assert paired_p([1.0 + i for i in range(n_a)]) == smallest_p(n_a, n_a, paired=True)


def test_drawn_assignments_cannot_show_less_than_their_number() -> None:
    assert smallest_p(20, 20) < 1e-10
    assert smallest_p(21, 20) == 2 / (DRAWS + 1)
    assert smallest_p(21, 21, paired=True) == 2 / (DRAWS + 1)


@pytest.mark.parametrize(
    ("pairs", "paired", "seeds"), [(1, False, 4), (6, False, 5), (7, False, 6), (1, True, 6), (28, True, 11)]
)
def test_seeds_that_could_and_one_fewer_that_could_not(pairs: int, paired: bool, seeds: int) -> None:
    assert seeds_to_claim(pairs, paired=paired) == seeds
    assert (
        pairs * smallest_p(seeds, seeds, paired=paired)
        <= 0.05
        < pairs * smallest_p(seeds - 1, seeds - 1, paired=paired)
    )


def test_too_many_pairs_for_any_number_of_seeds() -> None:
    assert seeds_to_claim(10**12) is None
    with pytest.raises(BadInput, match="`pairs`"):
        seeds_to_claim(0)


def test_paired_runs_are_as_many() -> None:
    with pytest.raises(BadInput, match="got 4 and 5"):
        smallest_p(4, 5, paired=True)
