"""How a cell is trained, as it is kept with the cell; and which of its seeds are trained as one network.

No torch here: whoever coordinates, supervises or deletes cells reads this without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from resbench.errors import DatabaseError
from resbench.escape import printable
from resbench.language.recipe.execution import PlanSpec
from resbench.measure.capacity import Capacity
from resbench.search.stage import StudyStage


@dataclass(frozen=True, slots=True)
class SeedStack:
    """Seeds that are trained as one network.

    A seed has the same place in the same stack, whichever others are wanted: the last bits of a run depend on the number of seeds
    beside it and on its place among them.

    Attributes:
        seeds: All, in their places.
        wanted: Those of them whose runs are saved; the others fill their places.
    """

    seeds: tuple[int, ...]
    wanted: tuple[int, ...]


def seed_stacks(seeds: Sequence[int], width: int) -> list[SeedStack]:
    """Divide seeds into stacks of that width, in the order of their first wanted seeds.

    >>> [stack.seeds for stack in seed_stacks((0, 1, 2, 7), 5)]
    [(0, 1, 2, 3, 4), (5, 6, 7, 8, 9)]
    """
    wanted: dict[tuple[int, ...], list[int]] = {}
    for seed in seeds:
        first = seed - seed % width
        wanted.setdefault(tuple(range(first, first + width)), []).append(seed)
    return [SeedStack(places, tuple(some)) for places, some in wanted.items()]


@dataclass(frozen=True, slots=True)
class CellLimits:
    """Limits that end an attempt at a cell.

    Attributes:
        stall_s: Seconds without a step.
        cell_s: Seconds in all; None: no limit.
        memory_mib: Memory of its process; None: no limit.
    """

    stall_s: float = 900.0
    cell_s: float | None = None
    memory_mib: float | None = None


@dataclass(frozen=True, slots=True)
class CellPlan:
    """How a cell is trained, and what the stage that queued it wants of it.

    The database keeps it as one flat JSON object: the keys of `training` beside those of the other attributes.

    Attributes:
        training: How its networks are trained, as `record` of train/execution/plan.py gives it. A key that this version does not
            know is kept here, and goes on to the runs.
        recipe_plan: `plan` of the recipe that it was planned by (`said`).
        workers: How many processes it was planned to be shared by.
        needs_bytes: Memory that is sure to be enough for whoever trains it.
        upto: The epoch at which its runs are stopped; None: they come to their end.
        judges: Whether the ranking rests on its runs.
        prune: When its runs are stopped before their end (search/pruning.py); empty: never.
    """

    training: Mapping[str, Any]
    recipe_plan: Mapping[str, Any] = field(default_factory=dict)
    workers: int | None = None
    needs_bytes: int = 0
    upto: int | None = None
    judges: bool = True
    prune: Mapping[str, Any] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Seeds that are trained as one network."""
        return int(self.training.get("width", 1))

    @property
    def limits(self) -> CellLimits:
        """Return the limits that the recipe's plan sets."""
        return CellLimits(**{name: self.recipe_plan[name] for name in CellLimits.__slots__ if name in self.recipe_plan})

    @property
    def profile_epochs(self) -> Sequence[int]:
        """Return after which epochs signal and gradient are profiled."""
        found: Sequence[int] = self.recipe_plan.get("profile", ())
        return found

    def for_stage(self, stage: StudyStage, recipe_plan: PlanSpec, workers: int) -> CellPlan:
        """Return the same training as this stage wants it."""
        own = recipe_plan.model_dump(mode="json")
        return replace(
            self, recipe_plan=own, workers=workers, upto=stage.upto, judges=stage.judges, prune=dict(stage.prune)
        )

    def is_current(self, stage: StudyStage, recipe_plan: PlanSpec) -> bool:
        """Return whether it is what would be queued now: by this plan of the recipe, for a stage that wants the same."""
        asked = (recipe_plan.model_dump(mode="json"), stage.upto, stage.judges, dict(stage.prune))
        return (self.recipe_plan, self.upto, self.judges, self.prune) == asked

    def to_json(self) -> dict[str, Any]:
        """Return what the database keeps; what is not wanted has no key."""
        own = {
            "said": self.recipe_plan or None,
            "workers": self.workers,
            "needs_bytes": self.needs_bytes or None,
            "upto": self.upto,
            "prune": self.prune or None,
            "judges": None if self.judges else False,
        }
        return {**self.training, **{key: value for key, value in own.items() if value is not None}}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> CellPlan:
        """Read what the database keeps. Raises DatabaseError where it cannot be a plan.

        >>> plan = CellPlan.from_json({"width": 2, "upto": 3, "of_a_later_version": [1]})
        >>> plan.upto, plan.judges, dict(plan.training)
        (3, True, {'width': 2, 'of_a_later_version': [1]})
        """
        for key, (allowed, expected) in _OWN.items():
            if key in stored and not isinstance(stored[key], allowed):
                raise DatabaseError(
                    f"plan of a cell: {key}: expected {expected}, got {printable(repr(stored[key]), 80)}"
                )
        _check_numbers(stored, ("width", "threads"))
        _check_numbers(stored.get("said", {}), ("stall_s", "cell_s", "memory_mib", "width", "workers", "threads"))
        return cls(
            {key: value for key, value in stored.items() if key not in _OWN},
            stored.get("said", {}),
            stored.get("workers"),
            stored.get("needs_bytes", 0),
            stored.get("upto"),
            stored.get("judges", True),
            stored.get("prune", {}),
        )


def _check_numbers(stored: Mapping[str, Any], keys: Sequence[str]) -> None:
    for key in keys:
        value = stored.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise DatabaseError(f"plan of a cell: {key}: expected a number, got {printable(repr(value), 80)}")


_OWN = {
    "said": (dict, "an object"),
    "workers": (int, "a whole number"),
    "needs_bytes": (int, "a whole number"),
    "upto": (int, "a whole number"),
    "prune": (dict, "an object"),
    "judges": (bool, "true or false"),
}


def workers_that_fit(memory: Capacity | None, needs: Iterable[int], count: int) -> tuple[int, str]:
    """Return how many of `count` workers may train any of these side by side, and a sentence where it is not all of them.

    Workers are spread evenly over the devices, and no memory of one serves a worker on another. Each device has one at least:
    what a cell needs is an ample guess, and what cannot be trained at all was refused before.

    Args:
        memory: Of each device; None where it is not known.
        needs: Bytes that each cell needs.
        count: Workers that are asked for.
    """
    most = max(needs, default=0)
    if memory is None or most == 0:
        return count, ""
    fit = memory.devices * max(1, memory.total // most)
    if fit >= count:
        return count, ""
    has = "in all" if memory.devices == 1 else f"on each of {memory.devices} devices"
    sizes = f"{most / 2**30:.3g} GiB each, {memory.total / 2**30:.3g} GiB {has}"
    return fit, f"{count} workers side by side are too many for the memory ({sizes}): {fit} train{'s' * (fit == 1)}"
