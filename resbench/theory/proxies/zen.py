"""The sensitivity of the features before the head to a small change of a noise image.  Lin et al. 2021, arXiv:2102.01063

log |f(x) - f(x + 0.01 e)| plus the logs of the standard deviations in batch norms; shortcuts are kept, which the paper removes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from resbench.ops.normalization.bn import BatchNorm
from resbench.theory.proxy import ProxyInput, proxy

STEP = 0.01


@proxy("zen")
def zen(start: ProxyInput) -> float:
    network = start.network
    deviations: list[float] = []

    def see(module: nn.Module, inputs: Any, output: Any) -> None:
        variance = inputs[0].detach().var(dim=(0, *range(2, inputs[0].dim())), unbiased=False).mean()
        deviations.append(0.5 * float(torch.log(variance + 1e-12)))

    hooks = [m.register_forward_hook(see) for m in network.modules() if isinstance(m, BatchNorm)]
    generator = torch.Generator().manual_seed(0)
    noise, change = (torch.randn(start.images.shape, generator=generator) for _ in range(2))
    with torch.no_grad():
        plain = _features(network, noise)
        for hook in hooks:
            hook.remove()
        moved = _features(network, noise + STEP * change)
    return float(torch.log((plain - moved).abs().mean() + 1e-30)) + sum(deviations)


def _features(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    x = network.get_submodule("stem")(x)
    for stage in network.get_submodule("stages").children():
        x = stage(x)
    return x
