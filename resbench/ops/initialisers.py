"""Register initialisers, which a recipe names (`init:`), such as `he_normal`.

Each draws a float tensor from a generator; fans are those of Start.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.ops.parameter import Start
from resbench.plugins.load import blocked, load

Initialiser = Callable[[torch.Tensor, Start, torch.Generator], None]
_INITIALISERS: dict[str, Initialiser] = {}


def initialiser(name: str) -> Callable[[Initialiser], Initialiser]:
    def register(function: Initialiser) -> Initialiser:
        if name in _INITIALISERS:
            both = f"{_origin(_INITIALISERS[name])} and {_origin(function)}"
            raise ValueError(f"initialiser `{name}` is registered twice: {both}")
        _INITIALISERS[name] = function
        return function

    return register


def initialisers() -> dict[str, Initialiser]:
    load("initialisers")
    return dict(_INITIALISERS)


def initialiser_called(name: str) -> Initialiser:
    """Return the initialiser of a name. Raise BadInput for an unknown name, PluginError for one of a plugin that cannot
    be used.
    """
    known = initialisers()
    if (error := blocked("initialisers", name)) is not None:
        raise error
    if name not in known:
        near = did_you_mean(name, list(known))
        raise BadInput(f"no initialiser is called `{name}`; initialisers: {', '.join(known)}{near}")
    return known[name]


def _origin(function: Initialiser) -> str:
    return f"{function.__module__}.{function.__qualname__}"


@initialiser("he_normal")
def he_normal(weight: torch.Tensor, start: Start, generator: torch.Generator) -> None:
    """Draw from N(0, 2 / fan_in), also for the last linear layer. He et al. 2015, arXiv:1502.01852, Eq. 10."""
    weight.normal_(0.0, math.sqrt(2.0 / start.fan_in), generator=generator)


@initialiser("he_normal_fan_out")
def he_normal_fan_out(weight: torch.Tensor, start: Start, generator: torch.Generator) -> None:
    """Draw from N(0, 2 / fan_out), as the released Torch code does. He et al. 2015, Eq. 14."""
    weight.normal_(0.0, math.sqrt(2.0 / start.fan_out), generator=generator)
