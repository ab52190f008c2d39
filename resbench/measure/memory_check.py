"""What something needs, what a device has -> whether it fits: nothing, or the reason in words, before anything is allocated."""

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

AMPLE = 2.0  # times what training cannot do without: no training measured took more (benchmarks/RESULTS.md)
LIBRARIES = 2**29  # bytes of a process that trains, beside what it trains


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """What a device has; `host`: what the machine around it has, where weights are drawn, if that is another memory."""

    device: Capacity
    host: Capacity | None = None


def device_memory(device: torch.device) -> DeviceMemory | None:
    """Return None where the system does not tell."""
    there = capacity(device)
    return None if there is None else DeviceMemory(there, None if device.type == "cpu" else host_capacity())


def title(bound: BoundNetwork) -> str:
    return f"{bound.unit} in {bound.name}"


def lacks_memory(bound: BoundNetwork, load: TrainingLoad, there: DeviceMemory) -> str | None:
    """Return why one process, alone on the device, cannot train it, without its name; None where it may.

    What costs most to know is counted last: a network whose weights alone are too many is not run on `meta` either.
    """
    weights = training_weights(bound, load)
    if weights.total > there.device.one:
        return _refusal(weights, there.device, "make the network smaller")
    if at_most(bound, load) > there.device.one:
        need = training(bound, load)
        if need.total > there.device.one:
            less = "" if load.recompute else ", set `recipe.plan.recompute=true`"
            return _refusal(need, there.device, f"make the network or the batch smaller{less}")
    drawn = held(bound, load.seeds)
    if there.host is not None and drawn.total > there.host.one:
        return f"drawing weights needs {drawn} on the host, and {_has(there.host)}; make the network smaller"
    return None


def _refusal(need: Footprint, there: Capacity, way_out: str) -> str:
    return f"training needs {need}, and {_has(there)}; {way_out} or train on a device with more memory"


def held(bound: BoundNetwork, times: int = 1) -> Footprint:
    """Return what the network itself takes, so many times."""
    name = "weights" if times == 1 else f"{times} copies of the weights"
    return Footprint({name: times * bound_weights(bound).bytes}, known=False)


def require(
    what: str, bound: BoundNetwork, *, device: torch.device | None = None, times: int = 1, images: int = 0
) -> None:
    """Raises TooLarge where the network does not fit on the host, or on the device.

    `what` is done with it, such as `exporting it`. `times`: how often the weights are there at once. `images`: how many go
    through it at a time, on the device.
    """
    own, host = None if device is None or device.type == "cpu" else capacity(device), host_capacity()
    weights = held(bound, times)
    whole = Footprint({**weights.parts, f"values of {images} images": images * widest(bound)}, known=False)
    for need, there in ((weights, host), (whole, own or host)):
        if there is not None and need.total > there.one:
            way_out = "make the network smaller or use a larger machine"
            raise TooLarge(f"{title(bound)}: {what} needs {need}, and {_has(there)}; {way_out}")


def wide_enough(bound: BoundNetwork, load: TrainingLoad, there: DeviceMemory) -> int:
    """Return how many seeds, of `load.seeds`, go as one network with room to spare; 0 where not even one is sure to."""
    total = there.device.one
    if at_most(bound, load) + LIBRARIES <= total:
        return load.seeds
    one = training(bound, replace(load, seeds=1))
    left, each = total - LIBRARIES - AMPLE * load.data, AMPLE * (one.total - load.data)
    return max(0, min(load.seeds, int(left // each)))


def ample(bound: BoundNetwork, load: TrainingLoad) -> int:
    """Return bytes that a process is sure to do with, its libraries included."""
    quick = at_most(bound, load)
    return LIBRARIES + (quick if quick <= LIBRARIES else int(AMPLE * training(bound, load).total))


def _has(there: Capacity) -> str:
    return f"{there.name} has {size(there.one)}"
