"""K batches of B images one after the other (float (K B)CHW, normalised), a generator for each -> the same augmented.

One draw an image. Each network of a stack has a generator of its own, so that its images are those that it has alone. Draws
are made where the generators live: CPU generators give the same images on every device, and on a GPU the host waits for the
copy of the draws; with generators on the batch's own device nothing waits. Same generator states, same images. Where B images are
a part of a batch, the draws are those that the part has in the whole. pad_crop returns plain BCHW memory, whatever it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample
from torch.nn.functional import pad as pad_edges

from resbench.errors import BadInput
from resbench.random_streams import WHOLE, Shard


def pad_crop(x: Tensor, pad: int, generators: Sequence[Generator], part: Shard = WHOLE) -> Tensor:
    """Return zeros around each image, `pad` pixels wide, and a crop of the original size at a random place of each.

    The zeros are the mean colour, x being normalised.  He et al. 2016, arXiv:1512.03385, section 4.2 (pad 4)
    """
    if isinstance(pad, bool) or not isinstance(pad, int) or pad < 0:
        raise BadInput(f"`pad` of `pad_crop` must be a whole number of pixels, 0 or more, not {pad!r}")
    batch, channels, height, width = x.shape
    corner = _draw(2 * pad + 1, (2, batch // len(generators), 1), generators, 1, part).to(x.device)
    rows = corner[0] + torch.arange(height, device=x.device)
    columns = corner[1] + torch.arange(width, device=x.device)
    image = torch.arange(batch, device=x.device)[:, None, None, None]
    channel = torch.arange(channels, device=x.device)[None, :, None, None]
    return pad_edges(x, (pad, pad, pad, pad))[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


def flip(x: Tensor, generators: Sequence[Generator], part: Shard = WHOLE) -> Tensor:
    """Left and right exchanged in each image with probability 1/2."""
    chosen = _draw(2, (len(x) // len(generators), 1, 1, 1), generators, 0, part).to(x.device)
    return torch.where(chosen == 1, x.flip(3), x)


def cutout(x: Tensor, size: int, generators: Sequence[Generator], part: Shard = WHOLE) -> Tensor:
    """Return a square of zeros, the mean colour, around a random pixel of each image.  DeVries & Taylor 2017,
    arXiv:1708.04552
    """
    batch, _, height, width = x.shape
    middle = [_draw(n, (batch // len(generators), 1), generators, 0, part).to(x.device) for n in (height, width)]
    inside = [
        (torch.arange(n, device=x.device) >= at - size // 2)
        & (torch.arange(n, device=x.device) < at - size // 2 + size)
        for n, at in zip((height, width), middle, strict=True)
    ]
    return x.masked_fill((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0.0)


def random_resized_crop(
    x: Tensor,
    scale: tuple[float, float],
    ratio: tuple[float, float],
    generators: Sequence[Generator],
    part: Shard = WHOLE,
) -> Tensor:
    """Return a crop of random area and shape at a random place of each image, brought to the old size (bilinear).

    `scale`: bounds of its part of the area; `ratio`: of width over height, even in the logarithm; a side longer than the
    image's is cut to it.  Szegedy et al. 2015, arXiv:1409.4842
    """
    batch, _, height, width = x.shape
    n = batch // len(generators)
    uniform = [torch.rand((4, n * part.of), generator=g, device=g.device)[:, part.own(n)] for g in generators]
    area, shape, right, down = torch.cat(uniform, 1).to(x.device, x.dtype)
    area = scale[0] + (scale[1] - scale[0]) * area
    log = [math.log(bound) for bound in ratio]
    shape = torch.exp(log[0] + (log[1] - log[0]) * shape) * height / width
    across, along = (area * shape).sqrt().clamp(max=1), (area / shape).sqrt().clamp(max=1)  # parts of width and height
    zero = torch.zeros_like(area)
    rows = (
        torch.stack([across, zero, (1 - across) * (2 * right - 1)], 1),
        torch.stack([zero, along, (1 - along) * (2 * down - 1)], 1),
    )
    grid = affine_grid(torch.stack(rows, 1), list(x.shape), align_corners=False)
    return grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _draw(below: int, shape: tuple[int, ...], generators: Sequence[Generator], axis: int, part: Shard) -> Tensor:
    """Whole numbers from 0; those of one generator after the other along the axis of the images."""
    n = shape[axis]
    every = (*shape[:axis], n * part.of, *shape[axis + 1 :])
    drawn = [torch.randint(below, every, generator=g, device=g.device) for g in generators]
    return torch.cat([each.narrow(axis, part.rank * n, n) for each in drawn], axis)


AUGMENTATIONS: dict[str, Callable[..., Tensor]] = {
    "pad_crop": pad_crop, "flip": flip, "cutout": cutout, "random_resized_crop": random_resized_crop,
}  # fmt: skip
"""By the name a recipe uses. Called with the batch, the recipe's options by name, `generators` and `part` by name."""
