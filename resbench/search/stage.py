"""A stage of a study: the seeds of some trials that are trained before the next decision, to their end or to a rung."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SeedsByTrial = Mapping[int, tuple[int, ...]]  # by the trial's id


@dataclass(frozen=True, slots=True)
class StudyStage:
    """A part of a study that is trained before the next decision.

    Attributes:
        seeds: Of each trial, by its id.
        upto: The epoch at which runs are stopped; None: they come to their end.
        judges: Whether the ranking rests on these runs; where a search chooses by them, it does not.
        prune: When runs are stopped before their end (search/pruning.py); empty: never.
    """

    seeds: SeedsByTrial
    upto: int | None = None
    judges: bool = True
    prune: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_pruned(self) -> bool:
        """Whether runs may be stopped before their end."""
        return bool(self.prune)
