"""BoundNetwork, a device -> milliseconds for one image: the median after a warm-up, in evaluation mode, with one CPU thread."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import quantiles

import torch

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import build
from resbench.errors import BadInput
from resbench.measure.memory_check import require

WARM, N = 5, 30


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds; `low` and `high` are the quartiles of `n` passes. `device`: the name of the hardware."""

    median: float
    low: float
    high: float
    n: int
    device: str


def latency_ms(bound: BoundNetwork, device: str = "cpu", images: int = 1) -> Latency:
    """Measure the latency; results vary from call to call, more so on a busy machine.

    Raises BadInput if this machine has no such device, TooLarge if the weights do not fit there or on the host.
    """
    where = torch.device(device)
    try:
        x = torch.zeros(images, *bound.input_shape, device=where)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise BadInput(f"latency on {device}: {str(error).splitlines()[0]}") from None
    require("measuring the latency", bound, device=where, images=images)
    network = build(bound)
    initialize_weights(network, canonical(bound).numbers, 0, "he_normal")
    network.to(where).eval()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            times = [_once(network, x, where) for _ in range(WARM + N)][WARM:]
    finally:
        torch.set_num_threads(threads)
    low, median, high = quantiles(times, n=4)
    name = torch.cuda.get_device_name(where) if where.type == "cuda" else device
    return Latency(median, low, high, N, name)


def _once(network: torch.nn.Module, x: torch.Tensor, device: torch.device) -> float:
    began = time.perf_counter()
    network(x)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return (time.perf_counter() - began) * 1000
