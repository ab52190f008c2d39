"""The units, networks and recipes of a library -> JSON Schema of `use`: a name, or `{use: name, param: value}`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from resbench.errors import BadInput
from resbench.json_schema.editor import either, offer
from resbench.json_schema.ops import params_of
from resbench.json_schema.values import NAME, PATH, Schema, legal_name, texts, words
from resbench.language.graph.params import Param
from resbench.language.library.library import Library

_WORDS = {"doc": "A description in one sentence.", "cite": "The paper or code it is from."}


def use_schema(
    library: Library,
    kind: str,
    *,
    searchable: bool = False,
    more: Mapping[str, Schema] | None = None,
    listed: bool = False,
) -> Schema:
    """Return the schema of `use`; `kind` is unit or network, `more` has keys beside `use` and the params, and `listed`
    marks an entry of a list.
    """
    rules = []
    for name in library.names(kind):
        try:
            params = library.unit(name).body.params if kind == "unit" else library.network(name).params
        except BadInput:  # its own file has problems; any params may be given
            continue
        rules.append(_rule(name, params, searchable=searchable, more=more or {}))
    mapping = {
        "title": f"{kind} and params",
        "properties": {"use": named(kind), **(more or {})},
        "required": ["use"],
        "allOf": rules,
    }
    words = {"description": f"The {kind}: its name or file, or `{{use: name, param: value}}`."}
    if not listed:
        return {**words, **either(kind, named(kind), mapping)}
    begun = {"if": {"required": ["use"]}, "else": {"$ref": f"#/$defs/{kind}_offer"}}  # a word in a list, to the server
    return {**words, "if": {"type": "object"}, "then": {"type": "object", **mapping, **begun}, "else": named(kind)}


def _rule(name: str, params: Mapping[str, Param], *, searchable: bool, more: Mapping[str, Schema]) -> Schema:
    """Return the schema of the keys beside `use: name`."""
    known = {"use": True, **dict.fromkeys(more, True), **params_of(params, searchable=searchable)}
    return if_used(name, {"properties": known, "additionalProperties": False})


def if_used(name: str, rule: Schema) -> Schema:
    """Return a rule for `use: name`. It is a pattern, since a completing server takes a `const` for the beginning of a
    longer name.
    """
    named = {"type": "string", "pattern": f"^{re.escape(name)}$"}
    return {"if": {"properties": {"use": named}, "required": ["use"]}, "then": rule}


def named(kind: str) -> Schema:
    return {"$ref": f"#/$defs/{kind}_name"}


def name_schemas(library: Library, kinds: Iterable[str]) -> dict[str, Schema]:
    """Return `$defs`: the names and files of each kind, and the names to offer; a name outside the library may be a
    file beside the one that names it.
    """
    schemas = {}
    for kind in kinds:
        known = docs_of(library, kind)
        form = texts(NAME, PATH, message=f"a {kind}'s name, or a path ending in .yaml, is needed")
        description = f"A {kind}'s name, or a path ending in .yaml."
        schemas[f"{kind}_name"] = {"description": description, "anyOf": [words(known, known), form]}
        schemas[f"{kind}_offer"] = offer({}, known)
    return schemas


def docs_of(library: Library, kind: str) -> dict[str, str]:
    """Every name of a kind -> the description in its file."""
    return {name: _words(library, kind, name) for name in library.names(kind)}


def _words(library: Library, kind: str, name: str) -> str:
    """Return the description in a file."""
    try:
        top = library.read(kind, library.find(kind, name)).mapping
    except BadInput as error:
        return f"A {kind} whose file has problems: {error}"
    return "\n\n".join(str(top[key].value) for key in ("doc", "cite") if key in top)


def head_schemas(kind: str) -> dict[str, Schema]:
    """Return the first keys of every file."""
    return {
        kind: {**legal_name(), "description": f"The {kind}'s name, which is also the file's name."},
        **{
            key: {"type": ["string", "number", "boolean", "null"], "description": words}
            for key, words in _WORDS.items()
        },
        "extends": {**named(kind), "description": f"The {kind} that this one changes: mappings merge, lists replace."},
    }
