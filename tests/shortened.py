"""Cases of one kind -> those that `make test` tries, and the rest, marked `long`, that `make test-all` tries too."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeVar

import pytest

T = TypeVar("T")


def few(cases: Iterable[T], telling: Collection[T]) -> list[object]:
    """For `parametrize`: the telling ones as they are."""
    unknown = {*telling} - {*(cases := list(cases))}
    assert not unknown, f"no such cases: {unknown}"
    return [case if case in telling else pytest.param(case, marks=pytest.mark.long) for case in cases]


def every(step: int, cases: Iterable[T]) -> list[object]:
    """For `parametrize`: the first of each so many as it is."""
    return [case if i % step == 0 else pytest.param(case, marks=pytest.mark.long) for i, case in enumerate(cases)]
