"""A library -> JSON Schema of a unit's and of a block's file."""

from __future__ import annotations

from collections.abc import Iterable

from resbench.json_schema.editor import if_list, offer
from resbench.json_schema.ops import op_schemas
from resbench.json_schema.params import domain, param_schema, params_schema
from resbench.json_schema.references import head_schemas
from resbench.json_schema.values import EXPRESSION, NAME, Schema, legal_name, ops_schema, texts, whole_schema
from resbench.language.graph.body import MAX_NODES
from resbench.language.graph.unit import MAX_INPUTS
from resbench.language.library.library import Library
from resbench.language.names import MEANINGS, UNIT_NAMES


def unit_schema(library: Library) -> Schema:
    boundary: Schema = {
        "type": "object",
        "description": "The properties that a network may read from its unit.",
        "properties": {
            "layers": whole_schema("Weight layers in F, by which a network counts its depth.", 1, default=2),
            "expansion": whole_schema("Width out over width inside: 4 for a bottleneck.", 1, default=1),
            "after_stem": ops_schema("The ops that the unit needs behind the stem: [bn, relu] for the original unit."),
            "after_last": ops_schema(
                "The ops that the unit needs behind the last unit: [bn, relu] for full pre-activation."
            ),
        },
        "additionalProperties": False,
    }
    return _graph(library, "unit", {"boundary": boundary}, ("x",))


def block_schema(library: Library) -> Schema:
    inputs: Schema = {
        "type": "array", "items": legal_name(["y"]), "minItems": 1, "maxItems": MAX_INPUTS, "uniqueItems": True,
        "description": "Names of the sources, in the order in which they are given; by default only x.", "default": ["x"],
    }  # fmt: skip
    return _graph(library, "block", {"inputs": inputs}, ())


def _graph(library: Library, kind: str, more: dict[str, Schema], inputs: Iterable[str]) -> Schema:
    """Return the schema that units and blocks share."""
    nodes: Schema = {
        "type": "object", "propertyNames": legal_name(inputs), "maxProperties": MAX_NODES,
    }  # fmt: skip
    given_by_a_rule = {
        "type": "array",
        "contains": {
            "type": "object", "properties": {"nodes": {"type": "object", "required": ["y"]}}, "required": ["nodes"],
        },
    }  # fmt: skip
    return {
        "type": "object",
        "properties": {
            **head_schemas(kind),
            "params": params_schema(("out", "stride") if kind == "block" else ()),
            **more,
            "nodes": {
                **nodes,
                "additionalProperties": {**_node(inputs), "required": ["from", "ops"]},
                "description": "The graph: each node reads others and applies a list of ops; `x` enters, `y` is the result.",
            },
            "when": {
                "type": "array",
                "description": "Rules in order: where one holds, its nodes get another `from` or `ops`, or are added.",
                "items": {
                    "type": "object",
                    "title": "rule",
                    "properties": {
                        "if": {"type": ["string", "boolean"], "description": _known("An expression without `$( )`.")},
                        "nodes": {
                            **nodes,
                            "additionalProperties": {**_node(inputs), "minProperties": 1},
                            "description": "The changes: `from` or `ops` of a node, or a new node with both.",
                        },
                    },
                    "required": ["if", "nodes"],
                    "additionalProperties": False,
                },
            },
        },
        "required": [kind],
        "additionalProperties": False,
        "if": {"anyOf": [{"required": ["extends"]}, {"properties": {"when": given_by_a_rule}, "required": ["when"]}]},
        "else": {"required": ["nodes"], "properties": {"nodes": {"type": "object", "required": ["y"]}}},
        "$defs": {**op_schemas(library, in_unit=True), "param": param_schema(), "domain": domain(default=True)},
    }  # fmt: skip


def _node(inputs: Iterable[str]) -> Schema:
    source = texts(NAME, EXPRESSION, message="a node's name, or an expression that stands for one, is needed")
    known = dict.fromkeys(inputs, "The input of the graph.")
    return {
        "type": "object",
        "title": "node",
        "properties": {
            "from": {
                **source, "type": ["string", "array"], **if_list(offer(source, known), {"minItems": 1}),
                **offer({}, known),
                "description": "The node that is read, or a list of nodes; several go to the first op, in order.",
            },
            "ops": {"$ref": "#/$defs/ops"},
        },
        "additionalProperties": False,
    }  # fmt: skip


def _known(start: str) -> str:
    return "\n".join([start, "", *(f"- `{word}`: {MEANINGS[word]}" for word in UNIT_NAMES)])
