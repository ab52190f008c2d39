"""How a parameter starts: Start(kind, ...), told by each op, carried out in one place (compiler/materialise.py)."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from resbench.seeds import WHOLE, Part

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
    """An op with parameters; `starts` has one entry for each. Buffers say their start in `buffer_starts`."""

    starts: dict[str, Start]
    buffer_starts: dict[str, float]


class Random(nn.Module, ABC):
    """An op that draws in training; the training loop hands it a generator of its own, seeded anew every epoch.

    `on_host`: it decides on the CPU what to run, so its generator is the CPU's whatever the device. `part`: of the batch, what
    this process has; who draws for each image draws for all of them, and takes its own.
    """

    generator: torch.Generator | None = None
    on_host: bool = False
    part: Part = WHOLE

    def room(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        """Memory like `x` for a draw for every image of the whole batch, of which each has `shape`."""
        return x.new_empty((len(x) * self.part.of, *shape))

    def own(self, drawn: Tensor) -> Tensor:
        """Of a draw for the whole batch, what is for the images here."""
        return drawn[self.part.own(len(drawn) // self.part.of)]


class Overwriting(nn.Module, ABC):
    """An op that can write its result over its input; it does where compiler/overwrite.py finds that nothing else reads that."""

    overwrites: bool = False


def idle_bias_unsaid(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The start of a bias that is not there says nothing.

    >>> idle_bias_unsaid({"bias": False, "bias_init": -6.0})
    {'bias': False, 'bias_init': 0.0}
    """
    return {**arguments, "bias_init": arguments["bias_init"] if arguments["bias"] else 0.0}


def empty(*shape: int) -> nn.Parameter:
    """A parameter without values yet."""
    return nn.Parameter(torch.empty(shape))
