"""A schema -> the same with additions for editors: names to complete, Markdown to show, values to begin with.

A name or a mapping is written as `if`/`else`, since messages are then about the intended one. yaml-language-server
completes from neither branch, so the names are repeated beside them in an `anyOf` that refuses nothing. In lists it
offers a dash for whatever is in `anyOf`, so there they are snippets, a word of that server and of VS Code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resbench.escape import markdown

Schema = dict[str, Any]

EDITOR_WORDS = ("defaultSnippets", "doNotSuggest", "markdownDescription", "patternErrorMessage")
# A type makes the server add a colon behind the key.
ANY_TYPE = ["string", "number", "boolean", "null", "array", "object"]


def offer(schema: Schema, texts: Mapping[str, str]) -> Schema:
    """Add completions to a schema; `texts` maps each completion to its description."""
    return {**schema, "defaultSnippets": [_snippet(text, doc) for text, doc in texts.items()]} if texts else schema


def _snippet(text: str, doc: str) -> Schema:
    """Return a snippet; a text that ends in a colon is shown as the name before it."""
    escaped = "".join(f"\\{sign}" if sign in "\\$}" else sign for sign in text)
    snippet = {"label": text.removesuffix(": "), "bodyText": escaped}
    return {**snippet, "markdownDescription": as_markdown(doc)} if doc else snippet


def either(title: str, names: Schema, mapping: Schema) -> Schema:
    """Return the schema of a name or a mapping."""
    schema = {"if": {"type": "object"}, "then": {"type": "object", **mapping}, "else": names}
    return {**schema, "anyOf": [names, anything(title)]}


def anything(title: str) -> Schema:
    """Return a schema that refuses nothing. Its title is the shown heading, which keeps the server from merging it with
    others.
    """
    return {"title": title}


def if_list(items: Schema, rules: Schema | None = None) -> Schema:
    """Return rules for the items of a list. With `items` beside the type the server would take each completion for a
    list of its own.
    """
    return {"if": {"type": "array"}, "then": {"type": "array", "items": items, **(rules or {})}}


def with_default(schema: Schema, value: Any) -> Schema:
    """Add a default to a schema; an expression becomes an example, since the server would take the `$` of a default for
    a snippet's.
    """
    if isinstance(value, str) and value.startswith("$"):
        return {**schema, "examples": [value]}
    return schema if value is None or isinstance(value, list | Mapping) else {**schema, "default": value}


def names_values(schema: Schema, defs: Mapping[str, Schema]) -> bool:
    """Return whether there is a value to complete."""
    if "$ref" in schema:
        schema = defs.get(schema["$ref"].removeprefix("#/$defs/"), {})
    types = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")]
    known = {"enum", "const", "oneOf", "examples"} & set(schema) or {"boolean", "null"} & set(types)
    return bool(known) or any(names_values(part, defs) for part in schema.get("anyOf", ()))


def as_markdown(text: str) -> str:
    """Return lines from any author as Markdown: code in backticks and items of lists stay, all else is escaped."""
    return "\n".join(f"- {markdown(line[2:], code=True)}" if line.startswith("- ") else markdown(line, code=True)
                     for line in text.split("\n"))  # fmt: skip


def finished(schema: Any) -> Any:
    """Return a complete schema: with Markdown for each description that has code or paragraphs, and with required keys
    among the properties, as strict readers expect.
    """
    if isinstance(schema, list):
        return [finished(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    done = {key: finished(value) for key, value in schema.items()}
    words = done.get("description")
    if isinstance(words, str) and ("`" in words or "\n" in words) and "markdownDescription" not in done:
        done["markdownDescription"] = as_markdown(words)
    required = done.get("required")
    if isinstance(required, list):
        known = done.get("properties", {})
        done["properties"] = {**known, **{key: True for key in required if key not in known}}
    return done
