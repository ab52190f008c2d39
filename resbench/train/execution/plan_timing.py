"""BoundNetwork, recipe, number of seeds, machine -> the fastest Plan by measurement; only if the recipe asks for it.

Each candidate trains a few steps on random images. The result depends on the machine and its load, and so do the last bits of
every run; the rule in plan.py does not depend on them.
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

STEPS = 2  # timed steps at most, after one untimed; the fastest counts, since other load only makes a step slower
CANDIDATE_S = 0.6  # no further step of a candidate that has taken this long
MIN_GAIN = 1.05  # a wider stack must be faster by this factor, so that noise does not decide
CLOSE = 1.15  # a layout slower by more than this factor is not tried again
WIDEST = 16
LONG_S = 0.1
SHORT_S = 1.5  # of training in total: below it, wider stacks are not measured


def compiles(bound: BoundNetwork, recipe: RecipeSpec, plan: Plan, device: torch.device) -> Plan:
    """Return the same plan, compiled, or with the reason why it cannot be compiled."""
    timer = _Timer(bound, recipe, device)
    tried = timer.compiled(Candidate(plan.width, plan.layout, plan.threads, 0.0), 0)
    return replace(plan, compiled=tried.compiled, not_compiled=timer.not_compiled)


def measure(
    bound: BoundNetwork, recipe: RecipeSpec, seeds: int, steps: int, device: torch.device, *, cores: int
) -> Plan:
    """Return the fastest plan for `steps` of training of each of `seeds`; for a few seconds of work only one is timed.

    Where one thread is measured, every core is assumed to be as fast as one alone.
    """
    requested = recipe.plan
    threads = requested.threads or (1 if device.type == "cpu" else torch.get_num_threads())
    layouts = (requested.layout,) if requested.layout else LAYOUTS if device.type == "cpu" else LAYOUTS[1:]
    timer = _Timer(bound, recipe, device)
    first = timer.candidate(min(requested.width or 1, seeds), layouts[0], threads)
    if first.step_s * steps * seeds < SHORT_S:  # noise would decide
        return timer.plan(timer.compiled(first, steps * seeds), requested.recompute)
    best = None
    for width in _widths(requested.width, seeds, first.step_s):
        tried = [
            timer.candidate(width, layout, threads)
            for layout in layouts
            if (width, layout) != (first.width, first.layout)
        ]
        tried += [first] if width == first.width else []
        fastest = min(tried, key=lambda each: each.step_s)
        layouts = tuple(each.layout for each in tried if each.step_s < CLOSE * fastest.step_s)
        if best is not None and fastest.step_s * MIN_GAIN > best.step_s:
            break
        best = fastest
    assert best is not None
    if requested.threads is None and device.type == "cpu" and cores > 1:
        wide = timer.candidate(best.width, best.layout, cores)
        if wide.step_s * cores < best.step_s:  # faster than one worker per core
            best = wide
    return timer.plan(timer.compiled(best, steps * seeds), requested.recompute)


def _widths(requested: int | None, seeds: int, step_s: float) -> tuple[int, ...]:
    """Return the widths to try: one, and all seeds up to WIDEST; where a step is long, two first, to see if more pay."""
    if requested is not None:
        return (min(requested, seeds),)
    return tuple(sorted({1, min(2 if step_s > LONG_S else 1, seeds), min(WIDEST, seeds)}))


class _Timer:
    """Times candidates; each width is built once."""

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
        """Return the same candidate, compiled, if the recipe requires it, or on CUDA if it saves more than it costs."""
        requested = self.recipe.plan.compile
        if requested is False or (requested is None and self.device.type != "cuda"):
            return best
        began = time.perf_counter()
        try:
            tried = self.candidate(best.width, best.layout, best.threads, compiled=True)
        except Exception as error:  # torch.compile and its compilers raise exceptions of any type
            self.not_compiled = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            return best
        gain = (best.step_s - tried.step_s) * steps
        return tried if requested or gain > time.perf_counter() - began else best

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
        while len(times) < 2 or (len(times) <= STEPS and sum(times) < CANDIDATE_S):
            began = time.perf_counter()
            float(step(what, 0.0, images, labels)[0].sum())  # waits for the device
            times.append(time.perf_counter() - began)
        return min(times[1:])
