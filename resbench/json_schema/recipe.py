"""RecipeSpec -> JSON Schema of a recipe's file, and of the recipe of a study.

Pydantic gives the types and bounds; this adds bare names and lists, and that a file which `extends` another may be
incomplete.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from resbench.json_schema.descriptions import ABOUT, EXAMPLES, KEYS
from resbench.json_schema.editor import either, if_list, offer, with_default
from resbench.json_schema.references import head_schemas, named
from resbench.json_schema.values import Schema, or_domain, words
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import RecipeSpec

_ONE_OF = ("Span", "Marks", "Augmentation", "Schedule", "Every")  # models of which exactly one key is given


_PARTIAL = "partial_"


def recipe_schema(library: Library) -> Schema:
    """Return the schema of a recipe's file: complete, or over a parent's."""
    whole, partial = _models(whole=True), _models(whole=False)
    return {
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/$defs/partial_recipe"},
        "else": {"$ref": "#/$defs/recipe"},
        "$defs": {key: _with_head(key, schema) for key, schema in {**whole, **partial}.items()},
    }


def study_recipe(library: Library) -> tuple[Schema, dict[str, Schema]]:
    """Return the schema of a study's recipe, a name or `{use: name, key: value}`, and the `$defs` that it needs."""
    defs = _models(whole=True)
    top, optimizer = defs.pop("recipe")["properties"], defs["optimizer"]["properties"]
    own = {key: schema for key, schema in top.items() if key not in ("recipe", "doc", "cite")}
    short = {key: schema for key, schema in optimizer.items() if key not in own and key != "use"}
    keys = {key: _searched(schema, defs) for key, schema in {**own, **short}.items()}
    dotted = {f"optimizer.{key}": _searched(schema, defs) for key, schema in optimizer.items()}
    by_name = named("recipe")
    schema: Schema = {
        "description": "The recipe: its name, or `{use: name, key: value}`; keys of `optimizer` may stand alone.",
        "default": "he2016_small",
        **either(
            "recipe",
            by_name,
            {
                "title": "recipe and changes",
                "properties": {"use": by_name, **keys, **dotted},
                "patternProperties": {
                    r"^(warmup|schedule|optimizer|average|checkpoint_every|plan)\.[a-z_.]+$": {
                        "description": "A value further down."
                    }
                },
                "required": ["use"],
                "additionalProperties": False,
            },
        ),
    }
    return schema, defs


def _searched(schema: Schema, defs: Mapping[str, Schema]) -> Schema:
    outside = ("description", "default", "examples")
    inner = {key: value for key, value in schema.items() if key not in outside}
    return {**or_domain(inner, defs), **{key: schema[key] for key in outside if key in schema}}


def _with_head(key: str, schema: Schema) -> Schema:
    """Add the keys at the head of a file: the recipe may extend another, and its name must be legal."""
    if key.removeprefix(_PARTIAL) != "recipe":
        return schema
    return {**schema, "properties": {**schema["properties"], **head_schemas("recipe")}}


def _models(*, whole: bool) -> dict[str, Schema]:
    """Return the schemas of a recipe and its parts, by name; a part that is not `whole` may lack keys that its parent gives."""
    prefix = "" if whole else _PARTIAL
    raw = RecipeSpec.model_json_schema(by_alias=True)
    models = {"RecipeSpec": {key: value for key, value in raw.items() if key != "$defs"}, **raw["$defs"]}
    schemas = {key: _model(key, schema, prefix) for key, schema in models.items()}
    marks = schemas["Marks"]
    fractions = marks["properties"]["fractions"]
    schemas["Marks"] = {"type": ["array", "object"], **if_list(fractions["items"], {"minItems": 1}), "else": marks}
    for name in ("Augmentation", "Schedule"):
        entire = schemas[name]
        bare = [key for key, of in entire["properties"].items() if "required" not in models[_target(of)]]
        docs = {key: of["description"] for key, of in entire["properties"].items()}
        schemas[name] = either(_snake(name), words(bare, docs), entire)
    schemas["Augmentation"] = _entry(schemas["Augmentation"])
    for of in schemas["Augmentation"]["then"]["properties"].values():
        schemas[_target(of)]["doNotSuggest"] = True
    seconds: Schema = {
        "type": "string", "pattern": "^[0-9.]+ ?s$", "examples": ["30s"],
        "patternErrorMessage": "an interval such as `30s`, or `{epochs: 1}`, is needed",
    }  # fmt: skip
    schemas["Every"] = either("how often", seconds, schemas["Every"])
    schemas["PlanSpec"] = either("plan", {"const": "measured"}, schemas["PlanSpec"])
    return {f"{prefix}{_snake(key)}": schema for key, schema in schemas.items()}


def _entry(schema: Schema) -> Schema:
    """Return the schema of a list's item, a name or a mapping with one key; names that need a mapping end in a colon."""
    parts = {key: schema[key] for key in ("if", "then", "else")}
    bare, keys = [name["const"] for name in schema["else"]["oneOf"]], schema["then"]["properties"]
    return offer(parts, {key if key in bare else f"{key}: ": of["description"] for key, of in keys.items()})


def _snake(name: str) -> str:
    """Return the name of a class in lower case with underscores."""
    return re.sub("(?<=.)(?=[A-Z])", "_", name.removesuffix("Spec")).lower()


def _target(schema: Schema) -> str:
    word = schema["$ref"].removeprefix("#/$defs/").removeprefix(_PARTIAL)
    return next(name for name in KEYS if _snake(name) == word)


def _model(key: str, raw: Schema, prefix: str) -> Schema:
    properties = {name: _key(key, name, _tidy(of, prefix)) for name, of in raw["properties"].items()}
    schema: Schema = {
        "type": "object", "title": _snake(key), "description": ABOUT[key],
        "properties": properties, "additionalProperties": False,
    }  # fmt: skip
    if key in _ONE_OF:
        schema |= {"minProperties": 0 if prefix else 1, "maxProperties": 1}
        schema["properties"] = {name: _not_null(of) for name, of in properties.items()}
    elif "required" in raw and not prefix:
        schema["required"] = list(raw["required"])
    if key == "RecipeSpec" and not prefix:
        schema["oneOf"] = [{"required": ["epochs"]}, {"required": ["iterations"]}]
    elif key == "RecipeSpec":
        schema["required"] = ["recipe", "extends"]
    return schema


def _key(model: str, key: str, raw: Schema) -> Schema:
    schema = {**raw, "description": KEYS[model][key]}
    example = EXAMPLES.get((model, key))
    if example is not None:
        return {**schema, "examples": [example]}
    return with_default({name: value for name, value in schema.items() if name != "default"}, schema.get("default"))


def _not_null(schema: Schema) -> Schema:
    """Return X of `X or null`."""
    if "anyOf" in schema:
        return {**schema["anyOf"][0], "description": schema["description"]}
    return {**schema, "type": schema["type"][1]} if isinstance(schema.get("type"), list) else schema


def _tidy(raw: Any, prefix: str) -> Any:
    """Return a schema without titles, with `X or null` as one schema where both are types, and with references into the
    same family.
    """
    if not isinstance(raw, dict):
        return [_tidy(item, prefix) for item in raw] if isinstance(raw, list) else raw
    if "$ref" in raw:
        return {"$ref": f"#/$defs/{prefix}{_snake(raw['$ref'].removeprefix('#/$defs/'))}"}
    raw = {key: value for key, value in raw.items() if key != "title" and (key, value) != ("default", None)}
    if [item.get("type") for item in raw.get("anyOf", [])][1:] == ["null"] and "type" in raw["anyOf"][0]:
        first = raw["anyOf"][0]
        raw = {**{k: v for k, v in raw.items() if k != "anyOf"}, **first, "type": ["null", first["type"]]}
    return {key: _tidy(value, prefix) for key, value in raw.items()}
