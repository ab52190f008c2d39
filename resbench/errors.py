"""The exception tree: each class has the exit status of the command line.

    ResbenchError            1  some cells failed, or anything not named below
    ├── BadInput             2  a file, an argument or a name that cannot be used; nothing was written
    │   ├── SpecError        2  problems in YAML files, each with its place
    │   ├── Conflicts        2  files to be merged that contradict each other
    │   ├── WeightsError     2  weights that do not fit a network
    │   ├── SpaceTooLarge    2  more values or points than can be enumerated
    │   └── TooLarge         2  a network that needs more memory than the device has
    ├── PluginError          3  a plugin that fails
    │   └── PlacedPluginError  3  a plugin that fails where a spec file uses it
    ├── DatabaseError        4  a database that is missing, corrupt, foreign, read-only or of another schema
    │   └── DatabaseUnavailable  4  one that does not answer now: locked, restarting, no connection left
    ├── StorageError         5  no room, or a folder that cannot be written
    ├── StudyInterrupted   130  a study that SIGINT ended (143: SIGTERM), with every finished run saved
    └── LeaseLost            1  a write under a lease that another process has taken over; nothing was written

Low-level code raises `Reason` (a short sentence, no place); the public function that knows the place turns it into a `Problem`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING


class ResbenchError(Exception):
    """Base of every error that a user may see. Its text is complete: it says where, what was given and what is allowed."""

    exit_status = 1
    several_lines = False  # whether its text has several lines, each of which is made of printable texts


class BadInput(ResbenchError):  # noqa: N818  (it is the input that is bad)
    exit_status = 2


class SpaceTooLarge(BadInput):
    """There are more values or points than can be enumerated."""


class Conflicts(BadInput):
    """Files contradict each other; the text has one conflict per line."""

    several_lines = True


class WeightsError(BadInput):
    """Weights do not fit a network; the text has one tensor per line."""

    several_lines = True


class TooLarge(BadInput):
    """A network needs more memory than the device has; nothing was allocated."""


class PluginError(ResbenchError):
    exit_status = 3


class PlacedPluginError(PluginError):
    """A plugin fails where a spec file uses it; the text is that of a Problem, with the source line and a caret."""

    several_lines = True


class DatabaseError(ResbenchError):
    exit_status = 4


class DatabaseUnavailable(DatabaseError):  # noqa: N818  (it may answer again)
    """The database does not answer now; the same request may succeed later."""


class StorageError(ResbenchError):
    exit_status = 5


class StudyInterrupted(ResbenchError):  # noqa: N818  (somebody wanted it)
    """A study was ended by SIGINT or SIGTERM: what was under way is kept, and the same call goes on with the rest.

    Attributes:
        saved: Runs that were saved by this call.
        total: Runs that it was to train; 0 where another process knows.
        unreturned: Cells that could not be given back, and are queued again when their leases end.
    """

    def __init__(self, study: str, status: int, saved: int, total: int = 0, unreturned: int = 0) -> None:
        self.exit_status = status
        self.saved, self.total, self.unreturned = saved, total, unreturned
        of = f" of {total} new" if total else ""
        super().__init__(f"study {study}: interrupted: {saved}{of} runs are saved; the same call goes on with the rest")


class LeaseLost(ResbenchError):  # noqa: N818  (nothing went wrong: somebody else does the work)
    pass


class Reason(Exception):  # noqa: N818  (it is no error until somebody adds the place)
    """A short sentence from low-level code, without a place; it never reaches a user as it is."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a source file; line and column count from 1; `text` is that line, for the caret."""

    file: str
    line: int
    column: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a file, shown as `file:line:col: path: message`, the source line and a caret."""

    message: str
    path: str = ""
    place: Place | None = None

    def __str__(self) -> str:
        head = ": ".join(part for part in (str(self.place or ""), self.path, self.message) if part)
        if self.place is None or not self.place.text.strip():
            return head
        return f"{head}\n{_snippet(self.place)}"


class SpecError(BadInput):
    """Every problem found in one or more spec files, in the order of the files."""

    several_lines = True

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def _snippet(place: Place, width: int = 120) -> str:
    """Return the source line with a caret under the column, cut to a window when the line is very long."""
    text = "".join(c if c.isprintable() else " " for c in place.text.rstrip("\n"))
    start = max(0, place.column - 1 - width // 2) if len(text) > width else 0
    window = text[start : start + width]
    return f"    {window}\n    {' ' * (place.column - 1 - start)}^"


_RENAMED = {"Fact": "Reason", "Endless": "SpaceTooLarge", "Unavailable": "DatabaseUnavailable", "Fenced": "LeaseLost"}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> type[Exception]:
        if name not in _RENAMED:
            raise AttributeError(f"module `resbench.errors` has no attribute `{name}`")
        warnings.warn(f"resbench.errors.{name} is now {_RENAMED[name]}", DeprecationWarning, stacklevel=2)
        return globals()[_RENAMED[name]]
