"""Image files -> pixels when they are asked for: uint8 BCHW, decoded by threads ahead of their use.

Of each image the largest square in its middle, brought to one size (bicubic, antialiased). The decoders of Pillow leave Python's
lock alone, so threads work side by side and need no process of their own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from resbench.errors import BadInput

AHEAD = 2  # batches that are decoded while one is used
_FAULTS = (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError)  # that Pillow raises
MODES = {1: "L", 3: "RGB"}


@dataclass(frozen=True, slots=True, eq=False)
class Files:
    """`channels`: 3 of colour, 1 of grey."""

    paths: tuple[Path, ...]
    size: int
    channels: int = 3

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return len(self.paths), self.channels, self.size, self.size

    def batches(self, chosen: Iterable[Tensor]) -> Iterator[Tensor]:
        """The images at the positions of each batch. Raises BadInput with the name of a file that is no image."""
        pool = ThreadPoolExecutor(thread_name_prefix="decode")
        ahead: deque[list[Future[Tensor]]] = deque()
        try:
            for positions in chosen:
                ahead.append([pool.submit(self.read, position) for position in positions.tolist()])
                if len(ahead) > AHEAD:
                    yield torch.stack([image.result() for image in ahead.popleft()])
            while ahead:
                yield torch.stack([image.result() for image in ahead.popleft()])
        finally:  # whoever asked may have enough before the end
            pool.shutdown(cancel_futures=True)

    def read(self, position: int) -> Tensor:
        """One image, CHW."""
        path = self.paths[position]
        try:
            with Image.open(path) as file:
                image = ImageOps.fit(file.convert(MODES[self.channels]), (self.size, self.size))
        except _FAULTS as error:
            raise _unreadable(path, error) from None
        pixels = torch.from_numpy(np.array(image))
        return pixels[None] if self.channels == 1 else pixels.permute(2, 0, 1)

    def digests(self) -> Iterator[bytes]:
        """sha256 of each file's bytes, in order. Raises BadInput where one cannot be read or is damaged, as far as it says so."""
        with ThreadPoolExecutor() as pool:
            yield from pool.map(_digest, self.paths)


def _digest(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        with Image.open(BytesIO(content)) as image:
            image.verify()
    except _FAULTS as error:
        raise _unreadable(path, error) from None
    return sha256(content).digest()


def _unreadable(path: Path, error: Exception) -> BadInput:
    why = "cannot identify image file" if isinstance(error, UnidentifiedImageError) else str(error)
    return BadInput(f"{path} cannot be read as an image: {why}")
