"""BoundNetwork, recipe, device -> Plan: how many seeds as one network, in which layout, by how many threads.

The plan follows from what is trained alone: not from time, load, cores, or which seeds are missing. So a run has the same bits in
every study that trains it on such a processor, whatever else is trained beside it. What the recipe says is taken as said; where
it asks for a measurement (`plan: measured`), plan_timing.py makes the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch

from resbench.compiler.graph import BoundNetwork
from resbench.language.recipe.recipe import RecipeSpec
from resbench.measure.macs import op_macs
from resbench.train.execution.layout import Layout

STACKED = 5  # seeds of a small network that are trained as one; studies have 3, 5 or 10
SMALL_MACS = (
    16e6  # multiply-adds of a convolution for one batch, at most, where a stack is faster: a larger one fills a core
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """`step_s`: seconds of one step, for one seed."""

    width: int
    layout: Layout
    threads: int
    step_s: float
    compiled: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """`step_s`: seconds of one step for one seed, as measured; None where nothing was.

    `one_by_one`: ops of the stack that run seed by seed, with the reason. `not_compiled`: the reason, where it was tried.
    """

    width: int
    layout: Layout
    threads: int
    step_s: float | None = None
    recompute: bool = False
    compiled: bool = False
    measured: tuple[Candidate, ...] = field(default=(), compare=False)
    one_by_one: Mapping[str, str] = field(default_factory=dict, compare=False)
    not_compiled: str = field(default="", compare=False)

    @property
    def way(self) -> str:
        """What the bits of a run depend on besides its seeds, in one word."""
        return f"{self.layout}{' compiled' * self.compiled}"

    def record(self) -> dict[str, Any]:
        """Return what is kept with a cell."""
        return asdict(self)


def plan_from(record: Mapping[str, Any]) -> Plan:
    """As `record` gave it; nothing is one seed at a time, by one thread."""
    given: dict[str, Any] = {"width": 1, "layout": "contiguous", "threads": 1}
    given |= {each.name: record[each.name] for each in fields(Plan) if each.name in record}
    return Plan(**given | {"measured": tuple(Candidate(**each) for each in given.get("measured", ()))})


def plan_of_rule(bound: BoundNetwork, recipe: RecipeSpec, device: torch.device) -> Plan:
    """Return how the network is trained where nobody asks for a measurement. On a CPU each training has one thread:
    another number of threads gives other bits.
    """
    said = recipe.plan
    return Plan(
        said.width or (STACKED if is_small(bound, recipe.batch) else 1),
        said.layout or "channels_last",
        said.threads or (1 if device.type == "cpu" else torch.get_num_threads()),
        recompute=said.recompute,
    )


def is_small(bound: BoundNetwork, batch: int) -> bool:
    """Return whether the mean convolution or matrix product does so little that most of its time goes by around it."""
    counts = [
        macs
        for _, graph in bound.parts()
        for op in graph.ops
        if (macs := op_macs(op, tuple(graph.shapes[i] for i in op.inputs)).count)
    ]
    return not counts or batch * sum(counts) / len(counts) <= SMALL_MACS
