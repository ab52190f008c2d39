"""BoundNetwork -> memory that training keeps of a batch for its backward pass, in float32, on `meta`; no weights, no gradients.

What autograd saves is counted, each storage once; workspaces of an op are not seen. Each part of a network (stem, unit, head) is
run separately, once for all equal ones, and the counts are added, so that a deep network costs no more than a shallow one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, fx
from torch.autograd.graph import saved_tensors_hooks

from resbench.compiler.graph import BoundNetwork, Graph
from resbench.compiler.identity.normal_form import normal
from resbench.compiler.modules.network import segment_of
from resbench.compiler.modules.unit import build_unit
from resbench.ops.parameter import Random

FEW, MORE = 2, 4  # images: batch norm needs more than one, and a second count separates what does not grow with them


@dataclass(frozen=True, slots=True)
class KeptActivations:
    """Bytes that are kept: `fixed` for any batch (a norm's statistics, a transformed weight), and `image` for each image."""

    fixed: float = 0.0
    image: float = 0.0

    def __add__(self, other: KeptActivations) -> KeptActivations:
        return KeptActivations(self.fixed + other.fixed, self.image + other.image)

    def of(self, images: int) -> float:
        return self.fixed + self.image * images


def memory_mib(bound: BoundNetwork) -> float | None:
    """Return the MiB of one image: half of what two take; branches that are dropped at random are all included.

    None if an op (of a plugin) cannot be trained on `meta`: only training can show its memory.
    """
    try:
        return _plain(bound, at_most=True).of(FEW) / FEW / 2**20
    except _NotCountable:
        return None


def kept_bytes(bound: BoundNetwork, images: int, *, recompute: bool = False) -> int | None:
    """Return the least bytes of a batch, with all droppable branches dropped.  `recompute`: see compiler/modules/recompute.py."""
    try:
        return int(_recomputed(bound, images) if recompute else _plain(bound, at_most=False).of(images))
    except _NotCountable:
        return None


class _NotCountable(Exception):  # noqa: N818  (it never leaves this file)
    """A part cannot be trained on `meta`."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The activations that one part keeps. `inside`: all but its input and output; `entry`, `exit`: whether those are kept.

    `size`: of the output. `passes`: the output shares the memory of the input. `grad`: it depends on parameters.
    """

    inside: KeptActivations
    entry: bool
    exit: bool
    size: KeptActivations
    passes: bool
    grad: bool


class _Walk:
    """A walk from part to part: a value that two parts keep is counted once."""

    def __init__(self, size: KeptActivations, *, grad: bool, at_most: bool) -> None:
        self.held, self.size, self.is_kept, self.grad, self.at_most = KeptActivations(), size, False, grad, at_most

    def go(self, graph: Graph) -> None:
        most, least = _parts(graph, self.grad)
        part = most if self.at_most else least
        self.held += part.inside
        self.is_kept |= part.entry
        if not part.passes:
            self.leave(part.size, kept=part.exit)
        self.grad = part.grad

    def leave(self, size: KeptActivations, *, kept: bool) -> None:
        """Move to another value; count the current one if it is kept."""
        if self.is_kept:
            self.held += self.size
        self.size, self.is_kept = size, kept


def _start(bound: BoundNetwork, *, at_most: bool) -> _Walk:
    return _Walk(KeptActivations(image=4.0 * math.prod(bound.input_shape)), grad=False, at_most=at_most)


def _plain(bound: BoundNetwork, *, at_most: bool) -> KeptActivations:
    """Return what is kept at the end of the forward pass."""
    walk = _start(bound, at_most=at_most)
    for _, graph in normal(bound).parts():
        walk.go(graph)
    walk.leave(KeptActivations(), kept=False)
    return walk.held


def _recomputed(bound: BoundNetwork, images: int) -> float:
    """Return the peak: at the end of the forward pass, or after a segment of units has been recomputed."""
    network = normal(bound)
    walk, most = _start(bound, at_most=False), 0.0
    walk.go(network.stem)
    for stage in network.stages:
        walk.go(stage.before)
        for units in _segments(stage.units):
            inner = _Walk(walk.size, grad=walk.grad, at_most=False)
            for unit in units:
                inner.go(unit)
            walk.is_kept = True  # the input of a segment is kept
            walk.leave(inner.size, kept=False)
            walk.grad = inner.grad
            most = max(most, (walk.held + inner.held).of(images))
    walk.go(network.head)
    walk.leave(KeptActivations(), kept=False)
    return max(most, walk.held.of(images))


def _segments(units: Sequence[Graph]) -> Iterable[Sequence[Graph]]:
    size = segment_of(len(units))
    return (units[start : start + size] for start in range(0, len(units), size))


@lru_cache(maxsize=4096)
def _parts(graph: Graph, grad: bool) -> tuple[_Part, _Part]:
    """Return the part with every droppable branch, and without. Raises _NotCountable."""
    try:
        with torch.device("meta"):
            module = build_unit(graph, "Part").train()
        drawing = [each for each in module.modules() if isinstance(each, Random) and each.on_host]
        found = []
        for seed in _seeds() if drawing else (0,):
            for each in drawing:
                each.generator = torch.Generator()
            counts = []
            for images in (FEW, MORE):
                for each in drawing:
                    assert each.generator is not None
                    each.generator.manual_seed(seed)
                counts.append(_count(module, torch.empty((images, *graph.input_shape), device="meta"), grad))
            found.append(_of_any_batch(*counts))
    except Exception:
        raise _NotCountable from None
    return found[0], found[-1]


@lru_cache(maxsize=1)
def _seeds() -> tuple[int, int]:
    """Return two seeds: the stream of one begins near 0, so that a branch is kept, that of the other near 1."""
    first = {seed: float(torch.rand((), generator=torch.Generator().manual_seed(seed))) for seed in range(1000)}
    return min(first, key=first.__getitem__), max(first, key=first.__getitem__)


def _count(module: fx.GraphModule, x: Tensor, grad: bool) -> _Part:
    """Count one part for one number of images; all bytes are counted as fixed."""
    x = x.requires_grad_().clone() if grad else x
    weights = {parameter.untyped_storage()._cdata for parameter in module.parameters()}
    sizes: dict[int, int] = {}
    alive: list[Tensor] = []  # else the number of a freed storage could be reused

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        alive.append(tensor)
        if storage._cdata not in weights:
            sizes[storage._cdata] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        y = module(x)
    enters, leaves = x.untyped_storage()._cdata, y.untyped_storage()
    inside = sum(size for storage, size in sizes.items() if storage not in (enters, leaves._cdata))
    return _Part(
        KeptActivations(inside), enters in sizes, leaves._cdata in sizes, KeptActivations(leaves.nbytes()),
        enters == leaves._cdata, y.requires_grad
    )  # fmt: skip


def _of_any_batch(few: _Part, more: _Part) -> _Part:
    def line(a: KeptActivations, b: KeptActivations) -> KeptActivations:
        image = (b.fixed - a.fixed) / (MORE - FEW)
        return KeptActivations(a.fixed - FEW * image, image)

    return _Part(line(few.inside, more.inside), few.entry, few.exit, line(few.size, more.size), few.passes, few.grad)
