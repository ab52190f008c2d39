"""K networks and training images -> norms with the statistics of these images, while the networks are scored.

While the learning rate is high, the moving average of batch statistics lags behind the weights, and a score says more about the
lag than about the network. Here the statistics are recomputed: the images, without augmentation and in order, pass through the
network once; each norm normalises by its batch, and gets the mean and variance over all batches.
Wu & Johnson 2021, "Rethinking Batch in BatchNorm", arXiv:2105.07576, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from resbench.data.split import Split
from resbench.train.execution.layout import Layout, memory_format
from resbench.train.execution.parallel import SyncedBatchNorm
from resbench.train.execution.ranks import shard

Collect = Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]
BATCH = 256
MOST_IMAGES = 16_384  # of a larger data set, evenly spaced images are used: the estimate does not need more


@dataclass(slots=True)
class _Moments:
    """The moments of one norm over the batches so far: values per channel, their sum and the sum of their squares."""

    count: int
    sum: Tensor
    squares: Tensor

    def add(self, values: int, mean: Tensor, unbiased: Tensor, seen: int) -> None:
        """Add a batch. `seen`: number of values of the unbiased variance; if ranks see the same images, that of all ranks."""
        mean, variance = mean.to(self.sum.dtype), unbiased.to(self.sum.dtype) * ((seen - 1) / seen)
        self.count += values
        self.sum += values * mean
        self.squares += values * (variance + mean.square())

    def result(self) -> tuple[Tensor, Tensor]:
        """Return mean and unbiased variance, as in running statistics."""
        mean = self.sum / self.count
        variance = (self.squares / self.count - mean.square()).clamp(min=0)
        return mean, variance * (self.count / max(1, self.count - 1))


def norms_of(network: nn.Module) -> list[nn.Module]:
    """Return the modules that keep running statistics of batches."""
    return [module for module in network.modules() if "running_mean" in dict(module.named_buffers(recurse=False))]


@contextmanager
def recomputed(
    network: nn.Module, split: Split, networks: int, layout: Layout, *, keep: bool = False
) -> Iterator[None]:
    """Give norms the statistics of the split's images inside the block, and their own afterwards, unless `keep` is set.

    `split`: training images; each of several ranks uses all of them. Weights and random streams do not change.
    """
    norms = norms_of(network)
    if not norms:
        yield
        return
    previous = [(_running(norm)[0].clone(), _running(norm)[1].clone()) for norm in norms]
    _recompute(network, norms, split, networks, layout)
    try:
        yield
    finally:
        if not keep:
            for norm, (mean, variance) in zip(norms, previous, strict=True):
                _put(norm, mean, variance)


@torch.no_grad()
def _recompute(network: nn.Module, norms: list[nn.Module], split: Split, networks: int, layout: Layout) -> None:
    """Compute the statistics with norms in training mode and all else in evaluation mode; with momentum 1, a norm's running
    statistics are those of its batch.
    """
    training, momenta = network.training, [norm.momentum for norm in norms]
    network.eval()
    found: list[_Moments] = []
    hooks = []
    for norm in norms:
        mean, variance = _running(norm)
        moments = _Moments(0, torch.zeros_like(mean, dtype=_wide(mean)), torch.zeros_like(variance, dtype=_wide(mean)))
        found.append(moments)
        norm.train()
        norm.momentum = 1.0  # type: ignore[assignment]
        hooks.append(norm.register_forward_hook(_collect(moments)))
    try:
        for images in _images(split):
            images = images.contiguous(memory_format=memory_format(layout))
            network(images.repeat(1, networks, 1, 1))
    finally:
        for hook in hooks:
            hook.remove()
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        network.train(training)
    for norm, moments in zip(norms, found, strict=True):
        if moments.count:  # an op that was skipped, as in a dropped branch, has seen no image
            _put(norm, *moments.result())


def _wide(tensor: Tensor) -> torch.dtype:
    """Return the type of sums: float64 if the device supports it."""
    return torch.float32 if tensor.device.type == "mps" else torch.float64


def _collect(moments: _Moments) -> Collect:
    def collect(norm: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        (x,) = inputs
        values = x.numel() // x.shape[1]
        moments.add(values, *_running(norm), values * (shard().of if isinstance(norm, SyncedBatchNorm) else 1))

    return collect


def _images(split: Split) -> Iterator[Tensor]:
    """Yield batches of nearly equal size, since a norm cannot compute the statistics of a single value."""
    count = len(split.labels)
    chosen = torch.arange(count, device=split.labels.device)
    if count > MOST_IMAGES:
        chosen = chosen[torch.linspace(0, count - 1, MOST_IMAGES, device=chosen.device, dtype=torch.float64).long()]
    yield from split.batches(torch.tensor_split(chosen, max(1, -(-len(chosen) // BATCH))))


def _running(norm: nn.Module) -> tuple[Tensor, Tensor]:
    return norm.get_buffer("running_mean"), norm.get_buffer("running_var")


@torch.no_grad()
def _put(norm: nn.Module, mean: Tensor, variance: Tensor) -> None:
    for buffer, new in zip(_running(norm), (mean, variance), strict=True):
        buffer.copy_(new)
