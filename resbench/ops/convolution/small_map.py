"""A convolution over a map that its window covers, computed as a matrix product.  B (K C) H W -> B (K out) H' W'

Kernels for convolutions are made for large maps: at 2x2 this is three times as fast on a CPU, forward and backward.
Every output pixel may depend on every input pixel, so no computation is wasted.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from resbench.ops.convolution.window import Pair


def covered(size: tuple[int, ...], window: tuple[int, ...]) -> bool:
    """Return whether a map has at most as many pixels as a window has taps: then the product costs no more than the
    convolution.

    >>> covered((2, 2), (3, 3)), covered((4, 4), (3, 3)), covered((2, 2), (1, 1))
    (True, False, False)
    """
    return 1 < size[0] * size[1] <= window[0] * window[1]


def pays(x: Tensor, weight: Tensor) -> bool:
    """Return whether the product is faster: on a CPU, and not under torch.compile, which generates its own kernels."""
    small = covered(x.shape[2:], weight.shape[2:])
    return small and x.device.type == "cpu" and not torch.compiler.is_compiling()


def product(x: Tensor, weight: Tensor, groups: int, *, stride: Pair, padding: Pair, dilation: Pair) -> Tensor:
    """Return F.conv2d without a bias, computed as a matrix product."""
    batch, _, *size = x.shape
    out, of_group, *window = weight.shape
    taps, *size_out = _taps((size[0], size[1]), (window[0], window[1]), stride, padding, dilation)
    matrix = (weight.flatten(2) @ taps.to(weight).flatten(1)).view(groups, out // groups, of_group, *taps.shape[1:])
    matrix = matrix.permute(0, 2, 3, 1, 4).reshape(groups, of_group * taps.shape[1], -1)
    rows = x.reshape(batch, groups, -1).transpose(0, 1)
    return torch.bmm(rows, matrix).transpose(0, 1).reshape(batch, out, *size_out)


@lru_cache(maxsize=64)
def _taps(size: Pair, window: Pair, stride: Pair, padding: Pair, dilation: Pair) -> tuple[Tensor, int, int]:
    """Return a mask (taps, pixels in, pixels out), 1 where an output pixel sees an input pixel through a tap, and
    height and width out.
    """
    by_axis = []
    for n, k, s, p, d in zip(size, window, stride, padding, dilation, strict=True):
        out = (n + 2 * p - d * (k - 1) - 1) // s + 1
        tap, pixel = torch.arange(k)[:, None, None], torch.arange(n)[None, :, None]
        by_axis.append((torch.arange(out)[None, None] * s + d * tap - p == pixel).float())
    rows, columns = by_axis
    both = torch.einsum("tio,ujp->tuijop", rows, columns)
    return both.reshape(window[0] * window[1], size[0] * size[1], -1), rows.shape[2], columns.shape[2]
