"""`@proxy("name")` on a function -> a number that a network has before it is trained, which may say how good it will be.

A proxy is held against parameters and MACs, never shown without them. Plugins register theirs in the group `metrics`, with the
same decorator. A name ends with what is done to the number (`_log10`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from math import isfinite
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import Network, build
from resbench.errors import PluginError, ResbenchError
from resbench.ops.parameter import Random
from resbench.plugins.active import cause
from resbench.plugins.load import load


@dataclass(frozen=True, slots=True)
class ProxyInput:
    """A network as a run of that seed starts, in training mode, its own to be spoiled; images BCHW and labels B to try it on."""

    bound: BoundNetwork
    network: Network
    images: Tensor
    labels: Tensor


Proxy = Callable[[ProxyInput], float]
_PROXIES: dict[str, Proxy] = {}


def proxy(name: str) -> Callable[[Proxy], Proxy]:
    """Register a function under a name. Raises ValueError when the name is taken, with both origins."""

    def register(function: Proxy) -> Proxy:
        if not function.__module__.startswith(f"{__package__}."):
            _fill_own()  # resbench's own come first, so that it is the plugin that is refused
        if name in _PROXIES:
            raise ValueError(f"proxy `{name}` is registered twice: {_origin(_PROXIES[name])} and {_origin(function)}")
        _PROXIES[name] = function
        return function

    return register


def proxies() -> dict[str, Proxy]:
    """Return every proxy by name, resbench's own first."""
    _fill_own()
    load("metrics")
    return dict(_PROXIES)


def measure(name: str, start: ProxyInput) -> float | None:
    """Return None where it is no finite number. Raises PluginError where a proxy fails, with whose it is."""
    function = proxies()[name]
    own = replace(start, network=deepcopy(start.network))  # some leave other weights behind
    for module in own.network.modules():
        if isinstance(module, Random):
            module.generator = torch.Generator().manual_seed(0)
    try:
        value = float(function(own))
    except ResbenchError:
        raise
    except Exception as error:
        raise PluginError(f"proxy `{name}` ({_origin(function)}): {cause(error)}") from error
    return value if isfinite(value) else None


def started(bound: BoundNetwork, init: str, seed: int, images: Tensor, labels: Tensor) -> ProxyInput:
    """As a run of that seed starts; what is drawn at random is drawn by the seed."""
    network = build(bound)
    initialize_weights(network, canonical(bound).numbers, seed, init)
    return ProxyInput(bound, network.train(), images, labels)


@cache
def _fill_own() -> None:
    for module in iter_modules([str(Path(__file__).parent / "proxies")]):
        import_module(f"{__package__}.proxies.{module.name}")


def _origin(function: Proxy) -> str:
    return f"{function.__module__}.{function.__qualname__}"


if not TYPE_CHECKING:

    def __getattr__(name: str) -> type:
        if name != "Start":
            raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
        warnings.warn(f"{__name__}.Start is now ProxyInput", DeprecationWarning, stacklevel=2)
        return ProxyInput
