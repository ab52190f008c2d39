"""The JSON Schema of a study's file -> a table in Markdown: every key with its default and description.

Keys of the recipe, of data sets and of networks are left out: they have tables and commands of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from resbench.escape import markdown
from resbench.json_schema.schema import make_schema
from resbench.language.library.library import Library
from resbench.language.yaml.scalar import flow
from tools.docs.language_values import markdown_table

ELSEWHERE = ("recipe", "data", "network")  # keys whose parts are not listed here


def study_keys(library: Library) -> str:
    schema = make_schema("study", library)
    rows = dict(_rows(schema, schema["$defs"], frozenset(schema["required"]) | {"network", "units", "data"}, ""))
    return markdown_table(("key", "default", "is"), [(f"`{key}`", *cells) for key, cells in rows.items()])


def _rows(
    schema: Mapping[str, Any], defs: Mapping[str, Any], required: frozenset[str], prefix: str
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each key of a mapping once, followed by the keys of its part."""
    for key, found in _keys(schema).items():
        of = {**defs[_name(found)], **found} if "$ref" in found else found
        default = "must be given" if key in required else f"`{flow(of['default'])}`" if "default" in of else ""
        yield f"{prefix}{key}", (default, markdown(of.get("description", ""), code=True))
        if not prefix and key in ELSEWHERE:
            continue
        part = of.get("items", of)
        if key == "units":  # an entry of `units`; the rules of its schema are the params of each unit
            part = {"properties": _keys(defs["unit"], rules=False)}
        yield from _rows(part, defs, frozenset(_required(part)), f"{prefix}{key}.")


def _name(reference: Mapping[str, str]) -> str:
    return reference["$ref"].removeprefix("#/$defs/")


def _keys(schema: Mapping[str, Any], *, rules: bool = True) -> dict[str, Any]:
    """Return the keys of a mapping, including those that a condition of its schema adds; `rules`: also those of its `allOf`."""
    found: dict[str, Any] = {key: of for key, of in schema.get("properties", {}).items() if of is not True}
    parts = [schema[word] for word in ("then", "else") if word in schema]
    for part in (*parts, *(schema.get("allOf", ()) if rules else ())):
        found |= {key: of for key, of in _keys(part, rules=rules).items() if key not in found}
    return found


def _required(schema: Mapping[str, Any]) -> list[str]:
    return [*schema.get("required", ()), *schema.get("then", {}).get("required", ())]
