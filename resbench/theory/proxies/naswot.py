"""log |det K|, where K counts the ReLUs that are open or closed for both of two images.  Mellor et al. 2021, arXiv:2006.04647"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from resbench.ops.activations.relu import Relu
from resbench.theory.proxy import ProxyInput, proxy


@proxy("naswot")
def naswot(start: ProxyInput) -> float:
    count = len(start.images)
    kernel = torch.zeros(count, count, dtype=torch.float64)

    def see(module: nn.Module, inputs: Any, output: Tensor) -> None:
        code = (output.detach().flatten(1) > 0).double()
        kernel.add_(code @ code.T + (1 - code) @ (1 - code).T)

    for module in start.network.modules():
        if isinstance(module, Relu):
            module.register_forward_hook(see)
    with torch.no_grad():
        start.network(start.images)
    return float(torch.linalg.slogdet(kernel).logabsdet)
