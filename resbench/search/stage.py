"""What is trained at once, before anybody looks at it: the seeds of some trials, to their end or to a rung."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Dealt = Mapping[int, tuple[int, ...]]  # trial, by id -> seeds


@dataclass(frozen=True, slots=True)
class Stage:
    """`upto`: the epoch at which runs are stopped, None: they come to their end. `judges`: whether the ranking rests on these
    runs; where a search chooses by them, it does not. `prune`: when runs are stopped before their end (search/pruning.py).
    """

    dealt: Dealt
    upto: int | None = None
    judges: bool = True
    prune: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_pruned(self) -> bool:
        return bool(self.prune)

    @property
    def marks(self) -> dict[str, Any]:
        """What of it stands in the plan of each cell."""
        said = {"upto": self.upto, "prune": dict(self.prune) or None, "judges": None if self.judges else False}
        return {key: value for key, value in said.items() if value is not None}
