"""A network in training -> the same network without random drops, and the rates of those drops.

Random modules are put into evaluation mode; functions that drop return their input, and a random mask becomes its probability:
divided by it, as these masks are, it is 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from resbench.errors import BadInput

_MODULES = ("dropout", "alphadropout", "featurealphadropout", "stochasticdepth", "droppath", "dropblock", "dropbranch",
            "randommix")  # fmt: skip
_DROPPING = (F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout, F.feature_alpha_dropout)
_RATES = ("rate", "p", "drop_prob")  # attributes of these modules: ours, torch's and torchvision's, timm's
Rates = Counter[float]  # number of places that drop, for each rate above 0


@contextmanager
def still(network: nn.Module, *, training: bool) -> Iterator[Rates]:
    """Set the network to training or evaluation without randomness; the drops of what runs inside the block are counted.

    Raises BadInput if the network draws random numbers nevertheless.
    """
    network.train(training)
    mode, before = _Still(), torch.get_rng_state()
    hooks = []
    for module in _random(network):
        module.training = False  # only this module: a branch inside of it has norms that stay in training
        hooks.append(module.register_forward_pre_hook(lambda ran, given: mode.count(_rate(ran))))
    try:
        with mode:
            yield mode.rates
    finally:
        for hook in hooks:
            hook.remove()
    if not torch.get_rng_state().equal(before):
        raise BadInput(
            "a network draws random numbers in a way that cannot be disabled, so nothing can be compared; set its rates to 0, "
            "as in --reference-args drop_path_rate=0"
        )


def _rate(module: nn.Module) -> float:
    return float(next((getattr(module, name) for name in _RATES if name in vars(module)), None) or 0)


def _random(network: nn.Module) -> list[nn.Module]:
    return [m for m in network.modules() if type(m).__name__.lower().startswith(_MODULES)]


class _Still(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.rates: Rates = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _DROPPING:
            return self.kept(*args, **kwargs)
        if func is Tensor.bernoulli_ and _probability(args, kwargs) is not None:
            survival = _probability(args, kwargs)
            self.count(1 - survival)
            return args[0].fill_(survival)
        return func(*args, **kwargs)

    def kept(self, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        """Return the input of a drop function, which has the signature of torch's."""
        if training:
            self.count(p)
        return input

    def count(self, rate: float) -> None:
        if rate > 0:
            self.rates[round(rate, 9)] += 1


def _probability(args: Any, kwargs: Any) -> Any:
    found = args[1] if len(args) > 1 else kwargs.get("p", 0.5)
    return found if isinstance(found, float) else None
