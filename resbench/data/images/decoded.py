"""A file's sha256 -> the Finding of an earlier decoding, cached in `$RESBENCH_CACHE`, else in ~/.cache/resbench.

The cache has a line for each file, its checksum first; lines are only appended, so several processes may write, and a truncated
line is ignored.  If the folder cannot be written, nothing is cached and files are decoded again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import PIL

from resbench.data.images.pixels import Rules

LAYOUT = 1  # version of the lines, and of what decoding finds


@dataclass(frozen=True, slots=True)
class Finding:
    """Facts about one image file. `low`, `high`: per channel, before resizing. `changed`, `noted`: see data/images/pixels.py."""

    low: bytes
    high: bytes
    changed: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()


def cache_folder() -> Path:
    named = os.environ.get("RESBENCH_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "resbench"


@dataclass(slots=True)
class Decoded:
    """The findings for one set of reading rules and one version of Pillow."""

    folder: Path
    known: dict[str, dict[bytes, Finding]] = field(default_factory=dict)  # by the first digit of the checksum

    @staticmethod
    def of(rules: Rules) -> Decoded:
        rules_digest = sha256(f"{LAYOUT} {PIL.__version__} {rules}".encode()).hexdigest()[:16]
        return Decoded(cache_folder() / "decoded" / rules_digest)

    def find(self, digest: bytes) -> Finding | None:
        first = digest.hex()[0]
        if first not in self.known:
            self.known[first] = self._load(first)
        return self.known[first].get(digest)

    def keep(self, found: Iterable[tuple[bytes, Finding]]) -> None:
        by_first: dict[str, list[str]] = {}
        for digest, finding in found:
            by_first.setdefault(digest.hex()[0], []).append(_line(digest, finding))
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            for first, lines in by_first.items():
                with (self.folder / first).open("ab") as file:
                    file.write("".join(lines).encode())

    def _load(self, first: str) -> dict[bytes, Finding]:
        try:
            content = (self.folder / first).read_bytes()
        except OSError:
            return {}
        return dict(filter(None, map(_entry, content.split(b"\n"))))


def _line(digest: bytes, finding: Finding) -> str:
    words = [digest.hex(), finding.low.hex(), finding.high.hex(), ";".join(finding.changed), ";".join(finding.noted)]
    text = "\t".join(words)
    return f"{crc32(text.encode()):08x}\t{text}\n"


def _entry(line: bytes) -> tuple[bytes, Finding] | None:
    check, _, text = line.partition(b"\t")
    if check != f"{crc32(text):08x}".encode():
        return None
    digest, low, high, changed, noted = text.decode().split("\t")
    lists = [tuple(words.split(";")) if words else () for words in (changed, noted)]
    return bytes.fromhex(digest), Finding(bytes.fromhex(low), bytes.fromhex(high), *lists)
