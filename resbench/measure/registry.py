"""`@metric("name")` registers a function: a cost of a network that needs no training; its name contains the unit.

A metric takes the bound network and the same network built on `meta`, so it costs no memory. Plugins use the same decorator.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.normal_form import normal
from resbench.compiler.modules.network import Network
from resbench.errors import PluginError, ResbenchError
from resbench.measure.macs import macs as count_macs
from resbench.measure.params import params as count_params
from resbench.plugins.active import cause
from resbench.plugins.load import load, owner_of

Metric = Callable[[BoundNetwork, Network], float]
_METRICS: dict[str, Metric] = {}


def metric(name: str) -> Callable[[Metric], Metric]:
    """Register a function under a name. Raises ValueError, with both origins, if the name is taken."""

    def register(function: Metric) -> Metric:
        if name in _METRICS:
            raise ValueError(f"metric `{name}` is registered twice: {origin(_METRICS[name])} and {origin(function)}")
        _METRICS[name] = function
        return function

    return register


def metrics() -> dict[str, Metric]:
    """Return every metric by name, resbench's own first."""
    load("metrics")
    return dict(_METRICS)


def origin(function: Metric) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def measure(name: str, bound: BoundNetwork, network: Network) -> float:
    """Return one number. Raises PluginError, with the owner, if a metric fails or returns no finite number."""
    function = metrics()[name]
    try:
        value = function(bound, network)
    except ResbenchError:
        raise
    except Exception as error:
        raise PluginError(f"{_owner_label(function)}: {cause(error)}") from error
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PluginError(f"{_owner_label(function)}: expected a finite number, got {value!r}")
    return value


def measured(bound: BoundNetwork, network: Network) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the value of every metric by name, and the errors of those that fail."""
    values: dict[str, float] = {}
    faults: list[str] = []
    for name in metrics():
        try:
            values[name] = measure(name, bound, network)
        except ResbenchError as error:
            faults.append(str(error))
    return values, tuple(faults)


def _owner_label(function: Metric) -> str:
    owner = owner_of(function)
    name = next(name for name, known in _METRICS.items() if known is function)
    return f"metric `{name}`" + (f" of {owner.label}" if owner is not None else "")


@metric("params")
def params(bound: BoundNetwork, network: Network) -> float:
    """Return the number of trainable parameters."""
    return count_params(network)


@metric("macs")
def macs(bound: BoundNetwork, network: Network) -> float:
    """Return the multiply-adds of convolutions and matrix products, for one image."""
    return count_macs(bound).count


@metric("activations_mib")
def activations_mib(bound: BoundNetwork, network: Network) -> float:
    """Return the size of all ops' outputs for one image in float32: what a training step keeps if nothing is recomputed."""
    return sum(math.prod(op.shape) for _, op in normal(bound).ops()) * 4 / 2**20
