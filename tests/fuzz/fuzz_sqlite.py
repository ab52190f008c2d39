"""An SQLite file and a seed -> the file with something changed in it: bytes, pages, header, rows or schema."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from fuzz_rows import change_json, change_rows, take_rules_away
from fuzz_schema import change_master, change_schema

# (offset, size) of the fields of the header; file format, 1.3.
HEADER = ((16, 2), (18, 1), (19, 1), (20, 1), (21, 1), (22, 1), (23, 1), (24, 4), (28, 4), (32, 4), (36, 4), (40, 4), (44, 4),
          (48, 4), (52, 4), (56, 4), (60, 4), (64, 4), (68, 4), (72, 20), (92, 4), (96, 4))  # fmt: skip
NUMBERS = (0, 1, 2, 3, 4, 100, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)


def mutate_file(path: Path, rng: random.Random) -> str:
    """Change the file in place; what was done, in words. One to three changes, most of them of rows."""
    kinds = (_bytes, _pages, _header, change_rows, change_json, change_schema, change_master, take_rules_away)
    return "; ".join(
        change(path, rng) for change in rng.choices(kinds, [3, 2, 2, 5, 4, 4, 3, 4], k=rng.choice([1, 1, 1, 2, 3]))
    )


def _bytes(path: Path, rng: random.Random) -> str:
    """Single bytes, most of them where there is structure: the header, the schema, the first bytes of pages."""
    raw = bytearray(path.read_bytes())
    page = max(512, int.from_bytes(raw[16:18], "big"))
    for _ in range(rng.choice([1, 1, 2, 8, 50])):
        start = rng.choice([0, rng.randrange(len(raw)) // page * page, rng.randrange(len(raw))])
        at = min(len(raw) - 1, start + rng.choice([rng.randrange(12), rng.randrange(200), rng.randrange(page)]))
        raw[at] = rng.choice([raw[at] ^ 1 << rng.randrange(8), rng.randrange(256), 0, 0xFF])
    path.write_bytes(raw)
    return "bytes changed"


def _pages(path: Path, rng: random.Random) -> str:
    raw = path.read_bytes()
    page = rng.choice([max(512, int.from_bytes(raw[16:18], "big")), 512, rng.randrange(1, 4096)])
    pages = [raw[at : at + page] for at in range(0, len(raw), page)]
    i, j = rng.randrange(len(pages)), rng.randrange(len(pages))
    kind = rng.choice(["swapped", "doubled", "zeroed", "filled", "shuffled", "gone", "cut off", "longer", "put in"])
    if kind == "swapped":
        pages[i], pages[j] = pages[j], pages[i]
    elif kind == "doubled":
        pages[i] = pages[j]
    elif kind == "zeroed":
        pages[i] = bytes(page)
    elif kind == "filled":
        pages[i] = rng.randbytes(page)
    elif kind == "shuffled":
        pages[i] = bytes(rng.sample(pages[i], len(pages[i])))
    elif kind == "gone":
        del pages[i]
    elif kind == "cut off":
        pages = [b"".join(pages)[: rng.choice([i * page, rng.randrange(len(raw)), rng.randrange(120)])]]
    elif kind == "longer":
        pages.append(rng.choice([bytes(page), rng.randbytes(page), b"".join(pages)]))
    else:
        pages.insert(i, pages[j])
    path.write_bytes(b"".join(pages))
    return f"pages of {page} bytes {kind}"


def _header(path: Path, rng: random.Random) -> str:
    raw = bytearray(path.read_bytes().ljust(100, b"\0"))
    offset, size = rng.choice(HEADER)
    value = rng.choice(
        [*NUMBERS, rng.randrange(2**32), int.from_bytes(raw[offset : offset + 4], "big") + rng.choice([-1, 1, 8])]
    )
    raw[offset : offset + size] = struct.pack(">I", value % 2**32)[-min(size, 4) :].rjust(size, b"\0")
    if rng.random() < 0.5:
        raw[92:96] = raw[24:28]  # the page count counts
    path.write_bytes(raw)
    return f"header byte {offset}"
