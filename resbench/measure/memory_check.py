"""A need and a device's memory -> None if it fits, else the reason in words, before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from resbench.compiler.graph import BoundNetwork
from resbench.errors import TooLarge
from resbench.measure.capacity import Capacity, capacity, host_capacity
from resbench.measure.footprint import Footprint, TrainingLoad, at_most, size, training, training_weights, widest
from resbench.measure.params import bound_weights

if TYPE_CHECKING:
    import torch

AMPLE = 2.0  # times the minimum of training: no measured training took more (benchmarks/RESULTS.md)
LIBRARIES = 2**29  # bytes of a training process in addition to its network


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """The memory of a device; `host`: that of its machine, where weights are drawn, if it is separate."""

    device: Capacity
    host: Capacity | None = None


def device_memory(device: torch.device) -> DeviceMemory | None:
    """Return the memory of a device and its host; None if the system does not report it."""
    memory = capacity(device)
    return None if memory is None else DeviceMemory(memory, None if device.type == "cpu" else host_capacity())


def title(bound: BoundNetwork) -> str:
    return f"{bound.unit} in {bound.name}"


def lacks_memory(bound: BoundNetwork, load: TrainingLoad, memory: DeviceMemory) -> str | None:
    """Return why one process, alone on the device, cannot train the network; None if it can.

    The most expensive count comes last: a network whose weights alone are too large is not even run on `meta`.
    """
    weights = training_weights(bound, load)
    if weights.total > memory.device.one:
        return _refusal(weights, memory.device, "make the network smaller")
    if at_most(bound, load) > memory.device.one:
        need = training(bound, load)
        if need.total > memory.device.one:
            less = "" if load.recompute else ", set `recipe.plan.recompute=true`"
            return _refusal(need, memory.device, f"make the network or the batch smaller{less}")
    drawn = weights_of(bound, load.seeds)
    if memory.host is not None and drawn.total > memory.host.one:
        return f"drawing weights needs {drawn} on the host, and {_has(memory.host)}; make the network smaller"
    return None


def _refusal(need: Footprint, memory: Capacity, way_out: str) -> str:
    return f"training needs {need}, and {_has(memory)}; {way_out} or train on a device with more memory"


def weights_of(bound: BoundNetwork, times: int = 1) -> Footprint:
    """Return the bytes of `times` copies of the network."""
    name = "weights" if times == 1 else f"{times} copies of the weights"
    return Footprint({name: times * bound_weights(bound).bytes}, known=False)


def require(
    what: str, bound: BoundNetwork, *, device: torch.device | None = None, times: int = 1, images: int = 0
) -> None:
    """Raise TooLarge if the network does not fit on the host or on the device.

    `what`: the purpose, such as `exporting it`. `times`: the number of copies of the weights at once. `images`: the number that
    pass through it at a time, on the device.
    """
    own, host = None if device is None or device.type == "cpu" else capacity(device), host_capacity()
    weights = weights_of(bound, times)
    whole = Footprint({**weights.parts, f"values of {images} images": images * widest(bound)}, known=False)
    for need, memory in ((weights, host), (whole, own or host)):
        if memory is not None and need.total > memory.one:
            way_out = "make the network smaller or use a larger machine"
            raise TooLarge(f"{title(bound)}: {what} needs {need}, and {_has(memory)}; {way_out}")


def wide_enough(bound: BoundNetwork, load: TrainingLoad, memory: DeviceMemory) -> int:
    """Return how many of `load.seeds` safely fit as one network; 0 if not even one safely fits."""
    total = memory.device.one
    if at_most(bound, load) + LIBRARIES <= total:
        return load.seeds
    one = training(bound, replace(load, seeds=1))
    left, each = total - LIBRARIES - AMPLE * load.data, AMPLE * (one.total - load.data)
    return max(0, min(load.seeds, int(left // each)))


def ample(bound: BoundNetwork, load: TrainingLoad) -> int:
    """Return the bytes that surely suffice for a process, including its libraries."""
    quick = at_most(bound, load)
    return LIBRARIES + (quick if quick <= LIBRARIES else int(AMPLE * training(bound, load).total))


def _has(memory: Capacity) -> str:
    return f"{memory.name} has {size(memory.one)}"
