"""The result of merging one database into another: counts, and the values on which the two do not agree."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value on which two databases differ: `kept` is that of the first. None where a value is sealed or missing."""

    what: str
    column: str
    kept: object
    other: object

    def as_json(self) -> dict[str, object]:
        return {"what": self.what, "column": self.column, "stands": self.kept, "other": self.other}


@dataclass(slots=True)
class MergeReport:
    """The report on one merged database. `runs_replaced` counts runs that were replaced by better ones of the source; `replaced`
    holds their ids.
    """

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
        """Return the report as plain data, without the ids."""
        values = {key: value for key, value in asdict(self).items() if key != "replaced"}
        return values | {"conflicts": [conflict.as_json() for conflict in self.conflicts]}
