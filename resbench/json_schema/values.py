"""Argument, Param, names -> the JSON Schema of a value. Forms are chosen for good editor messages:

`type` and `pattern` rather than `anyOf` where they say the same, enumerations before patterns, `if`/`else` between
mappings and the rest. `patternErrorMessage` is a keyword of yaml-language-server; other readers ignore it.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from typing import Any

from resbench.json_schema.editor import ANY_TYPE, anything, if_list, names_values, offer, with_default
from resbench.json_schema.editor import Schema as Schema
from resbench.language.graph.params import Choices, Param, Range, label_of
from resbench.language.graph.signature import Argument, allowed
from resbench.language.names import MAX_LENGTH, MODULE_ATTRIBUTES, RESERVED, VALUES
from resbench.language.yaml.node import plain
from resbench.language.yaml.scalar import scalar

EXPRESSION = r"\$([A-Za-z_][A-Za-z0-9_]*|\([\s\S]*\))"
NAME = r"[a-z][a-z0-9_]*"
PATH = r"([^$*]*/[^$*]*|[^$*]+\.ya?ml)"
_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "None": "null", "pair": "array", "initial": "number"}
_WHOLE = {
    "type": ["string", "integer"],
    "pattern": f"^{EXPRESSION}$",
    "description": "A whole number, or an expression.",
}
REFUSED = sorted({*RESERVED, *VALUES, *MODULE_ATTRIBUTES, *keyword.kwlist})
EXPRESSION_REF = {"$ref": "#/$defs/expression"}
DOMAIN_KEYS = ("choices", "range", "cases")


def texts(*patterns: str, message: str) -> Schema:
    """Return the schema of a text with one of the forms."""
    return {"type": "string", "pattern": f"^({'|'.join(patterns)})$", "patternErrorMessage": message}


def words(values: Iterable[Any], docs: Mapping[Any, str] | None = None) -> Schema:
    """Return the schema of an enumeration, with the description of each value where it is known."""
    if docs is None:
        return {"enum": list(values)}
    return {"oneOf": [{"const": value, "description": docs.get(value) or str(value)} for value in values]}


def legal_name(refused: Iterable[str] = ()) -> Schema:
    """Return the schema of the name of a node, param or file; `refused` are the language's own names, besides those of
    Python and torch.
    """
    words = sorted(refused)
    taken = {
        "type": "string",
        "pattern": _none_of(words),
        "patternErrorMessage": "the language has this name for something else",
    }
    return {"$ref": "#/$defs/name", **({"allOf": [taken]} if words else {})}


def common_schemas() -> dict[str, Schema]:
    """Return the `$defs` of every file."""
    message = "a name is a small letter, then small letters, digits and `_`, and no word of Python or torch"
    form = {"type": "string", "pattern": f"{_none_of(REFUSED)}{NAME}$", "patternErrorMessage": message}
    return {
        "name": {**form, "maxLength": MAX_LENGTH},
        "expression": {
            "title": "expression",
            **texts(EXPRESSION, message="an expression, `$name` or `$(arithmetic)`, is needed"),
        },
    }


def _none_of(words: Iterable[str]) -> str:
    return f"^(?!({'|'.join(words)})$)"


def argument(of: Argument, default: Any = None) -> Schema:
    """Return the schema of an op's argument: its own kinds, or an expression."""
    default = of.default if default is None else default
    kinds = [kind for kind in of.kinds if kind != "literal"]
    schema: Schema
    if "ops" in kinds:
        schema = {"$ref": "#/$defs/ops"}
    elif of.literals or "initial" in kinds:
        listed = [*of.literals, *(("zeros", "ones") if "initial" in kinds else ())]
        others = sorted({_TYPES[kind] for kind in kinds})
        some: list[Schema] = [words(listed), *([{"type": others}] if others else []), EXPRESSION_REF]
        schema = {"anyOf": some}
        if "initial" in kinds:
            normal = offer({}, {"{normal: 0.01}": "Drawn from a normal distribution of mean 0."})
            schema = {
                "if": {"type": "object"}, "then": {"$ref": "#/$defs/normal"}, "else": schema,
                "anyOf": [schema, anything("start") | normal],
            }  # fmt: skip
    else:
        types = list(dict.fromkeys(_TYPES[kind] for kind in kinds if kind != "str"))
        begun = default is not None and not isinstance(default, str)  # an editor begins with the first type
        schema = {"type": [*types, "string"] if begun else ["string", *types]}
        if "str" not in kinds:
            schema |= {
                "pattern": f"^{EXPRESSION}$",
                "patternErrorMessage": f"{allowed(of)}, or an expression, is needed",
            }
        if "pair" in kinds:
            schema |= if_list(dict(_WHOLE), {"minItems": 2, "maxItems": 2})
    schema["description"] = f"{of.doc} ({allowed(of)})" if of.doc else f"{allowed(of)[0].upper()}{allowed(of)[1:]}"
    return with_default(schema, _json(default))


def param(of: Param, *, searchable: bool = False) -> Schema:
    """Return the schema of a unit's, block's or network's param; `searchable`: a study may write a domain in its place."""
    default = None if of.by is not None else _json(plain(of.default))
    begun = isinstance(default, int | float)
    schema: Schema = {} if default is not None and not isinstance(default, list) else {"type": ANY_TYPE}
    if isinstance(of.domain, Choices) and of.by is None:
        schema = {"anyOf": [_choices(of.domain), EXPRESSION_REF]}
    elif isinstance(of.domain, Range):
        kind = "integer" if of.domain.whole else "number"
        schema = {
            "type": [kind, "string"] if begun else ["string", kind],
            "minimum": of.domain.low, "maximum": of.domain.high, "pattern": f"^{EXPRESSION}$",
            "patternErrorMessage": f"a number from {of.domain.low:g} to {of.domain.high:g}, or an expression, is needed",
        }  # fmt: skip
    if searchable:
        schema = or_domain(schema)
    schema["description"] = of.doc or f"param {of.name}"
    return with_default(schema, default)


def or_domain(schema: Schema, defs: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of the value itself or of a domain to search: a mapping with `choices`, `range` or `cases`."""
    asks = {"type": "object", "not": {"properties": dict.fromkeys(DOMAIN_KEYS, False)}}
    offered = [schema] if names_values(schema, defs or {}) else []
    either = {"if": asks, "then": {"$ref": "#/$defs/domain"}, "else": schema}
    return {**either, "anyOf": [*offered, anything("value or domain")]}


def _choices(domain: Choices) -> Schema:
    """Return the choices: `choices` by their values, `cases` by their names."""
    if all(label_of(node) == label for label, node in domain.values.items()):
        return words(plain(node) for node in domain.values.values())
    return words(dict.fromkeys([*map(scalar, domain.labels), *domain.labels]))


def _json(value: Any) -> Any:
    return [_json(item) for item in value] if isinstance(value, tuple) else value


def ops_schema(description: str) -> Schema:
    return {"$ref": "#/$defs/ops", "description": description}


def whole_schema(description: str, low: int, default: int | None = None) -> Schema:
    return {
        "type": ["string", "integer"] if default is None else ["integer", "string"],
        "minimum": low, "pattern": f"^{EXPRESSION}$", "description": description,
        "patternErrorMessage": "a whole number or an expression is needed",
        **({} if default is None else {"default": default}),
    }  # fmt: skip
