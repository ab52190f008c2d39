"""What a view is, and the columns that several have.  stdlib only, so that `query` starts fast."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """A view: `columns` are (name, what it is) in their order; a test holds them equal to the SQL's."""

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
