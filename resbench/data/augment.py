"""K batches of B images in a row (float (K B)CHW, normalised), a generator for each -> the augmented images.

Each image has its own draw. Each network of a stack has its own generator, so that it gets the images it gets when trained
alone. Draws are made on the generators' device: CPU generators give the same images on every device, but on a GPU the host
waits for the copy of the draws; with generators on the batch's own device nothing waits. The same generator states give the
same images. Where B images are a part of a batch, the draws are those of the part in the whole. pad_crop always returns
contiguous BCHW memory.
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
    """Pad each image with `pad` pixels of zeros and crop it to its original size at a random place.

    The zeros are the mean colour, x being normalised.  He et al. 2016, arXiv:1512.03385, section 4.2 (pad 4)
    """
    if isinstance(pad, bool) or not isinstance(pad, int) or pad < 0:
        raise BadInput(f"`pad` of `pad_crop` must be a whole number of pixels, 0 or more, got {pad!r}")
    batch, channels, height, width = x.shape
    corner = _draw(2 * pad + 1, (2, batch // len(generators), 1), generators, 1, part).to(x.device)
    rows = corner[0] + torch.arange(height, device=x.device)
    columns = corner[1] + torch.arange(width, device=x.device)
    image = torch.arange(batch, device=x.device)[:, None, None, None]
    channel = torch.arange(channels, device=x.device)[None, :, None, None]
    return pad_edges(x, (pad, pad, pad, pad))[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


def flip(x: Tensor, generators: Sequence[Generator], part: Shard = WHOLE) -> Tensor:
    """Flip each image horizontally with probability 1/2."""
    flipped = _draw(2, (len(x) // len(generators), 1, 1, 1), generators, 0, part).to(x.device)
    return torch.where(flipped == 1, x.flip(3), x)


def cutout(x: Tensor, size: int, generators: Sequence[Generator], part: Shard = WHOLE) -> Tensor:
    """Set a square around a random pixel of each image to zero, the mean colour.  DeVries & Taylor 2017,
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
    """Crop each image to a random area and aspect ratio at a random place, and resize it to its old size (bilinear).

    `scale`: bounds of the fraction of the area; `ratio`: bounds of width over height, uniform in the logarithm; a side longer
    than the image's is cut to it.  Szegedy et al. 2015, arXiv:1409.4842
    """
    batch, _, height, width = x.shape
    n = batch // len(generators)
    uniform = [torch.rand((4, n * part.of), generator=g, device=g.device)[:, part.own(n)] for g in generators]
    area, shape, right, down = torch.cat(uniform, 1).to(x.device, x.dtype)
    area = scale[0] + (scale[1] - scale[0]) * area
    log = [math.log(bound) for bound in ratio]
    shape = torch.exp(log[0] + (log[1] - log[0]) * shape) * height / width
    across, along = (
        (area * shape).sqrt().clamp(max=1),
        (area / shape).sqrt().clamp(max=1),
    )  # fractions of width and height
    zero = torch.zeros_like(area)
    rows = (
        torch.stack([across, zero, (1 - across) * (2 * right - 1)], 1),
        torch.stack([zero, along, (1 - along) * (2 * down - 1)], 1),
    )
    grid = affine_grid(torch.stack(rows, 1), list(x.shape), align_corners=False)
    return grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _draw(below: int, shape: tuple[int, ...], generators: Sequence[Generator], axis: int, part: Shard) -> Tensor:
    """Draw integers from 0 to below `below`; the draws of the generators are concatenated along the axis of the images."""
    n = shape[axis]
    every = (*shape[:axis], n * part.of, *shape[axis + 1 :])
    drawn = [torch.randint(below, every, generator=g, device=g.device) for g in generators]
    return torch.cat([each.narrow(axis, part.rank * n, n) for each in drawn], axis)


AUGMENTATIONS: dict[str, Callable[..., Tensor]] = {
    "pad_crop": pad_crop, "flip": flip, "cutout": cutout, "random_resized_crop": random_resized_crop,
}  # fmt: skip
"""The augmentations by their name in a recipe. By name, each takes the recipe's options, `generators` and `part`."""
