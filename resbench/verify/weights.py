"""A network and a pairing -> weights over; and weights that hide nothing.

Of freshly made networks every norm multiplies by 1 and adds 0, so that an activation on the wrong side of it, or none, may not
show: with gamma > 0 even a misplaced ReLU can hide in evaluation mode. So all that is one number a channel is drawn anew, factors
of both signs.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from resbench.verify.trace import bare

_RANDOM = ("dropout", "stochasticdepth", "droppath", "dropblock", "dropbranch", "randommix")


def tensors(network: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name."""
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}


@torch.no_grad()
def randomise(network: nn.Module, seed: int) -> None:
    """Draw biases, factors and running statistics anew, in place; kernels and matrices stay."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in tensors(network).items():
        if len(bare(tensor)) > 1 or not tensor.is_floating_point():
            continue
        size, last = tensor.shape, name.rpartition(".")[2]
        spread = torch.rand(size, generator=generator) + 0.5
        if last in ("bias", "running_mean"):
            tensor.copy_(0.3 * torch.randn(size, generator=generator))
        elif last == "running_var":
            tensor.copy_(spread)
        else:
            tensor.copy_(spread * (2.0 * (torch.rand(size, generator=generator) < 0.5) - 1))


@torch.no_grad()
def transfer(source: nn.Module, target: nn.Module, names: Mapping[str, str]) -> None:
    """Copy into `target`; `names`: the source's for each of the target's."""
    have, want = tensors(source), tensors(target)
    for name, other in names.items():
        want[name].copy_(have[other].reshape(want[name].shape))


def still(network: nn.Module) -> int:
    """Put what is random into evaluation mode, the rest as it is; how many modules that were."""
    found = [m for m in network.modules() if type(m).__name__.lower().startswith(_RANDOM)]
    for module in found:
        module.eval()
    return len(found)
