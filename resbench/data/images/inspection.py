"""Every file of a data set, decoded once in full -> its sha256 and Finding; unreadable files are reported together.

Threads decode the files before the first epoch.  Findings are cached by the file's sha256 (data/images/decoded.py), so that a
file that was decoded before, in any folder, is only hashed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from resbench.data.image_files import ImageFiles, unreadable
from resbench.data.images.decoded import Decoded, Finding
from resbench.data.images.pixels import Rules, read_image, verify
from resbench.errors import Problem, Reason, SpecError

OnProgress = Callable[[int, int], None]
"""Called with the number of images done and the total."""
CHUNK = 512  # files between two reports of progress
MOST_NAMED = 200  # unreadable files in a message; the others are counted


def silent(done: int, total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Checksum and finding of each file, in the order of the paths; equal findings are one object."""

    sha256s: list[bytes] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def digests(self) -> Iterator[bytes]:
        """Yield each file's sha256; if a rule of ours changes its pixels, the rule is hashed too."""
        for digest, finding in zip(self.sha256s, self.findings, strict=True):
            yield sha256(digest + "\n".join(finding.changed).encode()).digest() if finding.changed else digest


_done: WeakKeyDictionary[ImageFiles, Inspection] = WeakKeyDictionary()


def inspect(files: ImageFiles, on_progress: OnProgress = silent) -> Inspection:
    """Inspect the files, once for each object. Raises SpecError that names every file that cannot be read."""
    if files not in _done:
        _done[files] = _inspect(files, on_progress)
    return _done[files]


def _inspect(files: ImageFiles, on_progress: OnProgress) -> Inspection:
    found, decoded, same = Inspection(), Decoded.of(files.rules), dict[Finding, Finding]()
    bad: list[str] = []
    with ThreadPoolExecutor(thread_name_prefix="inspect") as pool:
        for start in range(0, len(files), CHUNK):
            chunk = [*pool.map(partial(_inspect_file, files.rules, decoded), files.paths[start : start + CHUNK])]
            bad += [one.fault for one in chunk if one.fault]
            found.sha256s.extend(one.sha256 for one in chunk)
            found.findings.extend(same.setdefault(one.finding, one.finding) for one in chunk)
            decoded.keep((one.sha256, one.finding) for one in chunk if one.is_new)
            on_progress(min(start + CHUNK, len(files)), len(files))
    if bad:
        more = [f"and {len(bad) - MOST_NAMED} more"] if len(bad) > MOST_NAMED else []
        head = f"{len(bad)} of {len(files)} images cannot be read"
        raise SpecError([Problem(line) for line in (head, *bad[:MOST_NAMED], *more)])
    return found


@dataclass(frozen=True, slots=True)
class _Inspected:
    """The result for one file. `fault`: why it cannot be read as an image."""

    sha256: bytes
    finding: Finding
    is_new: bool
    fault: str = ""


def _inspect_file(rules: Rules, decoded: Decoded, path: Path) -> _Inspected:
    try:
        content = path.read_bytes()
        digest = sha256(content).digest()
        known = decoded.find(digest)
        return _Inspected(digest, known or _decode(content, rules), is_new=known is None)
    except OSError as error:
        fault = unreadable(path, Reason(error.strerror or str(error)))
    except Reason as fact:
        fault = unreadable(path, fact)
    return _Inspected(b"", Finding(b"", b""), is_new=False, fault=fault)


def _decode(content: bytes, rules: Rules) -> Finding:
    read = read_image(BytesIO(content), rules)
    pixels = np.asarray(read.image)
    noted = (*read.noted, "several") if verify(content) else read.noted
    low, high = (np.atleast_1d(of(pixels, (0, 1))).tobytes() for of in (np.min, np.max))
    return Finding(low, high, read.changed, noted)
