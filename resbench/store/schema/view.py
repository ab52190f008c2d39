"""The definition of a view, and the columns that several views have.  stdlib only, so that `query` starts fast."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """A view. `columns` are (name, description) pairs in their order; a test checks that they equal those of the SQL."""

    name: str
    comment: str
    columns: tuple[tuple[str, str], ...]
    sql: str


STUDY = ("study", "name of the study")
UNIT = ("unit", "what tables show: the unit's name and the choices made")
DIGEST = ("digest", "digest of the architecture")
DATA = (
    ("network", "name of the network"),
    ("recipe", "name of the recipe"),
    ("recipe_digest", "digest of the recipe"),
    ("data", "name of the data set"),
    ("data_digest", "digest of the data set"),
)
COST = (
    ("params", "trainable parameters"),
    ("macs", "multiply-accumulates for one image of this data set; NULL where not measured"),
)
