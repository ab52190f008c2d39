"""Points and their missing seeds -> how each cell is trained, and how many workers share the machine.

A network that has runs is trained as they were, so that a study that is run in two parts gives the same bits. Networks whose
convolutions have the same shapes share one measurement.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from resbench.compiler.graph import BoundNetwork
from resbench.measure.macs import op_macs
from resbench.measure.room import Room, ample, wide_enough
from resbench.spec.recipe_plan import PlanSpec
from resbench.store.engine import Engine
from resbench.store.runs import plan_of
from resbench.study.blocks import blocks
from resbench.study.point import Point
from resbench.study.room import Images, load_of
from resbench.train.layout import LAYOUTS
from resbench.train.plan import WIDEST, Plan, measure, plan_from
from resbench.train.ranks import beside, part
from resbench.train.schedule import length

FASTEST_MACS = 1e10  # multiply-adds a second of one core, at best
START_S = 4.0  # what a worker of its own costs: importing torch, building its first network


def cores() -> int:
    """Those that this process may use; several ranks on a machine share them."""
    there = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, there // beside())


@dataclass(slots=True)
class Planner:
    """Without a database every plan is measured. `cores`: for one cell, where there are fewer cells than cores.

    `digest`: of the data. `room`: of the device, where it is known; as many seeds are one network as have ample room there.
    """

    engine: Engine | None
    digest: str
    data: Images
    device: torch.device
    room: Room | None = None
    cores: int = field(default_factory=cores)
    known: dict[object, Plan] = field(default_factory=dict)

    def plan(self, point: Point, seeds: int) -> Plan:
        """Of a point with so many seeds to train."""
        plan = self._plan(point, seeds)
        return replace(plan, width=max(1, self._wide(point, min(plan.width, seeds))))

    def needs(self, point: Point, plan: Plan) -> int:
        """Bytes that are sure to be enough for a worker that trains it so."""
        return ample(point.bound, load_of(point.bound, point.recipe, self.data, plan.width))

    def _wide(self, point: Point, seeds: int) -> int:
        if self.room is None:
            return seeds
        return wide_enough(point.bound, load_of(point.bound, point.recipe, self.data, seeds), self.room)

    def _plan(self, point: Point, seeds: int) -> Plan:
        said = point.recipe.plan
        stands = (
            plan_of(self.engine, point.digest, point.recipe.digest, self.digest) if self.engine is not None else None
        )
        if stands is not None:
            plan = plan_from(stands)
            return replace(
                plan,
                width=said.width or plan.width,
                layout=said.layout or plan.layout,
                threads=said.threads or plan.threads,
                recompute=said.recompute,
                compiled=_compiled(plan, said, self.device),
            )
        alike = (_convolutions(point.bound), point.recipe, min(seeds, 16))
        if alike not in self.known:
            steps, most = _steps(point, self.data.n_train), min(said.width or WIDEST, seeds)
            wide = self._wide(point, most)
            if wide == 0 and self.device.type == "cpu":  # the kernel would end this process, not a cell that is tried
                return Plan(1, said.layout or LAYOUTS[1], said.threads or self.cores, recompute=said.recompute)
            try:
                self.known[alike] = measure(
                    point.bound, point.recipe, seeds if wide == most else max(1, wide), steps, self.device, self.cores
                )
            except Exception:  # what cannot be trained is told where it is trained, with its cell
                return Plan(1, "contiguous", 1, recompute=said.recompute)
        return self.known[alike]


def _compiled(plan: Plan, said: PlanSpec, device: torch.device) -> bool:
    """Of runs that stand: what failed to compile fails again, and what paid on CUDA may not on a CPU."""
    if plan.not_compiled or said.compile is False:
        return False
    return bool(said.compile) or (plan.compiled and device.type == "cuda")


def bfloat16_gain(point: Point, device: torch.device) -> str:
    """What the precision bfloat16, which stands in the recipe, would gain here, in words."""
    seconds = []
    for precision in ("float32", "bfloat16"):
        plan = PlanSpec(width=1, layout="channels_last", threads=1)
        recipe = point.recipe.model_copy(update={"precision": precision, "plan": plan})
        seconds.append(measure(point.bound, recipe, 1, 1, device, 1).step_s or 0.0)
    gain = seconds[0] / seconds[1]
    word = "faster" if gain > 1 else "slower"
    return f"precision: bfloat16 in the recipe would be {max(gain, 1 / gain):.2f}x {word} here (1 seed, channels_last)"


Work = Sequence[tuple[Point, int]]  # points, each with the number of seeds to train


def early(work: Work, n_train: int, device: torch.device) -> int:
    """How many workers are sure to be wanted, by multiply-adds, at best; one core is left free for measuring."""
    if device.type != "cpu" or part().of > 1:
        return 1
    macs = sum(3 * point.macs * point.recipe.batch * _steps(point, n_train) * seeds for point, seeds in work)
    most = cores() if work[0][0].recipe.plan.workers is None else work[0][0].recipe.plan.workers
    return max(1, min(most, cores() - 1, 1 + int(macs / FASTEST_MACS / (2 * START_S))))


def workers(work: Work, plans: Sequence[Plan], n_train: int, device: torch.device) -> int:
    """How many processes train: one a core where there is work for them, one a GPU; 0 is this process itself."""
    cells = sum(len(blocks(tuple(range(seeds)), plan.width)) for (_, seeds), plan in zip(work, plans, strict=True))
    if part().of > 1:  # the ranks train together
        return 1
    said = work[0][0].recipe.plan.workers
    if said is not None:
        return min(said, cells)
    seconds = sum(
        (plan.step_s or 0) * _steps(point, n_train) * seeds for (point, seeds), plan in zip(work, plans, strict=True)
    )
    if device.type == "cuda" and device.index is None:
        return max(1, min(torch.cuda.device_count(), cells))
    if device.type != "cpu" or seconds < 2 * START_S:
        return 1
    return max(1, min(cores() // max(plan.threads for plan in plans), cells))


def _steps(point: Point, n_train: int) -> int:
    return length(point.recipe, n_train).iterations


def _convolutions(bound: BoundNetwork) -> frozenset[object]:
    """The kinds of op and shapes that the time goes to."""
    return frozenset(
        (op.op, op.arguments, inputs)
        for _, graph in bound.parts()
        for op in graph.ops
        if op_macs(op, inputs := tuple(graph.shapes[i] for i in op.inputs)).count
    )
