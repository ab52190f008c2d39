"""A sampler proposes points and is given their results.  No torch, no optuna here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from resbench.search.point import Point

Genome = Mapping[str, str]  # every answer of a point, by question


@dataclass(frozen=True, slots=True)
class Proposal:
    """A point that a sampler proposes. `key`: the sampler's own, by which it is given the result."""

    key: int
    point: Point
    genome: Genome


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a point, by which a search goes on.

    Attributes:
        values: Of each objective, less being better; None: it fails.
        epochs: That were trained.
        pruned: Whether it was stopped before its end.
    """

    values: tuple[float, ...] | None
    epochs: int = 0
    pruned: bool = False


class Sampler(Protocol):
    """Proposes points one by one, from the results so far and its seed alone: given the same, it proposes the same."""

    def propose(self, number: int, taken: Sequence[Point]) -> Proposal | None:
        """Return the next point, `number` counting from 0, none of those taken; None where it finds no new one.

        `taken`: every point of before. One that is proposed again is given its result, at no cost.
        """

    def tell(self, proposal: Proposal, result: Result) -> None:
        """Give the result of a proposal."""

    @property
    def refused(self) -> int:
        """Return how many proposals so far could not be built, were over the budget or too large for memory."""
