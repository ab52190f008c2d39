"""Sum of |parameter x its gradient|, all parameters made positive, for an image of ones.  Tanaka et al. 2020, arXiv:2006.05467

It is computed in evaluation mode, in which batch norm has its initial statistics; in float64 and as log10, since it reaches 1e61
in deep networks.
"""

from __future__ import annotations

from math import log10

import torch

from resbench.theory.proxy import ProxyInput, proxy


@proxy("synflow_log10")
def synflow(start: ProxyInput) -> float:
    network = start.network.double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    network(torch.ones_like(start.images[:1], dtype=torch.float64)).sum().backward()
    total = sum(float((p.detach() * p.grad).abs().sum()) for p in network.parameters() if p.grad is not None)
    return log10(total) if total > 0 else float("nan")
