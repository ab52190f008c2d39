"""The units, networks and recipes of a library -> JSON Schema of `use`: a name, or `{use: name, param: value}`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from resbench.errors import BadInput
from resbench.report.schema_ops import params_of
from resbench.report.schema_value import NAME, PATH, Schema, legal_name, texts, words
from resbench.spec.domain import Param
from resbench.spec.library import Library

_WORDS = {"doc": "What it is, in a sentence.", "cite": "The paper or code it is from."}


def use_schema(
    library: Library, kind: str, *, searchable: bool = False, more: Mapping[str, Schema] | None = None
) -> Schema:
    """`kind`: unit or network. `more` are keys beside `use` and the params."""
    rules = []
    for name in library.names(kind):
        try:
            params = library.unit(name).body.params if kind == "unit" else library.network(name).params
        except BadInput:  # its own file is wrong; any params may be given
            continue
        rules.append(_rule(name, params, searchable=searchable, more=more or {}))
    return {
        "description": f"The {kind}: its name or file, or `{{use: name, param: value}}`.",
        "if": {"type": "object"},
        "then": {
            "type": "object",
            "properties": {"use": named(kind), **(more or {})},
            "required": ["use"],
            "allOf": rules,
        },
        "else": named(kind),
    }


def _rule(name: str, params: Mapping[str, Param], *, searchable: bool, more: Mapping[str, Schema]) -> Schema:
    """What may stand beside `use: name`."""
    known = {"use": {}, **{key: {} for key in more}, **params_of(params, searchable=searchable)}
    return {
        "if": {"properties": {"use": {"const": name}}, "required": ["use"]},
        "then": {"properties": known, "additionalProperties": False},
    }


def named(kind: str) -> Schema:
    return {"$ref": f"#/$defs/{kind}_name"}


def name_schemas(library: Library, kinds: Iterable[str]) -> dict[str, Schema]:
    """`$defs`: the names and files of each kind; a name that the library has not may be a file beside the one that names it."""
    schemas = {}
    for kind in kinds:
        known = {name: _words(library, kind, name) for name in library.names(kind)}
        form = texts(NAME, PATH, message=f"a {kind}'s name, or a path ending in .yaml, is needed")
        description = f"A {kind}'s name, or a path ending in .yaml."
        schemas[f"{kind}_name"] = {"description": description, "anyOf": [words(known, known), form]}
    return schemas


def _words(library: Library, kind: str, name: str) -> str:
    """What a file says of itself."""
    try:
        top = library.read(kind, library.find(kind, name)).mapping
    except BadInput as error:
        return f"A {kind} whose file is wrong: {error}"
    return "\n\n".join(str(top[key].value) for key in ("doc", "cite") if key in top)


def head_schemas(kind: str) -> dict[str, Schema]:
    """The first keys of every file."""
    return {
        kind: {**legal_name(), "description": f"The {kind}'s name, which is the file's too."},
        **{
            key: {"type": ["string", "number", "boolean", "null"], "description": words}
            for key, words in _WORDS.items()
        },
        "extends": {**named(kind), "description": f"The {kind} that this one changes: mappings merge, lists replace."},
    }
