"""Image files -> pixels on demand: uint8 BCHW, decoded by threads ahead of their use.

The largest square in the middle of each image is resized to one size (bicubic, antialiased). Pillow's decoders release Python's
global lock, so threads decode in parallel and no further process is needed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from resbench.data.images.pixels import Rules, read_image
from resbench.errors import BadInput, Reason
from resbench.escape import printable

AHEAD = 2  # batches that are decoded while one is in use
_LONGEST = 1000  # characters of a path in a message


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ImageFiles:
    paths: tuple[Path, ...]
    size: int
    rules: Rules = field(default_factory=Rules)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return len(self.paths), self.rules.channels, self.size, self.size

    def batches(self, chosen: Iterable[Tensor]) -> Iterator[Tensor]:
        """Yield the images at the positions of each batch. Raises BadInput with the name of a file that is not an image."""
        pool = ThreadPoolExecutor(thread_name_prefix="decode")
        ahead: deque[list[Future[Tensor]]] = deque()
        try:
            for positions in chosen:
                ahead.append([pool.submit(self.read, position) for position in positions.tolist()])
                if len(ahead) > AHEAD:
                    yield torch.stack([image.result() for image in ahead.popleft()])
            while ahead:
                yield torch.stack([image.result() for image in ahead.popleft()])
        finally:  # the caller may stop before the end
            pool.shutdown(cancel_futures=True)

    def read(self, position: int) -> Tensor:
        """Return one image, CHW."""
        path = self.paths[position]
        try:
            return chw(read_image(path, self.rules).image, (self.size, self.size))
        except Reason as fact:
            raise BadInput(unreadable(path, fact)) from None


def chw(image: Image.Image, size: tuple[int, int]) -> Tensor:
    """An image of mode L or RGB -> uint8 CHW, its middle resized to (width, height)."""
    pixels = torch.from_numpy(np.array(ImageOps.fit(image, size)))
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)


def unreadable(path: Path, fact: Reason) -> str:
    return f"{printable(str(path), _LONGEST)} cannot be read as an image: {fact}"
