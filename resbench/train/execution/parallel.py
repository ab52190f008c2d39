"""A Training on every rank -> one training: gradients are averaged over ranks, norms use the statistics of the whole batch.

The numbers are then those of one process, except for rounding. With `devices` in the recipe, each rank's norms use the statistics
of its own part, as is usual; that changes the numbers, so it is part of the recipe's identity.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from resbench.errors import BadInput
from resbench.ops.normalization.bn import BatchNorm
from resbench.ops.parameter import Random
from resbench.train.execution.ranks import all_reduce_sum, shard
from resbench.train.step import Training


class SyncedBatchNorm(nn.Module):
    """A batch norm whose mean and variance are over the images of all ranks; parameters and buffers are the norm's own.

    Torch's own class supports only CUDA.
    """

    def __init__(self, norm: BatchNorm) -> None:
        super().__init__()
        self.eps, self.momentum = norm.eps, norm.momentum
        self.weight, self.bias = norm.weight, norm.bias
        for name, buffer in norm.named_buffers():
            self.register_buffer(name, buffer)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x; in training, statistics have at least the precision of float32, as in torch."""
        if not self.training:
            running = self.get_buffer("running_mean"), self.get_buffer("running_var")
            return nn.functional.batch_norm(x, *running, self.weight, self.bias, False, 0.0, self.eps)
        with torch.autocast(x.device.type, enabled=False):
            return self.by_batch(x.float() if x.dtype == torch.bfloat16 else x).to(x.dtype)

    def by_batch(self, x: Tensor) -> Tensor:
        axes = [axis for axis in range(x.dim()) if axis != 1]
        shape = [1, -1, *[1] * (x.dim() - 2)]
        n = x.numel() // x.shape[1] * shard().of
        mean = _total(x.sum(axes)) / n
        centred = x - mean.view(shape)
        variance = _total(centred.square().sum(axes)) / n
        with torch.no_grad():
            running = self.get_buffer("running_mean"), self.get_buffer("running_var")
            for kept, new in zip(running, (mean, variance * (n / max(1, n - 1))), strict=True):
                kept.lerp_(new.to(kept.dtype), self.momentum)
        factor = self.weight * (variance + self.eps).rsqrt()
        result: Tensor = centred * factor.view(shape) + self.bias.view(shape)
        return result


class _Total(torch.autograd.Function):
    """The sum over all ranks. Each rank's loss depends on it, so its gradient is the sum over ranks too."""

    @staticmethod
    def forward(ctx: object, tensor: Tensor) -> Tensor:
        return all_reduce_sum(tensor.clone())

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return all_reduce_sum(gradient.clone())


def _total(tensor: Tensor) -> Tensor:
    total: Tensor = _Total.apply(tensor)
    return total


def as_one(what: Training) -> Training:
    """Wrap a training for several ranks; a single rank is unchanged. Raises BadInput if batch statistics cannot be shared."""
    own = shard()
    if own.of == 1:
        return what
    network = what.stacked.network
    if what.recipe.devices is None:
        _share_statistics(network)
    skips = False
    for module in network.modules():
        if isinstance(module, Random):
            module.part = own
            skips = skips or module.on_host
    device = next(network.parameters()).device
    run = DistributedDataParallel(
        network,
        device_ids=[device] if device.type == "cuda" else None,
        find_unused_parameters=skips,
        gradient_as_bucket_view=True,
    )
    return replace(what, run=run)


def _share_statistics(network: nn.Module) -> None:
    for path, module in list(network.named_modules()):
        if isinstance(module, BatchNorm):
            parent, _, name = path.rpartition(".")
            setattr(network.get_submodule(parent), name, SyncedBatchNorm(module))
        elif any(name == "running_mean" for name, _ in module.named_buffers(recurse=False)):
            raise BadInput(
                f"{path} ({type(module).__name__}) keeps statistics of a batch that several processes cannot share; with "
                f"`devices: {shard().of}` in the recipe each has its own"
            )
