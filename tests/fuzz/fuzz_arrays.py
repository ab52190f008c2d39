"""An npz of numpy's and a seed -> the archive with something broken in it: bytes, members, or what an array says of itself."""

from __future__ import annotations

import io
import random
import struct
import zipfile

from fuzz_weights import archive_of, broken_bytes

MAGIC = b"\x93NUMPY"
DESCRIPTIONS = ("'|u1'", "'<i8'", "'>i8'", "'<f4'", "'<f8'", "'<c8'", "'|b1'", "'|O'", "'<U7'", "'|S7'", "'|V9'", "'<M8[ns]'",
                "'x'", "3", "None", "[('a', '<i4'), ('b', '|u1')]", "'<u2'", "'" + "i" * 300 + "'")  # fmt: skip
SHAPES = ("()", "(0,)", "(1,)", "(2, 2)", "(-1,)", "(10, 1, 8, 8)", "(4294967296, 4294967296)", "(1000000000000,)", "(1.5,)",
          "'x'", "(" + "1, " * 70 + ")", "(True,)", "3", "(None,)")  # fmt: skip
NAMES = (
    "images.npy",
    "labels.npy",
    "train.npy",
    "val.npy",
    "test.npy",
    "x.npy",
    "images",
    "../x.npy",
    "/x.npy",
    "é.npy",
    "a" * 300,
)


def npz_file(raw: bytes, rng: random.Random) -> bytes:
    """`raw`: an archive that is not broken."""
    for _ in range(rng.choice([1, 1, 1, 2])):
        raw = rng.choice([broken_bytes, _arrays, _arrays, _arrays, _others])(raw, rng)
    return raw


def _others(raw: bytes, rng: random.Random) -> bytes:
    """The archive with members gone, renamed, doubled, packed in another way; or no archive."""
    members = _members(raw)
    if not members or rng.random() < 0.1:
        return rng.choice(
            [b"", b"PK\x05\x06" + bytes(18), MAGIC + b"\x01\x00", raw[: len(raw) // 2], b"x", bytes(1000)]
        )
    n = rng.randrange(len(members))
    kind = rng.randrange(5)
    if kind == 0:
        del members[n]
    elif kind == 1:
        members[n] = rng.choice(NAMES), members[n][1]
    elif kind == 2:
        other = rng.randrange(len(members))
        members[n], members[other] = (members[n][0], members[other][1]), (members[other][0], members[n][1])
    elif kind == 3:
        members.append((rng.choice(NAMES), rng.choice([b"", b"x", members[n][1]])))
    return archive_of(
        members, rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    )


def _arrays(raw: bytes, rng: random.Random) -> bytes:
    """One array with another type, shape, order, length or header."""
    members = _members(raw)
    if not members:
        return raw
    n = rng.randrange(len(members))
    name, content = members[n]
    kind = rng.randrange(6)
    header, data = _split(content)
    if kind == 0:
        header = header.replace(
            b"'descr': " + _value(header, b"'descr': "), b"'descr': " + rng.choice(DESCRIPTIONS).encode(), 1
        )
    elif kind == 1:
        header = header[: header.find(b"'shape': ")] + b"'shape': " + rng.choice(SHAPES).encode() + b", }"
    elif kind == 2:
        header = header.replace(b"False", rng.choice([b"True", b"None", b"'x'", b"()"]), 1)
    elif kind == 3:
        half, long = header[: len(header) // 2], header + b" " * 70_000
        header = rng.choice([b"", b"{", b"{}", b"[]", b"(" * 3000, b"\xff\xfe", b"None", half, long])
    elif kind == 4:
        part, mixed = data[: rng.randrange(len(data) + 1)], bytes(rng.sample(data, len(data)))
        data = rng.choice([part, mixed, b"", data * 2, data + b"\0", bytes(len(data)), b"\xff" * len(data)])
    else:
        data = (
            b"".join(struct.pack("<q", rng.choice([-1, 0, 1, 10, 2**40, -(2**63)])) for _ in range(len(data) // 8))
            or data
        )
    version = rng.choice([1, 1, 1, 1, 1, 2, 3, 9])
    size = struct.pack("<H" if version == 1 else "<I", min(len(header), 65535))
    members[n] = (
        name,
        rng.choice([content, b""] if rng.random() < 0.05 else [MAGIC + bytes([version, 0]) + size + header + data]),
    )
    return archive_of(members, zipfile.ZIP_STORED)


def _members(raw: bytes) -> list[tuple[str, bytes]]:
    """Nothing where it is no archive any more."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:  # of what is broken already, zipfile and its decompressors raise anything
        return []


def _split(content: bytes) -> tuple[bytes, bytes]:
    """The header of an array, a dict of Python's as text, and its numbers."""
    size = int.from_bytes(content[8:10], "little")
    return content[10 : 10 + size], content[10 + size :]


def _value(header: bytes, key: bytes) -> bytes:
    return header.partition(key)[2].partition(b",")[0]
