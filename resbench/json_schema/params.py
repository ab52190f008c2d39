"""JSON Schema of `params` and of a domain."""

from __future__ import annotations

from resbench.json_schema.editor import ANY_TYPE, if_list
from resbench.json_schema.values import DOMAIN_KEYS, Schema, legal_name
from resbench.language.graph.body import MAX_PARAMS
from resbench.language.names import KNOWN


def params_schema(also: tuple[str, ...] = ()) -> Schema:
    """Return the schema of `params`; `also` are known names that a param of this kind of file may use."""
    return {
        "type": ["object", "null"], "propertyNames": legal_name(KNOWN - set(also)), "maxProperties": MAX_PARAMS,
        "additionalProperties": {"$ref": "#/$defs/param"},
        "description": "Names for values: constants, expressions, domains. The comment behind one is its description.",
    }  # fmt: skip


def param_schema() -> Schema:
    """Return the schema of a param: a value of any kind; a mapping with a domain's key is a domain, one with `by` a
    look-up."""
    properties = domain(default=True)["properties"]
    look_up: Schema = {
        "type": "object", "title": "look-up", "required": ["by", "cases"], "additionalProperties": False,
        "properties": {
            "by": {"type": ANY_TYPE, "description": "The value that is looked up: an expression."},
            "cases": {"type": "object", "minProperties": 1, "description": "The meaning of each value."},
        },
    }  # fmt: skip
    asks = {"type": "object", "not": {"properties": dict.fromkeys(("default", *DOMAIN_KEYS), False)}}
    return {
        "type": ANY_TYPE,
        "description": "A value, an expression, a domain `{default, choices | range | cases}` or a look-up `{by, cases}`.",
        "properties": {key: {"type": ANY_TYPE, "description": of["description"]} for key, of in properties.items()}
        | {"by": {"type": ANY_TYPE, "description": "Looked up by this value in `cases`."}},
        "if": {"type": "object", "required": ["by"]},
        "then": look_up,
        "else": {"if": asks, "then": {"$ref": "#/$defs/domain"}},
    }


def domain(*, default: bool) -> Schema:
    """Return the schema of `{choices: [...]}`, `{range: [low, high], step, log}` or `{cases: {...}}`; a domain in a
    spec's own file has a `default`.
    """
    own = {"default": {"type": ANY_TYPE, "description": "The value where no study says otherwise."}} if default else {}
    return {
        "type": "object",
        "title": "domain",
        "description": "A domain: the allowed values. It is searched only where a study says so.",
        "properties": {
            **own,
            "choices": {"type": "array", "minItems": 1, "description": "The values that are allowed."},
            "range": {
                "type": "array", **if_list({"type": "number"}, {"minItems": 2, "maxItems": 2}),
                "description": "[low, high], both included; whole numbers where both ends are.",
            },
            "step": {
                "type": "number", "exclusiveMinimum": 0, "examples": [1],
                "description": "From one value to the next; it must divide the range.",
            },
            "log": {"type": "boolean", "description": "Even in the logarithm: 1e-3 to 1e-2 is as long as 1e-2 to 1e-1."},
            "cases": {"type": "object", "minProperties": 1, "description": "Choices with names: the value of each name."},
        },
        "additionalProperties": False,
        "oneOf": [{"required": [kind]} for kind in ("choices", "range", "cases")],
        **({"required": ["default"]} if default else {}),
    }  # fmt: skip
