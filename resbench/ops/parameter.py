"""Define how a parameter starts: each op declares Start(kind, ...), and compiler/modules/initialize.py draws the values."""

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
Kind = Literal["conv", "linear", "norm", "bias", "gain"]  # the kind selects weight decay


@dataclass(frozen=True, slots=True)
class Start:
    """The start of a parameter. Fans are counted per output and input value: channels of one group times kernel area.
    `initial` None means the recipe's.
    """

    kind: Kind
    fan_in: int = 1
    fan_out: int = 1
    initial: Initial | None = None


class Parametric(nn.Module, ABC):
    """An op that declares how its parameters start, in `starts`, and its buffers, in `buffer_starts`; others start as
    torch's layers do.
    """

    starts: dict[str, Start]
    buffer_starts: dict[str, float]


def names_with_start(module: nn.Module) -> set[str]:
    """Return the names of its own parameters and buffers whose start it declares; torch starts the others."""
    return {*module.starts, *module.buffer_starts} if isinstance(module, Parametric) else set()


def kinds_of(module: nn.Module) -> dict[str, Kind]:
    """Return the kind of each of its own parameters; an undeclared one follows from the torch layer that has it and
    from its name.
    """
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
    """An op that draws random numbers in training; the training loop gives it a generator of its own, seeded every
    epoch.

    `on_host`: it decides on the CPU what to run, so its generator is on the CPU whatever the device. `part`: the share
    of the batch in this process; an op that draws for each image draws for the whole batch, and takes its share.
    """

    generator: torch.Generator | None = None
    on_host: bool = False
    part: Shard = WHOLE

    def room(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        """Return memory like `x` for a draw of `shape` for every image of the whole batch."""
        return x.new_empty((len(x) * self.part.of, *shape))

    def own(self, drawn: Tensor) -> Tensor:
        """Return the part of a draw for the whole batch that belongs to the images of this process."""
        return drawn[self.part.own(len(drawn) // self.part.of)]


class Overwriting(nn.Module, ABC):
    """An op that can overwrite its input; compiler/modules/inplace.py enables this where nothing else reads the input."""

    overwrites: bool = False


def idle_bias_unsaid(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with the start of an absent bias reset to its default.

    >>> idle_bias_unsaid({"bias": False, "bias_init": -6.0})
    {'bias': False, 'bias_init': 0.0}
    """
    return {**arguments, "bias_init": arguments["bias_init"] if arguments["bias"] else 0.0}


def bias_at_start(arguments: Mapping[str, Any]) -> float:
    """Return the average initial result of weights of mean 0."""
    return float(arguments["bias_init"]) if arguments["bias"] else 0.0


def empty(*shape: int) -> nn.Parameter:
    """Return a parameter without values yet."""
    return nn.Parameter(torch.empty(shape))
