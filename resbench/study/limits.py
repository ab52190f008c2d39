"""What a cell may take, as its recipe says (spec/recipe_plan.py) -> a part of the cell's plan, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from resbench.spec.recipe_plan import PlanSpec

_KEY = "limits"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds without a step, seconds in all, MiB of memory; None: no limit."""

    stall_s: float = 900.0
    cell_s: float | None = None
    memory_mib: float | None = None


def with_limits(plan: Mapping[str, Any], said: PlanSpec) -> dict[str, Any]:
    return {**plan, _KEY: asdict(Limits(said.stall_s, said.cell_s, said.memory_mib))}


def without_limits(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plan.items() if key != _KEY}


def limits_of(plan: Mapping[str, Any]) -> Limits:
    return Limits(**plan.get(_KEY, {}))
