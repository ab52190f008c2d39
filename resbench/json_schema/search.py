"""Describe how a study searches: the JSON Schema of `search`, and of the entries of `units` that generate units,
`arrange` and `mutate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from resbench.json_schema.editor import Schema, either
from resbench.json_schema.references import if_used
from resbench.language.generate.mutations import MAX_COUNT, MAX_EDITS
from resbench.language.generate.orderings import CHANGES, MAX_OPS, MERGES, PLACES, RULES
from resbench.language.study.search import SearchSpec, Use, keys_for

_SEARCH = {
    "use": "How points are found: all of them (grid), at random, by a model (tpe, cma_es, gp), by evolution (evolution, nsga2, "
    "nsga3), or all to the first of some rungs (halving, hyperband).",
    "seed": "The seed of everything that the search draws at random.",
    "seeds": "Runs of each point with which the search selects; the study's own seeds evaluate the finalists.",
    "finalists": "The number of points that are evaluated in the end.",
    "batch": "Points that are proposed at a time.",
    "start": "Points drawn at random before a model is fitted.",
    "population": "The number of newest points that may have children.",
    "sample": "The number of them that are drawn; the best of these has a child.",
    "eta": "The factor by which the next rung is longer and has fewer points.",
    "from": "Epochs of the first rung.",
    "prune": "When a run is stopped before its end.",
}
_PRUNE = {
    "use": "median: above the median of earlier points at that epoch; patience: no better for some epochs.",
    "from": "The first epoch at which a run may be stopped.",
    "after": "Points that must have reached an epoch before its median counts.",
    "epochs": "Epochs without a better one.",
    "by": "Points of val error by which it has to be better.",
}


def arrange_schema() -> Schema:
    return {
        "type": "object",
        "description": "A unit for each order of the ops on the branch, on the shortcut and after the addition.",
        "properties": {
            "ops": {"type": "array", "items": {"type": ["string", "object"]}, "minItems": 1, "maxItems": MAX_OPS,
                    "description": "The ops, each as often as it is to be used; `conv` is conv3x3."},
            "around": {"enum": list(MERGES), "default": "add", "description": "The op that joins branch and shortcut."},
            "places": _list_of(PLACES, "Where ops may stand."),
            "rules": _list_of(tuple(RULES), "Rules that every arrangement keeps."),
            "change": {"enum": list(CHANGES), "default": "pad", "description": "The shortcut where the shape changes."},
        },
        "required": ["ops"],
        "additionalProperties": False,
    }  # fmt: skip


def mutate_schema() -> Schema:
    return {
        "type": "object",
        "description": "Edits of a unit: an op inserted, deleted, exchanged or replaced, or the end of an edge moved.",
        "properties": {
            "unit": {"$ref": "#/$defs/unit_name"},
            "ops": {"type": "array", "items": {"type": ["string", "object"]}, "description": "The ops that edits insert."},
            "edits": {"type": "integer", "minimum": 1, "maximum": MAX_EDITS, "default": 3, "description": "At most."},
            "count": {"type": "integer", "minimum": 1, "maximum": MAX_COUNT, "default": 20,
                      "description": "The number of different mutants that a grid tries; a search draws its own."},
            "seed": {"type": "integer", "minimum": 0, "default": 0, "description": "The seed of the mutants that a grid tries."},
        },
        "required": ["unit"],
        "additionalProperties": False,
    }  # fmt: skip


def _list_of(allowed: Sequence[str], description: str) -> Schema:
    return {"type": "array", "items": {"enum": list(allowed)}, "minItems": 1, "description": description}


def search_schema() -> Schema:
    """Return the schema of a search: a name, or `{use: name, key: value}`."""
    schema = SearchSpec.model_json_schema(by_alias=True)
    prune = schema["$defs"]["Prune"]["properties"]
    own = {key: without_title(value) | {"description": _SEARCH[key]} for key, value in schema["properties"].items()}
    own["prune"] = {
        "type": "object", "description": _SEARCH["prune"], "required": ["use"], "additionalProperties": False,
        "properties": {key: without_title(value) | {"description": _PRUNE[key]} for key, value in prune.items()},
    }  # fmt: skip
    mapping = {
        "title": "search",
        "properties": {"use": own["use"]},
        "required": ["use"],
        "allOf": [_rule(use, own) for use in get_args(Use)],
    }
    return {"description": _SEARCH["use"], "default": "grid", **either("search", own["use"], mapping)}


def _rule(use: str, own: Mapping[str, Schema]) -> Schema:
    """Return the schema of the keys beside `use`."""
    known = {key: own[key] for key in keys_for(use) if key != "use"}
    return if_used(use, {"properties": {"use": True, **known}, "additionalProperties": False})


def without_title(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "title"}
