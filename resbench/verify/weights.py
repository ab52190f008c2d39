"""Copies weights from one network to another by a pairing, and draws weights that reveal differences.

In an initialised network every norm multiplies by 1 and adds 0, so that a missing or misplaced activation may go unnoticed: with
gamma > 0 even a misplaced ReLU can hide in evaluation mode. So all per-channel values are redrawn, factors with both signs.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from resbench.verify.randomness import still
from resbench.verify.trace import bare


def tensors(network: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers by name."""
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}


@torch.no_grad()
def randomise(network: nn.Module, seed: int, images: Tensor) -> None:
    """Redraw biases, factors, running statistics and constant kernels in place; other kernels and matrices stay.

    Running statistics are set near those of `images`, so that no number overflows however deep the network is.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in tensors(network).items():
        if tensor.is_floating_point() and (len(bare(tensor.shape)) <= 1 or bool((tensor == tensor.flatten()[0]).all())):
            _draw(name.rpartition(".")[2], tensor, generator)
    norms = [m for m in network.modules() if isinstance(m, _BatchNorm) and m.running_var is not None]
    momenta, training = [norm.momentum for norm in norms], network.training
    for norm in norms:
        norm.momentum = 1.0
    with still(network, training=True):
        network(images)
    network.train(training)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        assert norm.running_mean is not None
        assert norm.running_var is not None
        spread = norm.running_var.sqrt()
        norm.running_mean += 0.3 * spread * torch.randn(spread.shape, generator=generator)
        norm.running_var *= 2.0 ** (2 * torch.rand(spread.shape, generator=generator) - 1)
        norm.running_var.clamp_(min=1e-3)  # a constant channel would be amplified, and rounding errors with it


def _draw(kind: str, tensor: Tensor, generator: torch.Generator) -> None:
    """Draw one tensor; factors have both signs and magnitudes from 1/4 to 4, so that bounded functions reach their bounds."""
    size = tensor.shape
    if len(bare(size)) > 1:
        tensor.copy_(torch.randn(size, generator=generator) / tensor[0].numel() ** 0.5)
    elif kind in ("bias", "running_mean"):
        tensor.copy_(0.3 * torch.randn(size, generator=generator))
    else:
        magnitude = 4.0 ** (2 * torch.rand(size, generator=generator) - 1)
        sign = 1.0 if kind == "running_var" else 2.0 * (torch.rand(size, generator=generator) < 0.5) - 1
        tensor.copy_(magnitude * sign)


@torch.no_grad()
def transfer(source: nn.Module, target: nn.Module, names: Mapping[str, str]) -> None:
    """Copy weights into `target`; `names`: the source's name for each of the target's."""
    source_tensors, target_tensors = tensors(source), tensors(target)
    for name, other in names.items():
        target_tensors[name].copy_(source_tensors[other].reshape(target_tensors[name].shape))
