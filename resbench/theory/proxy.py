"""`@proxy("name")` registers a function: a number of an untrained network that may predict its error.

A proxy is compared with parameters and MACs, and never shown without them. Plugins register theirs in the group `metrics`,
with the same decorator. A name ends with the transformation of the number (`_log10`).
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
    """An initialised network in training mode, which the proxy may change, with images BCHW and labels B."""

    bound: BoundNetwork
    network: Network
    images: Tensor
    labels: Tensor


Proxy = Callable[[ProxyInput], float]
_PROXIES: dict[str, Proxy] = {}


def proxy(name: str) -> Callable[[Proxy], Proxy]:
    """Register a function under a name. Raises ValueError, with both origins, if the name is taken."""

    def register(function: Proxy) -> Proxy:
        if not function.__module__.startswith(f"{__package__}."):
            _fill_own()  # resbench's own come first, so that a clash is reported for the plugin
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
    """Return the number; None if it is not finite. Raises PluginError, with its origin, if the proxy fails."""
    function = proxies()[name]
    own = replace(start, network=deepcopy(start.network))  # some proxies change the weights
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
    """Return the input of proxies: the network as a run with that seed starts."""
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
