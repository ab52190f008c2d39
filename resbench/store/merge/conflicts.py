"""What came of merging one database into another: counts, and where the two do not agree."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Conflict:
    """Both say it of the same thing; `stands` is what the first said. None where a value is sealed or not there."""

    what: str
    column: str
    stands: object
    other: object


@dataclass(slots=True)
class MergeReport:
    """Of one database. `runs_replaced`: a failed one there gave way to a finished one from here; `replaced`: their ids."""

    source: str
    runs_added: int = 0
    runs_replaced: int = 0
    runs_there: int = 0
    studies_added: list[str] = field(default_factory=list)
    studies_joined: list[str] = field(default_factory=list)
    studies_renamed: dict[str, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    replaced: set[int] = field(default_factory=set, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return what a person asks for: all but the ids."""
        return {key: value for key, value in asdict(self).items() if key != "replaced"}
