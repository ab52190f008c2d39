"""BoundNetwork, recipe, number of seeds, machine -> the Plan that is fastest there, measured; only where somebody asks for it.

A few steps of training on random images for each candidate. What comes out depends on the machine and on what else it does, and
with it the last bits of every run: the rule in plan.py does not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import torch

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.network import recompute
from resbench.compiler.modules.stack import Stack, initialize_stack, stack
from resbench.language.recipe.recipe import RecipeSpec
from resbench.train.execution.layout import LAYOUTS, ExecutionOptions, Layout, memory_format
from resbench.train.execution.plan import Candidate, Plan
from resbench.train.fit import reseed_ops
from resbench.train.step import step, training

STEPS = 2  # timed at most, after one that is not; the fastest counts, since others on the machine only make it slower
LOOK_S = 0.6  # no further step of a candidate that took so long
ENOUGH = 1.05  # a wider stack must be faster by that, so that chance does not decide
CLOSE = 1.15  # a layout slower than another by more is not tried again
WIDEST = 16
LONG_S = 0.1
SHORT_S = 1.5  # of training in all: less is not worth a look at wider stacks


def compiles(bound: BoundNetwork, recipe: RecipeSpec, plan: Plan, device: torch.device) -> Plan:
    """Return the same plan, compiled; or with the reason why that cannot be."""
    watch = _Watch(bound, recipe, device)
    tried = watch.compiled(Candidate(plan.width, plan.layout, plan.threads, 0.0), 0)
    return replace(plan, compiled=tried.compiled, not_compiled=watch.not_compiled)


def measure(
    bound: BoundNetwork, recipe: RecipeSpec, seeds: int, steps: int, device: torch.device, *, cores: int
) -> Plan:
    """For `steps` of training of each of `seeds`; work of a few seconds in all is not worth more than a first look.

    Every core is taken to do as much as one, where one thread is measured.
    """
    said = recipe.plan
    threads = said.threads or (1 if device.type == "cpu" else torch.get_num_threads())
    layouts = (said.layout,) if said.layout else LAYOUTS if device.type == "cpu" else LAYOUTS[1:]
    watch = _Watch(bound, recipe, device)
    first = watch.candidate(min(said.width or 1, seeds), layouts[0], threads)
    if first.step_s * steps * seeds < SHORT_S:  # chance would decide
        return watch.plan(watch.compiled(first, steps * seeds), said.recompute)
    best = None
    for width in _widths(said.width, seeds, first.step_s):
        tried = [
            watch.candidate(width, layout, threads)
            for layout in layouts
            if (width, layout) != (first.width, first.layout)
        ]
        tried += [first] if width == first.width else []
        fastest = min(tried, key=lambda each: each.step_s)
        layouts = tuple(each.layout for each in tried if each.step_s < CLOSE * fastest.step_s)
        if best is not None and fastest.step_s * ENOUGH > best.step_s:
            break
        best = fastest
    assert best is not None
    if said.threads is None and device.type == "cpu" and cores > 1:
        wide = watch.candidate(best.width, best.layout, cores)
        if wide.step_s * cores < best.step_s:  # more than a worker on each core
            best = wide
    return watch.plan(watch.compiled(best, steps * seeds), said.recompute)


def _widths(said: int | None, seeds: int, step_s: float) -> tuple[int, ...]:
    """Return one, and as many as there are, at most WIDEST; where a step is long, two tell first whether more can pay."""
    if said is not None:
        return (min(said, seeds),)
    return tuple(sorted({1, min(2 if step_s > LONG_S else 1, seeds), min(WIDEST, seeds)}))


class _Watch:
    """Times candidates, each width built once."""

    def __init__(self, bound: BoundNetwork, recipe: RecipeSpec, device: torch.device) -> None:
        self.bound, self.recipe, self.device = bound, recipe, device
        self.stacks: dict[int, Stack] = {}
        self.one_by_one: dict[int, Mapping[str, str]] = {}
        self.found: list[Candidate] = []
        self.not_compiled = ""

    def plan(self, chosen: Candidate, recompute: bool) -> Plan:
        reasons = self.one_by_one.get(chosen.width, {})
        return Plan(
            chosen.width, chosen.layout, chosen.threads, chosen.step_s, recompute, chosen.compiled, tuple(self.found), reasons,
            self.not_compiled,
        )  # fmt: skip

    def compiled(self, best: Candidate, steps: int) -> Candidate:
        """Return the same, compiled, where the recipe says so, or on CUDA where it saves more than compiling takes."""
        said = self.recipe.plan.compile
        if said is False or (said is None and self.device.type != "cuda"):
            return best
        began = time.perf_counter()
        try:
            tried = self.candidate(best.width, best.layout, best.threads, compiled=True)
        except Exception as error:  # of torch.compile, or of the compiler behind it
            self.not_compiled = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            return best
        gain = (best.step_s - tried.step_s) * steps
        return tried if said or gain > time.perf_counter() - began else best

    def candidate(self, width: int, layout: Layout, threads: int, *, compiled: bool = False) -> Candidate:
        if width not in self.stacks:
            stacked = self.stacks[width] = stack(self.bound, width)
            initialize_stack(stacked, range(width), self.recipe.init)
            stacked.network.to(self.device)
            if self.recipe.plan.recompute:
                recompute(stacked.network)
            self.one_by_one[width] = stacked.one_by_one()
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            seconds = self.time(self.stacks[width], ExecutionOptions(layout, compiled))
        finally:
            torch.set_num_threads(before)
        self.found.append(Candidate(width, layout, threads, seconds / width, compiled))
        return self.found[-1]

    def time(self, stacked: Stack, way: ExecutionOptions) -> float:
        """Return seconds of one step of the whole stack, on random images."""
        reseed_ops(stacked, tuple(range(stacked.seeds)), 0)
        what = training(stacked, self.recipe, way)
        generator = torch.Generator().manual_seed(0)
        channels, *size = self.bound.input_shape
        images = torch.randn(self.recipe.batch, stacked.seeds * channels, *size, generator=generator).to(self.device)
        images = images.contiguous(memory_format=memory_format(way.layout))
        labels = torch.randint(self.bound.classes, (stacked.seeds, self.recipe.batch), generator=generator).to(
            self.device
        )
        times: list[float] = []
        while len(times) < 2 or (len(times) <= STEPS and sum(times) < LOOK_S):
            began = time.perf_counter()
            float(step(what, 0.0, images, labels)[0].sum())  # waits for the device
            times.append(time.perf_counter() - began)
        return min(times[1:])
