"""BoundNetwork, recipe, device -> Plan: how many seeds form one network, in which layout, with how many threads.

The plan depends only on what is trained: not on time, load, cores, or missing seeds. So a run has the same bits in every study
that trains it on such a processor, whatever else is trained beside it. The recipe's settings are followed; if it asks for a
measurement (`plan: measured`), plan_timing.py makes the plan.
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
    16e6  # multiply-adds of a convolution for one batch up to which a stack is faster: a larger one uses a core fully
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to train that was timed. `step_s`: seconds of one step, for one seed."""

    width: int
    layout: Layout
    threads: int
    step_s: float
    compiled: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How a network is trained. `step_s`: measured seconds of one step for one seed; None if nothing was measured.

    `one_by_one`: ops of the stack that run seed by seed, with the reason. `not_compiled`: why compiling failed, if it did.
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
        """The options on which the bits of a run depend besides its seeds, as one string."""
        return f"{self.layout}{' compiled' * self.compiled}"

    def record(self) -> dict[str, Any]:
        """Return the JSON that is stored with a cell."""
        return asdict(self)


def plan_from(record: Mapping[str, Any]) -> Plan:
    """Return the plan of a record; by default it trains one seed at a time with one thread."""
    given: dict[str, Any] = {"width": 1, "layout": "contiguous", "threads": 1}
    given |= {each.name: record[each.name] for each in fields(Plan) if each.name in record}
    return Plan(**given | {"measured": tuple(Candidate(**each) for each in given.get("measured", ()))})


def plan_of_rule(bound: BoundNetwork, recipe: RecipeSpec, device: torch.device) -> Plan:
    """Return the plan of a network without measurement. On a CPU each training has one thread, since the bits of its results
    depend on the number of threads.
    """
    requested = recipe.plan
    return Plan(
        requested.width or (STACKED if is_small(bound, recipe.batch) else 1),
        requested.layout or "channels_last",
        requested.threads or (1 if device.type == "cpu" else torch.get_num_threads()),
        recompute=requested.recompute,
    )


def is_small(bound: BoundNetwork, batch: int) -> bool:
    """Return whether the mean convolution or matrix product is so small that overhead dominates its time."""
    counts = [
        macs
        for _, graph in bound.parts()
        for op in graph.ops
        if (macs := op_macs(op, tuple(graph.shapes[i] for i in op.inputs)).count)
    ]
    return not counts or batch * sum(counts) / len(counts) <= SMALL_MACS
