"""The sum of the norms of the loss gradient over the parameters.  Abdelfattah et al. 2021, arXiv:2101.08134"""

from __future__ import annotations

from torch.nn import functional as F

from resbench.theory.proxy import ProxyInput, proxy


@proxy("grad_norm")
def grad_norm(start: ProxyInput) -> float:
    F.cross_entropy(start.network(start.images), start.labels).backward()  # type: ignore[no-untyped-call]
    return sum(float(p.grad.norm()) for p in start.network.parameters() if p.grad is not None)
