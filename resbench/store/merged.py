"""What came of merging one database into another: counts, and where the two do not agree."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Conflict:
    """Both say it of the same thing; `stands` is what the first said. None where a value is sealed or not there."""

    what: str
    column: str
    stands: object
    other: object


@dataclass(slots=True)
class Merged:
    """Of one database. `runs_replaced`: a failed one there gave way to a finished one from here."""

    source: str
    runs_added: int = 0
    runs_replaced: int = 0
    runs_there: int = 0
    studies_added: list[str] = field(default_factory=list)
    studies_joined: list[str] = field(default_factory=list)
    studies_renamed: dict[str, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
