"""A kind of file and a library -> its JSON Schema (2020-12), for editors: `resbench schema unit`.

Every key, op and argument is described. A file that the schema accepts may still be wrong (names of nodes, shapes); a
file that it refuses is wrong. The ops and blocks that may be named are the library's, those of plugins among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from resbench.escape import json_text
from resbench.json_schema.editor import finished
from resbench.json_schema.network import network_schema
from resbench.json_schema.recipe import recipe_schema
from resbench.json_schema.references import name_schemas
from resbench.json_schema.study import study_schema
from resbench.json_schema.unit import block_schema, unit_schema
from resbench.json_schema.values import Schema, common_schemas
from resbench.language.library.library import Library

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MAKERS: Mapping[str, tuple[Callable[[Library], Schema], tuple[str, ...]]] = {  # with the kinds of files that it names
    "unit": (unit_schema, ("unit",)),
    "block": (block_schema, ("block",)),
    "network": (network_schema, ("network", "unit")),
    "recipe": (recipe_schema, ("recipe",)),
    "study": (study_schema, ("study", "network", "unit", "recipe")),
}
KINDS = tuple(_MAKERS)


def make_schema(kind: str, library: Library) -> Schema:
    """Return the schema of a kind of file, one of KINDS."""
    make, named = _MAKERS[kind]
    made = make(library)
    head = {"$schema": DIALECT, "title": f"resbench {kind}", "description": f"A {kind}'s YAML file."}
    schema: Schema = finished(
        {**head, **made, "$defs": {**common_schemas(), **name_schemas(library, named), **made["$defs"]}}
    )
    return schema


def schema_text(kind: str, library: Library) -> str:
    return json_text(make_schema(kind, library), indent=1, ascii_only=False) + "\n"
