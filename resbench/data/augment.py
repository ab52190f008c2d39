"""A batch (float BCHW, normalised) and a generator -> the batch augmented (BCHW), one draw per image, on its device.

Draws are made where the generator lives. A CPU generator gives the same images on every device, and on a GPU the host
waits for the copy of the draws; with a generator on the batch's own device nothing waits. Same generator state, same images.
pad_crop returns plain BCHW memory, whatever memory format it is given.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad as pad_edges

from resbench.errors import BadInput


def pad_crop(x: Tensor, pad: int, generator: Generator) -> Tensor:
    """Zeros around each image, `pad` pixels wide, and a crop of the original size at a random place of each.

    The zeros are the mean colour, x being normalised.  He et al. 2016, arXiv:1512.03385, section 4.2 (pad 4)
    """
    if isinstance(pad, bool) or not isinstance(pad, int) or pad < 0:
        raise BadInput(f"`pad` of `pad_crop` must be a whole number of pixels, 0 or more, not {pad!r}")
    batch, channels, height, width = x.shape
    corner = torch.randint(0, 2 * pad + 1, (2, batch, 1), generator=generator, device=generator.device).to(x.device)
    rows = corner[0] + torch.arange(height, device=x.device)
    columns = corner[1] + torch.arange(width, device=x.device)
    image = torch.arange(batch, device=x.device)[:, None, None, None]
    channel = torch.arange(channels, device=x.device)[None, :, None, None]
    return pad_edges(x, (pad, pad, pad, pad))[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


def flip(x: Tensor, generator: Generator) -> Tensor:
    """Left and right exchanged in each image with probability 1/2."""
    chosen = torch.randint(0, 2, (len(x), 1, 1, 1), generator=generator, device=generator.device).to(x.device)
    return torch.where(chosen == 1, x.flip(3), x)


AUGMENTATIONS: dict[str, Callable[..., Tensor]] = {"pad_crop": pad_crop, "flip": flip}
"""By the name a recipe uses. Called with the batch, the recipe's options by name, and `generator` by name."""
