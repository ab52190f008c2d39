"""BoundNetwork and K -> Stack: K networks of one architecture as one, side by side in the channels.  B (K C) H W -> B (K classes)

Each op runs K times: in its own stacked form (a convolution with K times the groups); unchanged, where channels are
independent; folded into the batch, where it is pure; by torch.func.vmap; or, where it draws random numbers or none of
these works, as K modules one after the other. Nothing crosses from one network to another, so each has the gradients
that it has alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from resbench.compiler.graph import BoundNetwork, BoundOp, Shape
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.identity.normal_form import normal
from resbench.compiler.modules.initialize import fill, to_cpu
from resbench.compiler.modules.network import build
from resbench.compiler.modules.unit import make_module
from resbench.ops.parameter import Random
from resbench.ops.registry import OpKind, kind


class Folded(nn.Module):
    """A pure op on K networks, which are treated as K times as many images."""

    def __init__(self, one: nn.Module, seeds: int) -> None:
        super().__init__()
        self.one, self.seeds = one, seeds

    def forward(self, *xs: Tensor) -> Tensor:
        result: Tensor = self.one(*(torch.unflatten(x, 1, (self.seeds, -1)).flatten(0, 1) for x in xs))
        return torch.unflatten(result, 0, (-1, self.seeds)).flatten(1, 2)


class Mapped(nn.Module):
    """An op mapped by vmap over parameters and buffers, which have a first axis of K."""

    def __init__(self, one: nn.Module, seeds: int) -> None:
        super().__init__()
        self.one, self.seeds = one, seeds
        for module in one.modules():
            for name, parameter in module.named_parameters(recurse=False):
                setattr(module, name, nn.Parameter(parameter.new_empty(seeds, *parameter.shape)))
            for name, buffer in module.named_buffers(recurse=False):
                setattr(module, name, buffer.new_empty(seeds, *buffer.shape))

    def forward(self, *xs: Tensor) -> Tensor:
        def one(state: dict[str, Tensor], *xs: Tensor) -> Tensor:
            return functional_call(self.one, state, xs)  # type: ignore[no-any-return]

        state = dict(self.one.named_parameters()) | dict(self.one.named_buffers())
        given = [torch.unflatten(x, 1, (self.seeds, -1)) for x in xs]
        return vmap(one, (0, *[1] * len(xs)), 1)(state, *given).flatten(1, 2)


class Replicas(nn.ModuleList):
    """K modules one after the other, with the reason."""

    reason = ""

    def forward(self, *xs: Tensor) -> Tensor:
        return torch.cat([one(*each) for one, *each in zip(self, *(x.chunk(len(self), 1) for x in xs), strict=True)], 1)


Make = Callable[[int], nn.Module]


def side_by_side(
    what: OpKind, arguments: Mapping[str, Any], inputs: tuple[Shape, ...], seeds: int, make: Make
) -> nn.Module:
    """Return K copies of an op as one module; `inputs` are the input shapes of one, and `make(channels)` builds one."""
    channels = inputs[0][0]
    if what.stacked is not None and (own := what.stacked(arguments, channels, seeds)) is not None:
        return own
    if what.by_channel and all(shape[0] == channels for shape in inputs):
        return make(seeds * channels)
    one = make(channels)
    if what.pure:
        return Folded(one, seeds)
    draws = any(isinstance(part, Random) for part in one.modules())
    reason = "each draws from a stream of its own" if draws else _why_not(make, inputs, seeds)
    if not reason:
        return Mapped(one, seeds)
    copies = Replicas(make(channels) for _ in range(seeds))
    copies.reason = reason
    return copies


def _why_not(make: Make, inputs: tuple[Shape, ...], seeds: int) -> str:
    """Return the error of vmap in a trial in training and evaluation on the CPU; empty where it works."""
    with torch.device("cpu"):
        tried = Mapped(make(inputs[0][0]), seeds)
        images = [torch.zeros(2, seeds * shape[0], *shape[1:]) for shape in inputs]
        try:
            for training in (True, False):
                tried.train(training)(*images)
        except Exception as error:  # raised by torch, or by a plugin's op that vmap does not support
            return str(error).split("\n")[0].split(". ")[0]
    return ""


def of_one(module: nn.Module, name: str, number: int, seeds: int) -> Tensor:
    """Return a parameter or buffer of one of the K; a norm's batch count, which is never used, is shared."""
    if isinstance(module, Replicas):
        return cast(Tensor, module[number].state_dict(keep_vars=True)[name])
    if isinstance(module, Mapped):
        return cast(Tensor, module.one.state_dict(keep_vars=True)[name][number])
    tensor: Tensor = module.state_dict(keep_vars=True)[name]
    return tensor.chunk(seeds)[number] if tensor.dim() else tensor


@dataclass(frozen=True, slots=True)
class Stack:
    """K networks as one. `network`: all of them as one; `alone`: one of them on `meta`, with the parameters' names,
    starts and shapes.

    `numbers`: canonical number of each op by path, which names its streams.
    """

    network: nn.Module
    alone: nn.Module
    numbers: Mapping[str, int]
    paths: tuple[str, ...]
    seeds: int

    def one_by_one(self) -> dict[str, str]:
        """Return the ops that run one after the other, by path, with the reason."""
        modules = self.network.named_modules()
        return {path: module.reason for path, module in modules if isinstance(module, Replicas)}

    def state(self, number: int) -> dict[str, Tensor]:
        """Return the state_dict of one of them, as views: the first has number 0."""
        return {
            f"{path}.{name}".lstrip("."): of_one(self.network.get_submodule(path), name, number, self.seeds).detach()
            for path in self.paths
            for name in self.alone.get_submodule(path).state_dict()
        }

    def own_parameters(self) -> dict[int, int]:
        """Return the parameters that belong to one network, by id, with its number; the others hold all K along their
        first axis.
        """
        copies = [module for module in self.network.modules() if isinstance(module, Replicas)]
        return {id(p): number for module in copies for number, one in enumerate(module) for p in one.parameters()}

    def drawing(self) -> Iterator[tuple[str, int, Random]]:
        """Yield the ops that draw random numbers in training: path in one network, number of the network, module."""
        for path in self.paths:
            module = self.network.get_submodule(path)
            for number, one in enumerate(module if isinstance(module, Replicas) else [module]):
                for name, part in one.named_modules():
                    if isinstance(part, Random):
                        yield f"{path}.{name}".strip("."), number, part


def stack(bound: BoundNetwork, seeds: int) -> Stack:
    """Build a stack on `meta`, as compiler/modules/network.py builds a network; a stack of one is that network."""
    alone, numbers = build(bound), canonical(bound).numbers
    if seeds == 1:
        return single(alone, numbers)
    paths = tuple(f"{part}.{op.path}" for part, graph in normal(bound).parts() for op in graph.ops)
    return Stack(build(bound, partial(_make, seeds=seeds)), alone, numbers, paths, seeds)


def single(network: nn.Module, numbers: Mapping[str, int]) -> Stack:
    """Return a stack of one given network."""
    return Stack(network, network, numbers, ("",), 1)


def initialize_stack(stacked: Stack, seeds: Sequence[int], init: str) -> None:
    """Give each network the weights that it has alone (compiler/modules/initialize.py)."""
    stacked.network.apply(to_cpu)
    for number, seed in enumerate(seeds):
        fill(stacked.alone, stacked.state(number), stacked.numbers, seed, init)


def _make(op: BoundOp, inputs: tuple[Shape, ...], seeds: int) -> nn.Module:
    what, make = kind(op.op), partial(make_module, op.op, op.arguments)
    return side_by_side(what, dict(op.arguments), inputs, seeds, make)
