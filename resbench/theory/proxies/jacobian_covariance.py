"""The diversity of the images' input gradients, from the eigenvalues of their correlation.  Mellor et al.
2020, arXiv:2006.04647v1
"""

from __future__ import annotations

import torch

from resbench.theory.proxy import ProxyInput, proxy

SMALL = 1e-5


@proxy("jacobian_covariance")
def jacobian_covariance(start: ProxyInput) -> float:
    images = start.images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(start.network(images).sum(), images)
    values = torch.linalg.eigvalsh(torch.corrcoef(gradient.flatten(1).double())).clamp(min=0)
    return -float((torch.log(values + SMALL) + 1 / (values + SMALL)).sum())
