"""An IDX file (`.gz` or not) -> uint8 array, B or B H W.  The format of MNIST (LeCun, Cortes & Burges 1998)."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resbench.errors import BadInput


def read_idx(folder: Path, name: str) -> NDArray[np.uint8]:
    """Read `name` or `name.gz` from a folder. Raises BadInput if neither exists or the file is not a valid IDX file of bytes."""
    plain, packed = folder / name, folder / f"{name}.gz"
    try:
        content = plain.read_bytes() if plain.is_file() else gzip.decompress(packed.read_bytes())
    except FileNotFoundError:
        raise BadInput(f"neither {name} nor {name}.gz is in {folder}") from None
    except (OSError, EOFError) as error:
        raise BadInput(f"{packed} cannot be read: {error}") from None
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise BadInput(
            f"{name} in {folder} is not an IDX file of bytes: it starts with {content[:4].hex() or 'nothing'}"
        )
    n_axes = content[3]
    start = 4 + 4 * n_axes
    shape = struct.unpack(f">{n_axes}I", content[4:start]) if len(content) >= start else ()
    if not shape or len(content) - start != np.prod(shape, dtype=np.int64):
        raise BadInput(f"{name} in {folder} is cut or damaged: {len(content)} bytes for an array of shape {shape}")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
