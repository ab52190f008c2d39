"""Images, labels and splits -> one compressed npz; the same arrays give the same bytes.

`numpy.savez_compressed` keeps the machine's byte order and leaves the level to zlib's default. Another build of zlib
may still pack differently; the digest of the data set is over the pixels and does not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from resbench.files import write

DTYPES = {"images": "|u1", "labels": "<i8", "train": "<i8", "val": "<i8", "test": "<i8"}
Arrays = Mapping[str, NDArray[np.uint8] | NDArray[np.int64]]


def write_archive(path: Path, arrays: Arrays, *, force: bool = False) -> str:
    """Write `images` (B C H W), `labels` (B), `train`, `val` and `test`; return the file's sha256. Raises as `files.write`."""
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        for name, dtype in DTYPES.items():
            content = BytesIO()
            array = np.ascontiguousarray(arrays[name].astype(dtype))
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            member = ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # else the operating system that made the file is in it
            member.external_attr = 0o644 << 16
            archive.writestr(member, content.getvalue(), compress_type=ZIP_DEFLATED, compresslevel=9)
    write(path, packed.getvalue(), force=force)
    return sha256(packed.getvalue()).hexdigest()
