"""A weight's Start -> how it is drawn: `he_normal`, ... are names a recipe gives (`init:`).

Each draws into a float tensor from a generator; fans are those of Start.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from resbench.ops.parameter import Start

Initialiser = Callable[[torch.Tensor, Start, torch.Generator], None]
_INITIALISERS: dict[str, Initialiser] = {}


def initialiser(name: str) -> Callable[[Initialiser], Initialiser]:
    def register(function: Initialiser) -> Initialiser:
        if name in _INITIALISERS:
            raise ValueError(f"initialiser `{name}` is registered twice")
        _INITIALISERS[name] = function
        return function

    return register


def initialisers() -> dict[str, Initialiser]:
    return dict(_INITIALISERS)


@initialiser("he_normal")
def he_normal(weight: torch.Tensor, start: Start, generator: torch.Generator) -> None:
    """N(0, 2 / fan_in). He et al. 2015, arXiv:1502.01852, Eq. 10; for the last linear layer too."""
    weight.normal_(0.0, math.sqrt(2.0 / start.fan_in), generator=generator)


@initialiser("he_normal_fan_out")
def he_normal_fan_out(weight: torch.Tensor, start: Start, generator: torch.Generator) -> None:
    """N(0, 2 / fan_out), the form of the released Torch code. He et al. 2015, Eq. 14."""
    weight.normal_(0.0, math.sqrt(2.0 / start.fan_out), generator=generator)
