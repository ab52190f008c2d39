"""A network's weights and a seed -> a file of weights with something broken in it: safetensors, or what torch saves."""

from __future__ import annotations

import io
import json
import pathlib
import pickletools
import random
import zipfile
from collections import OrderedDict
from typing import Any

import torch
from fuzz_mutations import change_value
from safetensors.torch import save
from torch import Tensor

Named = dict[str, Tensor]
LENGTHS = (0, 1, 7, 8, 100, 2**16, 2**31, 2**40, 2**63, 2**64 - 1)
DTYPES = ("F64", "F32", "F16", "BF16", "I64", "I32", "U8", "BOOL", "F8_E4M3", "F4", "C64", "X", "", None, 3)
SIZES = ([], [0], [1], [2, 3, 3, 3], [-1], [2**32, 2**32], [2**63], [10**30], "x", None, [1.5], [[1]], [1] * 200)


def safetensors_file(weights: Named, rng: random.Random) -> bytes:
    raw = save(weights, {"from": "fuzz"})
    for _ in range(rng.choice([1, 1, 2])):
        raw = rng.choice([_header, _header, _header, _length, broken_bytes, broken_bytes])(raw, rng)
    return raw


def torch_file(weights: Named, rng: random.Random) -> bytes:
    """As torch saves now, as it did before 1.6, and things that are no state dict."""
    state = _odd_state(weights, rng) if rng.random() < 0.4 else weights
    old = rng.random() < 0.25
    raw = torch_bytes(state, old=old)
    for _ in range(rng.choice([0, 1, 1, 2]) if state is not weights else rng.choice([1, 1, 2])):
        raw = (broken_bytes if old or rng.random() < 0.3 else _members)(raw, rng)
    return raw


def torch_bytes(state: Any, *, old: bool = False) -> bytes:
    """`old`: as torch saved before 1.6."""
    file = io.BytesIO()
    torch.save(state, file, _use_new_zipfile_serialization=not old)
    return file.getvalue()


def broken_bytes(raw: bytes, rng: random.Random) -> bytes:
    """Bytes changed, cut off, put in or doubled; most of them at the start or the end, where there is structure."""
    if not raw:
        return rng.randbytes(20)
    data = bytearray(raw)
    kind = rng.randrange(5)
    at = rng.choice(
        [rng.randrange(len(raw)), rng.randrange(min(len(raw), 400)), len(raw) - 1 - rng.randrange(min(len(raw), 400))]
    )
    if kind <= 1:
        for _ in range(rng.choice([1, 1, 4, 30])):
            data[min(len(data) - 1, at + rng.randrange(40))] = rng.choice([rng.randrange(256), 0, 0xFF])
    elif kind == 2:
        del data[rng.choice([at, len(data) - rng.randrange(1, 30)]) :]
    elif kind == 3:
        data[at:at] = rng.choice([rng.randbytes(9), bytes(64), b"PK\x03\x04", b"\x80\x02", b"."])
    else:
        data[at : at + 50] = data[at : at + 50] * 2
    return bytes(data)


def _length(raw: bytes, rng: random.Random) -> bytes:
    length = rng.choice([*LENGTHS, len(raw), len(raw) - 8, int.from_bytes(raw[:8], "little") + rng.choice([-1, 1, 8])])
    return (length % 2**64).to_bytes(8, "little") + raw[8:]


def _header(raw: bytes, rng: random.Random) -> bytes:
    """What the header says of tensors: names, types, shapes, where they are; or anything."""
    end = 8 + int.from_bytes(raw[:8], "little")
    try:
        header: Any = json.loads(raw[8:end])
        name = rng.choice(list(header))
        tensor = header[name]
        kind = rng.randrange(7)
        if kind == 0:
            change_value(header, rng)
        elif kind == 1:
            header[rng.choice(["", "x", "\x1b[31m", "a" * 3000, "../x", "__metadata__", "1", "é"])] = header.pop(name)
        elif kind == 2:
            del header[name]
        elif kind == 3:
            tensor["dtype"] = rng.choice(DTYPES)
        elif kind == 4:
            tensor["shape"] = rng.choice(SIZES)
        elif kind == 5:
            start, stop = tensor["data_offsets"]
            tensor["data_offsets"] = rng.choice(
                [[stop, start], [start, stop + 4], [-1, stop], [start], [0, 2**63], [start, start], "x"]
            )
        else:
            other = rng.choice(list(header))
            header[other], header[name] = header[name], header[other]
        text = json.dumps(header, default=str).encode("utf-8", "surrogatepass")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return raw
    if rng.random() < 0.1:
        text = rng.choice(
            [text * 2, text[:-1], b"[" * 5000, b"", b"null", b"\xff" + text, text.replace(b":", b":NaN,", 1)]
        )
    return len(text).to_bytes(8, "little") + text + raw[end:]


def _members(raw: bytes, rng: random.Random) -> bytes:
    """The archive with another pickle in it, or with members gone, doubled, renamed, packed, cut off."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError):
        return raw
    if not members:
        return raw
    n = rng.randrange(len(members))
    name, content = members[n]
    kind, packed = rng.randrange(9), zipfile.ZIP_STORED
    pickled = next((i for i, (one, _) in enumerate(members) if one.endswith("data.pkl")), None)
    if kind <= 3 and pickled is not None:
        members[pickled] = members[pickled][0], _pickle(members[pickled][1], rng)
    elif kind == 4:
        del members[n]
    elif kind == 5:
        members[n] = (
            rng.choice([name + "x", "x/" + name, "data.pkl", "archive/data/0", "../x", "constants.pkl"]),
            content,
        )
    elif kind == 6:
        packed = zipfile.ZIP_DEFLATED
    elif kind == 7:
        members[n] = name, rng.choice([content[:-1], b"", content * 2, content + b"\0", b"big", b"x"])
    else:
        members.append(rng.choice([(name, content), ("archive/constants.pkl", b"x"), ("byteorder", b"big")]))
    return archive_of(members, packed)


def archive_of(members: list[tuple[str, bytes]], compression: int) -> bytes:
    """The same bytes at any time of day; of two of one name, which zipfile warns of, the last."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in dict(members).items():
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            archive.writestr(info, content)
    return out.getvalue()


def _pickle(raw: bytes, rng: random.Random) -> bytes:
    """Numbers and names in the pickle changed: sizes of tensors, where they begin, how many there are."""
    if rng.random() < 0.3:
        return broken_bytes(raw, rng)
    try:
        found = [(at, op.name) for op, _, at in pickletools.genops(raw) if at is not None]
    except (ValueError, IndexError):
        return broken_bytes(raw, rng)
    data = bytearray(raw)
    whole = [(at, name) for at, name in found if name in ("BININT1", "BININT2", "BININT", "BINGET", "BINPUT")]
    for at, name in rng.sample(whole, min(len(whole), rng.choice([1, 1, 3]))):
        size = {"BININT2": 2, "BININT": 4}.get(name, 1)
        value = rng.choice([0, 1, 255, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), rng.randrange(256)])
        data[at + 1 : at + 1 + size] = (value % 2 ** (8 * size)).to_bytes(size, "little")
    if rng.random() < 0.2:
        names = (
            b"FloatStorage",
            b"HalfStorage",
            b"LongStorage",
            b"_rebuild_tensor_v2",
            b"OrderedDict",
            b"cpu",
            b"storage",
        )
        others = (
            b"HalfStorage",
            b"ByteStorage",
            b"ComplexFloatStorage",
            b"_rebuild_parameter",
            b"deque",
            b"xpu",
            b"meta",
            b"cuda:99",
        )
        return bytes(data).replace(rng.choice(names), rng.choice(others), 1)
    return bytes(data)


def _odd_state(weights: Named, rng: random.Random) -> Any:
    """Something that torch can save and that is no state dict of this network, or just so one."""
    name, tensor = rng.choice([*weights.items()])
    return rng.choice([
        lambda: [tensor], lambda: tensor, lambda: None, lambda: 7, lambda: "text", lambda: {}, lambda: {"state_dict": weights},
        lambda: {"state_dict": None}, lambda: {"state_dict": {"state_dict": weights}}, lambda: OrderedDict(weights),
        lambda: {**weights, 7: tensor}, lambda: {**weights, "more": tensor}, lambda: {**weights, name: None},
        lambda: {**weights, name: tensor.tolist()}, lambda: {**weights, name: tensor.to(torch.complex64)},
        lambda: {**weights, name: tensor.half()}, lambda: {**weights, name: tensor > 0}, lambda: {**weights, name: tensor.long()},
        lambda: {**weights, name: tensor.to_sparse()}, lambda: {**weights, name: tensor.to("meta")},
        lambda: {**weights, name: torch.nn.Parameter(tensor.float())}, lambda: {**weights, name: torch.zeros(0, 3)},
        lambda: {**weights, name: tensor.float().expand(3, *tensor.shape)}, lambda: {**weights, name: tensor * float("nan")},
        lambda: {**weights, "\x1b[31m" * 50: tensor}, lambda: {**weights, name: pathlib.PurePosixPath("x")},
        lambda: {key: value for key, value in weights.items() if key != name}, lambda: {**weights, name: torch.zeros(0)},
        lambda: {key.upper(): value for key, value in weights.items()}, lambda: {**weights, name: weights},
    ])()  # fmt: skip
