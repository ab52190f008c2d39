"""Points and their missing seeds -> how each cell is trained, and how many workers share the machine.

How follows from the point alone (train/execution/plan.py), so that its runs have the same bits in every study, on every
number of workers. Where the recipe asks for a measurement, networks whose convolutions have the same shapes share
one, and a network that was measured before is trained as it was then.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from resbench.compiler.graph import BoundNetwork
from resbench.language.recipe.execution import PlanSpec
from resbench.language.study.search import FIRST_SEED
from resbench.measure.macs import op_macs
from resbench.measure.memory_check import DeviceMemory, ample, wide_enough
from resbench.search.point import Point
from resbench.store.open import Engine
from resbench.store.results.runs import plan_of
from resbench.train.execution.plan import Plan, plan_from, plan_of_rule
from resbench.train.execution.plan_timing import WIDEST, compiles, measure
from resbench.train.execution.ranks import beside, shard
from resbench.train.memory import Images, load_of
from resbench.train.schedule import length
from resbench.workers.cell_plan import seed_stacks

START_S = 4.0  # what a worker of its own costs: importing torch, building its first network
OP_S = 1e-4  # of an op in a step, forward, backward and its part of the optimizer, however little it does
MACS_S = 1e10  # multiply-adds a second of one core


def cores() -> int:
    """Return how many cores this process may use; several ranks on a machine share them."""
    there = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, there // beside())


@dataclass(slots=True)
class Planner:
    """Plans how cells are trained on a device.

    Attributes:
        engine: With what was measured before; None where that does not count.
        digest: Of the data.
        data: Of the study.
        device: Where they are trained.
        room: Of the device, where it is known: seeds are one network where that has room.
        cores: For one cell that is measured, where there are fewer cells than cores.
        known: What was measured, by what is alike.
    """

    engine: Engine | None
    digest: str
    data: Images
    device: torch.device
    room: DeviceMemory | None = None
    cores: int = field(default_factory=cores)
    known: dict[object, Plan] = field(default_factory=dict)

    def plan(self, point: Point, seeds: Sequence[int]) -> Plan:
        """Plan the training of a point with these seeds.

        Those that a search chooses by are trained one by one, where the recipe does not say otherwise: mostly a point has one.
        """
        plan = self._plan(point, len(seeds))
        wanted = point.recipe.plan
        if wanted.width is None and not wanted.measure and min(seeds, default=0) >= FIRST_SEED:
            return replace(plan, width=1)
        return plan if self._wide(point, plan.width) == plan.width else replace(plan, width=1)

    def needs(self, point: Point, plan: Plan) -> int:
        """Return bytes that are sure to be enough for a worker that trains it so."""
        return ample(point.bound, load_of(point.bound, point.recipe, self.data, plan.width))

    def _wide(self, point: Point, seeds: int) -> int:
        if self.room is None:
            return seeds
        return wide_enough(point.bound, load_of(point.bound, point.recipe, self.data, seeds), self.room)

    def _plan(self, point: Point, seeds: int) -> Plan:
        wanted = point.recipe.plan
        if wanted.measure:
            return self._measured(point, seeds)
        plan = plan_of_rule(point.bound, point.recipe, self.device)
        if not wanted.compile:
            return plan
        try:
            return compiles(point.bound, point.recipe, plan, self.device)
        except Exception:  # what cannot be trained fails where it is trained, with its cell
            return plan

    def _measured(self, point: Point, seeds: int) -> Plan:
        wanted = point.recipe.plan
        stored = (
            plan_of(self.engine, point.digest, point.recipe.digest, self.digest) if self.engine is not None else None
        )
        if stored is not None and (plan := plan_from(stored)).measured:
            return replace(
                plan,
                width=wanted.width or plan.width,
                layout=wanted.layout or plan.layout,
                threads=wanted.threads or plan.threads,
                recompute=wanted.recompute,
                compiled=_compiled(plan, wanted, self.device),
            )
        alike = (_convolutions(point.bound), point.recipe, min(seeds, 16))
        if alike not in self.known:
            steps, most = _steps(point, self.data.n_train), min(wanted.width or WIDEST, seeds)
            wide = self._wide(point, most)
            if wide == 0 and self.device.type == "cpu":  # the kernel would end this process, not a cell that is tried
                return plan_of_rule(point.bound, point.recipe, self.device)
            try:
                self.known[alike] = measure(
                    point.bound,
                    point.recipe,
                    seeds if wide == most else max(1, wide),
                    steps,
                    self.device,
                    cores=self.cores,
                )
            except Exception:  # the same
                return plan_of_rule(point.bound, point.recipe, self.device)
        return self.known[alike]


def _compiled(plan: Plan, wanted: PlanSpec, device: torch.device) -> bool:
    """Return whether to compile, of a plan that has runs: what failed to compile fails again, and what paid on CUDA may
    not on a CPU.
    """
    if plan.not_compiled or wanted.compile is False:
        return False
    return bool(wanted.compile) or (plan.compiled and device.type == "cuda")


def bfloat16_gain(point: Point, device: torch.device) -> str:
    """Say what the precision bfloat16, of the recipe, would gain here."""
    seconds = []
    for precision in ("float32", "bfloat16"):
        plan = PlanSpec(width=1, layout="channels_last", threads=1)
        recipe = point.recipe.model_copy(update={"precision": precision, "plan": plan})
        seconds.append(measure(point.bound, recipe, 1, 1, device, cores=1).step_s or 0.0)
    gain = seconds[0] / seconds[1]
    word = "faster" if gain > 1 else "slower"
    return f"precision: bfloat16 in the recipe would be {max(gain, 1 / gain):.2f}x {word} here (1 seed, channels_last)"


Work = Sequence[tuple[Point, int]]  # points, each with the number of seeds to train


def workers(work: Work, plans: Sequence[Plan], n_train: int, device: torch.device) -> int:
    """Return how many processes train: one a core where there is work for them, one a GPU; 0 is this process itself."""
    cells = sum(len(seed_stacks(range(seeds), plan.width)) for (_, seeds), plan in zip(work, plans, strict=True))
    if shard().of > 1:  # the ranks train together
        return 1
    wanted = work[0][0].recipe.plan.workers
    if wanted is not None:
        return min(wanted, cells)
    if device.type == "cuda" and device.index is None:
        return max(1, min(torch.cuda.device_count(), cells))
    seconds = sum(
        step_s(point, plan) * _steps(point, n_train) * seeds for (point, seeds), plan in zip(work, plans, strict=True)
    )
    if device.type != "cpu" or seconds < 2 * START_S:
        return 1
    return max(1, min(cores() // max(plan.threads for plan in plans), cells))


def step_s(point: Point, plan: Plan) -> float:
    """Return seconds of a step of one seed: as measured, else an estimate for one core. Only the count of workers rests on it."""
    if plan.step_s is not None:
        return plan.step_s
    ops = sum(len(graph.ops) for _, graph in point.bound.parts())
    return OP_S * ops / (1 + plan.width) * 2 + 3 * point.macs * point.recipe.batch / MACS_S


def _steps(point: Point, n_train: int) -> int:
    return length(point.recipe, n_train).iterations


def _convolutions(bound: BoundNetwork) -> frozenset[object]:
    """Return the kinds of op and shapes that the time goes to."""
    return frozenset(
        (op.op, op.arguments, inputs)
        for _, graph in bound.parts()
        for op in graph.ops
        if op_macs(op, inputs := tuple(graph.shapes[i] for i in op.inputs)).count
    )
