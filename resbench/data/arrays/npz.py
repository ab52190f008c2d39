"""A numpy file (.npz) -> its arrays, each compared with the file's size before anything is allocated for it; no pickles.

A header may claim any shape: the claimed size must be the entry's size in the archive, and that must be no more than deflate
can have packed into the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from resbench.errors import Reason
from resbench.escape import printable

MOST_BYTES = 2**35  # of one array
MOST_HEADER = 10_000  # bytes, as in numpy
MOST_ITEM = 4_000  # bytes of one value, which may be a string
_DEFLATE = 1032  # bytes that one packed byte can expand to, at most
_AT_ONCE = 2**24  # bytes that are read at a time
_HEADERS = {
    (1, 0): (2, npy.read_array_header_1_0),
    (2, 0): (4, npy.read_array_header_2_0),
}  # by version: bytes of the length


@dataclass(frozen=True, slots=True)
class Header:
    """The header of an array in the file. `start`: bytes of the entry before its values."""

    entry: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    start: int

    @property
    def count(self) -> int:
        return math.prod(self.shape)


def headers(path: Path) -> dict[str, Header]:
    """Return the header of every array, by name. Raises Reason if the file cannot be read."""
    found: dict[str, Header] = {}
    with _opened(path) as archive:
        entries = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        if sum(info.compress_size for info in entries) > path.stat().st_size:
            raise Reason(f"{path}: its entries claim more bytes than the file has")
        for info in entries:
            name = info.filename.removesuffix(".npy")
            if name in found:
                raise Reason(f"{path}: it contains `{printable(name)}` twice")
            found[name] = _header(archive, info, f"{path}: `{printable(name)}`")
    return found


def _header(archive: ZipFile, info: ZipInfo, where: str) -> Header:
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or info.flag_bits & 1:
        raise Reason(f"{where}: it is packed or encrypted in a way that numpy does not write")
    if info.file_size > _DEFLATE * info.compress_size + MOST_HEADER:
        raise Reason(f"{where}: {info.compress_size:,} packed bytes cannot hold the {info.file_size:,} that it claims")
    with archive.open(info) as file:
        try:
            shape, fortran, dtype = _described(file)
        except (ValueError, TypeError, SyntaxError, KeyError, RecursionError) as error:
            raise Reason(
                f"{where}: it is not a numpy array: {printable(str(error).partition(chr(10))[0], 200)}"
            ) from None
        start = file.tell()
    if dtype.hasobject or dtype.kind not in "buifU" or dtype.itemsize > MOST_ITEM:
        raise Reason(f"{where}: expected numbers or strings, got {printable(str(dtype))}")
    claimed = math.prod(shape) * dtype.itemsize
    if any(n < 0 for n in shape) or start + claimed != info.file_size:
        raise Reason(f"{where}: its header claims {claimed:,} bytes of values, and it has {info.file_size - start:,}")
    if claimed > MOST_BYTES:
        raise Reason(
            f"{where}: expected at most {MOST_BYTES:,} bytes, got {claimed:,}; use a folder of images, which is read on demand"
        )
    return Header(info.filename, shape, dtype, fortran, start)


def _described(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and type of the array that begins here, from a header of bounded length."""
    version = npy.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"version {version} of the format")
    digits, read = _HEADERS[version]
    length = _exactly(file, digits)
    n = int.from_bytes(length, "little")
    if n > MOST_HEADER:
        raise ValueError(f"a header of {n:,} bytes")
    return read(BytesIO(length + _exactly(file, n)), MOST_HEADER)


def parts(path: Path, header: Header) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the values in the order of the file, in parts, each with the number of values before it. Raises Reason."""
    width, done = header.dtype.itemsize, 0
    with _opened(path) as archive, archive.open(header.entry) as file:
        _exactly(file, header.start)
        while done < header.count:
            n = min(header.count - done, max(1, _AT_ONCE // max(1, width)))
            yield done, np.frombuffer(_exactly(file, n * width), header.dtype)
            done += n
        file.read(1)  # at the end the checksum is compared


def shaped(flat: NDArray[Any], header: Header) -> NDArray[Any]:
    """Values in the order of the file -> the array."""
    return flat.reshape(header.shape[::-1]).T if header.fortran else flat.reshape(header.shape)


def read_array(path: Path, header: Header) -> NDArray[Any]:
    """Return the whole array. Raises Reason if the file is cut or altered."""
    flat: NDArray[Any] = np.empty(header.count, header.dtype)
    for done, part in parts(path, header):
        flat[done : done + len(part)] = part
    return shaped(flat, header)


def _exactly(file: IO[bytes], n: int) -> bytes:
    content = file.read(n)
    if len(content) < n:
        raise ValueError("the entry ends too early")
    return content


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    try:
        with ZipFile(path) as archive:
            yield archive
    except (BadZipFile, ZlibError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Reason(
            f"{path} is not a numpy file (.npz), or is damaged: {str(error) or type(error).__name__}"
        ) from None
    except OSError as error:
        raise Reason(f"{path} cannot be read: {error.strerror or error}") from None
