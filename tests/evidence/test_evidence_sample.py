from __future__ import annotations

import math
import subprocess
import sys

import pytest

from resbench.errors import BadInput
from resbench.statistics.sample import Sample, by_name


def test_runs_are_counted_whatever_became_of_them() -> None:
    sample = Sample("a", (7.0, 6.0), diverged=3, missing=4)
    assert (sample.n, sample.converged, sample.fails, sample.testable) == (5, 2, True, False)


@pytest.mark.parametrize(
    ("converged", "diverged", "fails"), [(0, 0, False), (0, 1, True), (1, 1, False), (2, 2, False), (2, 3, True)]
)
def test_failing_is_under_half(converged: int, diverged: int, fails: bool) -> None:
    assert Sample("a", (7.0,) * converged, diverged).fails is fails


def test_testable_from_three_converged_runs() -> None:
    assert not Sample("a", (7.0, 6.0)).testable
    assert Sample("a", (7.0, 6.0, 5.0)).testable
    assert not Sample("a", (7.0, 6.0, 5.0), diverged=4).testable


def test_moments_do_not_depend_on_the_order_of_runs() -> None:
    scores = (7.13, 6.91, 7.77, 6.02, 7.31, 6.66, 7.05)
    one, other = Sample("a", scores), Sample("b", tuple(reversed(scores)))
    assert one.mean == other.mean
    assert one.variance == other.variance
    assert Sample("c", (0.1,) * 7).variance == 0.0


def test_too_few_runs_have_no_moments() -> None:
    assert Sample("a", ()).mean is None
    assert Sample("a", (7.0,)).variance is None


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (lambda: Sample("a", (7.0, math.nan)), "`a`: expected finite scores of converged runs, got nan"),
        (lambda: Sample("a", (math.inf,)), "converged runs, got inf"),
        (lambda: Sample("a", (7.0,), diverged=-1), r"`a`: `diverged`: expected a number of runs, 0 or more, got -1"),
        (lambda: Sample("a", (7.0,), missing=-2), r"`missing`: expected a number of runs, 0 or more, got -2"),
        (lambda: Sample("a", (7.0,), seeds=(1, 2)), "2 seeds for 1 scores"),
        (lambda: Sample("a", (7.0, 6.0), seeds=(1, 1)), "expected a different seed for each run"),
        (lambda: by_name([Sample("a", ()), Sample("a", (7.0,))]), "got two of the name `a`"),
    ],
)
def test_what_is_refused(sample: object, words: str) -> None:
    assert callable(sample)
    with pytest.raises(BadInput, match=words):
        sample()


def test_the_room_imports_neither_torch_nor_scipy_stats() -> None:
    code = "import sys, resbench.evidence; print([m for m in ('torch', 'scipy.stats', 'optuna') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
