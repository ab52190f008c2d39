"""The names and functions of expressions, and the keys of a recipe -> tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from resbench.escape import markdown_row
from resbench.json_schema.descriptions import KEYS
from resbench.language.expressions.grammar import FUNCTIONS
from resbench.language.names import MEANINGS, NETWORK_NAMES, STAGE_NAMES
from resbench.language.recipe.recipe import RecipeSpec
from resbench.language.yaml.scalar import flow

FUNCTION_DOCS = {
    "min": "the smallest of its arguments, or of a list",
    "max": "the largest of its arguments, or of a list",
    "sqrt": "square root",
    "floor": "the next whole number below",
    "ceil": "the next whole number above",
    "round": "the nearest whole number; of two equally near ones the even one",
    "log2": "logarithm to base 2",
}
OPERATORS = (
    ("`+ - * /`", "as usual; `/` of whole numbers is whole where it leaves no rest"),
    ("`// %`", "division rounded down, and its rest"),
    ("`**`", "power"),
    ("`== != < <= > >=`", "comparison, one at a time: `a < b and b < c`"),
    ("`and or not`", "of true and false"),
    ("`a if c else b`", "a where c is true, else b"),
    ("`list[i]`", "an item, from 0"),
    ("`'text'`", "a text: `stride_in == 'first'`"),
    ("`true false`", "true and false"),
)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose cells are Markdown."""
    return "\n".join(map(markdown_row, [head, ["---"] * len(head), *rows]))


def values() -> str:
    """Return every name that the language defines, with the places where it is known."""
    rows = [(f"`${name}`", _where(name), meaning) for name, meaning in MEANINGS.items()]
    return markdown_table(("value", "known in", "is"), rows)


def _where(name: str) -> str:
    if name == "channels":
        return "an op's arguments"
    if name in NETWORK_NAMES:
        return "a network"
    return "units, blocks, stages of a network" if name in STAGE_NAMES else "units, blocks"


def functions() -> str:
    named = [(f"`{name}()`", FUNCTION_DOCS[name]) for name in FUNCTIONS]
    return markdown_table(("in `$( )`", "is"), [*OPERATORS, *named])


def recipe_keys() -> str:
    schema = RecipeSpec.model_json_schema(by_alias=True)
    return markdown_table(("key", "default", "is"), _keys("RecipeSpec", schema, schema["$defs"], ""))


def _keys(model: str, schema: Mapping[str, Any], models: Mapping[str, Any], prefix: str) -> list[tuple[str, str, str]]:
    """Return one row for each key, followed by the keys of its part."""
    rows: list[tuple[str, str, str]] = []
    for key, of in schema["properties"].items():
        default = "must be given" if key in schema.get("required", ()) else flow(of.get("default"))
        rows.append((f"`{prefix}{key}`", _default(default), KEYS[model][key]))
        for name in _models(of):
            rows += _keys(name, models[name], models, f"{prefix}{key}.")
    return rows


def _default(text: str) -> str:
    return {"null": "", '""': "", "must be given": text}.get(text, f"`{text}`")


def _models(of: Any) -> list[str]:
    """Return the models that a key may hold."""
    if isinstance(of, dict):
        found = [str(of["$ref"]).removeprefix("#/$defs/")] if "$ref" in of else []
        return found + [name for value in of.values() for name in _models(value)]
    return [name for item in of for name in _models(item)] if isinstance(of, list) else []
