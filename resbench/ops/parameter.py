"""How a parameter starts: Start(kind, ...), told by each op, carried out in one place (compiler/modules/initialize.py)."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from resbench.random_streams import WHOLE, Shard

_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
Initial = str | float | dict[str, float]  # zeros | ones | a number | {normal: sd}
Kind = Literal["conv", "linear", "norm", "bias", "gain"]  # what weight decay goes by


@dataclass(frozen=True, slots=True)
class Start:
    """Fans are counted per output and input value: channels of one group times kernel area. `initial` None: the recipe's."""

    kind: Kind
    fan_in: int = 1
    fan_out: int = 1
    initial: Initial | None = None


class Parametric(nn.Module, ABC):
    """An op that says how its parameters start, in `starts`, and its buffers, in `buffer_starts`; of others torch's layers do."""

    starts: dict[str, Start]
    buffer_starts: dict[str, float]


def said(module: nn.Module) -> set[str]:
    """Return the parameters and buffers of its own whose start it says; torch starts the others."""
    return {*module.starts, *module.buffer_starts} if isinstance(module, Parametric) else set()


def kinds_of(module: nn.Module) -> dict[str, Kind]:
    """Of every parameter of its own; where nothing is said of one, by the layer of torch that has it and by its name."""
    starts = module.starts if isinstance(module, Parametric) else {}
    return {
        name: starts[name].kind if name in starts else _kind(module, name)
        for name, parameter in module._parameters.items()
        if parameter is not None
    }


def _kind(module: nn.Module, name: str) -> Kind:
    if isinstance(module, _NORMS):
        return "norm"
    if "bias" in name:
        return "bias"
    if isinstance(module, nn.modules.conv._ConvNd):
        return "conv"
    return "linear" if name.endswith("weight") else "gain"


class Random(nn.Module, ABC):
    """An op that draws in training; the training loop hands it a generator of its own, seeded anew every epoch.

    `on_host`: it decides on the CPU what to run, so its generator is the CPU's whatever the device. `part`: of the batch, what
    this process has; who draws for each image draws for all of them, and takes its own.
    """

    generator: torch.Generator | None = None
    on_host: bool = False
    part: Shard = WHOLE

    def room(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        """Memory like `x` for a draw for every image of the whole batch, of which each has `shape`."""
        return x.new_empty((len(x) * self.part.of, *shape))

    def own(self, drawn: Tensor) -> Tensor:
        """Of a draw for the whole batch, what is for the images here."""
        return drawn[self.part.own(len(drawn) // self.part.of)]


class Overwriting(nn.Module, ABC):
    """An op that can write its result over its input; compiler/modules/inplace.py lets it where nothing else reads that."""

    overwrites: bool = False


def idle_bias_unsaid(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the start of a bias that is not there says nothing.

    >>> idle_bias_unsaid({"bias": False, "bias_init": -6.0})
    {'bias': False, 'bias_init': 0.0}
    """
    return {**arguments, "bias_init": arguments["bias_init"] if arguments["bias"] else 0.0}


def bias_at_start(arguments: Mapping[str, Any]) -> float:
    """Return what weights of mean 0 yield on average at the start."""
    return float(arguments["bias_init"]) if arguments["bias"] else 0.0


def empty(*shape: int) -> nn.Parameter:
    """Return a parameter without values yet."""
    return nn.Parameter(torch.empty(shape))
