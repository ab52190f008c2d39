"""What a search proposes, and what it is told of it.  No torch, no optuna here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from resbench.search.point import Point

Genome = Mapping[str, str]  # every answer of a point, by question


@dataclass(frozen=True, slots=True)
class Proposal:
    """`key`: the proposer's own, to be told by."""

    key: int
    point: Point
    genome: Genome


@dataclass(frozen=True, slots=True)
class Result:
    """`values`: of each objective, less being better; None: it fails. `epochs`: trained. `pruned`: stopped before its end."""

    values: tuple[float, ...] | None
    epochs: int = 0
    pruned: bool = False


class Proposer(Protocol):
    """Proposes points one by one, from what it was told so far and its seed alone: told the same, it proposes the same."""

    def propose(self, number: int, taken: Sequence[Point]) -> Proposal | None:
        """The next point, `number` counting from 0, none of those taken; None where it finds no new one.

        `taken`: every point of before. One that is proposed again is told its result, at no cost.
        """

    def tell(self, proposal: Proposal, result: Result) -> None: ...

    @property
    def refused(self) -> int:
        """Proposals so far that could not be built, were over the budget or too large for memory."""
