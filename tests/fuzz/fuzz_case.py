"""One family of broken input -> its cases, each under an alarm, with what the slowest took and what memory grew by."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType

from resbench.errors import DatabaseError, ResbenchError

FULL = os.environ.get("RESBENCH_FUZZ") == "full"
CHUNKS = 40  # a test each, so that two cores share them
HANGS_S = 300  # no speed is asked for: what takes this long never ends
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes of ru_maxrss


def cases(chunk: int, sample: int, full: int) -> range:
    """The cases of a chunk: of so many in the suite, of so many in `make fuzz`."""
    return range(chunk, full if FULL else sample, CHUNKS)


def chunks(sample: int) -> range:
    return range(min(CHUNKS, sample))


@dataclass(slots=True)
class Figures:
    """What the cases of one family took. `grew_mib`: by how much one of them at most raised the memory of its process."""

    family: str
    cases: int = 0
    slowest_s: float = 0.0
    slowest: int = 0
    grew_mib: float = 0.0

    @contextmanager
    def case(self, number: int) -> Iterator[Random]:
        """Give the random numbers of a case; whatever fails within says which case it was, and what never ends fails."""
        before, start = largest_mib(), time.perf_counter()
        signal.signal(signal.SIGALRM, _hangs)
        signal.alarm(HANGS_S)
        try:
            yield Random(f"{self.family} {number}")
        except BaseException as error:
            error.add_note(f"{self.family}, case {number}")
            raise
        finally:
            signal.alarm(0)
            took = time.perf_counter() - start
            if took > self.slowest_s:
                self.slowest_s, self.slowest = took, number
            self.cases += 1
            self.grew_mib = max(self.grew_mib, largest_mib() - before)

    def add(self, other: Figures) -> None:
        """Those of other cases of the same family."""
        if other.slowest_s > self.slowest_s:
            self.slowest_s, self.slowest = other.slowest_s, other.slowest
        self.cases += other.cases
        self.grew_mib = max(self.grew_mib, other.grew_mib)


def largest_mib() -> float:
    """The most memory that the process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / 2**20


def _hangs(signum: int, frame: FrameType | None) -> None:
    raise RuntimeError(f"not done after {HANGS_S} s: it hangs")


def ended(way: Callable[[], object], *names: str) -> str | None:
    """How something ended: None in success, else the text of an error of ours, which names one of the files; where it says that a
    file is wrong, it is the first.
    """
    try:
        way()
    except ResbenchError as error:
        text, named = str(error), names[:1] if isinstance(error, DatabaseError) else names
        if not any(name in text for name in named):
            raise AssertionError(f"a message without its file: {type(error).__name__}: {text}") from error
        return text
    return None


@contextmanager
def noted(change: str) -> Iterator[None]:
    """Whatever fails within also says what was changed."""
    try:
        yield
    except BaseException as error:
        error.add_note(change)
        raise


@contextmanager
def kept(folder: Path) -> Iterator[Path]:
    """A folder for one case; what is written beside it fails."""
    case = folder / "case"
    case.mkdir()
    beside = {path.name for path in folder.iterdir()}
    try:
        yield case
        assert {path.name for path in folder.iterdir()} == beside, "something was written outside of the folder"
    finally:
        for path in sorted(case.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        case.rmdir()
