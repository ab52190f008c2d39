"""The form of the schemas that an editor needs: names beside mappings, values to begin with, Markdown that is nobody's trick.

tests/report/test_report_editor.py has the same in a real server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from report_schema_sample import schema_of

from resbench.json_schema.descriptions import KEYS
from resbench.json_schema.editor import EDITOR_WORDS
from resbench.json_schema.schema import KINDS, make_schema
from resbench.language.library.library import Library
from resbench.language.library.lookup import INSTALLED
from resbench.ops.schema import table


@pytest.mark.parametrize("kind", KINDS)
def test_an_editor_can_begin_every_key(kind: str) -> None:
    """yaml-language-server inserts a key with a colon only where it has a type to go by, a number by a default or an example
    (else it is 0), a list as a dash, and an expression's `$` as the name of a snippet.
    """
    schema = schema_of(kind)
    found = dict(keys(schema, schema))
    assert len(found) > 20
    for path, of in found.items():
        first = of["type"][0] if isinstance(of.get("type"), list) else of.get("type")
        begun = {"type", "anyOf", "enum", "const", "defaultSnippets", "default", "examples"} & set(of)
        assert begun, path
        assert first not in ("integer", "number") or {"default", "examples"} & set(of), path
        assert "items" not in of or first == "array", path
        assert not str(of.get("default", "")).startswith("$"), path
        for value in of.get("examples", []):
            assert Draft202012Validator({**of, "$defs": schema["$defs"]}).is_valid(value), path


def keys(schema: Any, root: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """What an editor offers as keys: every property, or what it refers to."""
    for name, of in (
        schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    ):
        if name == "properties":
            for key, value in (item for item in of.items() if isinstance(item[1], dict)):
                target = root["$defs"][value["$ref"].removeprefix("#/$defs/")] if "$ref" in value else {}
                if not target.get("doNotSuggest") and not value.get("doNotSuggest"):
                    yield f"{path}.{key}", {**target, **value}
        if name not in ("if", "not"):
            yield from keys(of, root, f"{path}.{name}")


@pytest.mark.parametrize(
    ("kind", "path", "name"),
    [
        ("study", "network", "resnet_cifar"),
        ("study", "data", "digits"),
        ("study", "recipe", "he2016"),
        ("study", "search", "tpe"),
        ("network", "unit", "plain"),
        ("network", "stages.items.unit", "plain"),
    ],
)
def test_names_are_offered_beside_a_mapping(kind: str, path: str, name: str) -> None:
    """In an `anyOf` that refuses nothing: a server completes neither from `then` nor from `else`."""
    at = schema = schema_of(kind)
    for key in path.split("."):
        at = at["properties"][key] if key != "items" else at["items"]
        at = schema["$defs"][at["$ref"].removeprefix("#/$defs/")] if "$ref" in at else at
    offered, anything = at["anyOf"]
    assert Draft202012Validator({**offered, "$defs": schema["$defs"]}).is_valid(name)
    assert list(anything) == ["title"]
    assert f'"{name}"' in json.dumps([offered, schema["$defs"].get(offered.get("$ref", "")[8:])])


@pytest.mark.parametrize(
    ("kind", "place"), [("unit", "op"), ("network", "op"), ("study", "unit_offer"), ("recipe", "augmentation")]
)
def test_names_are_offered_in_a_list(kind: str, place: str) -> None:
    schema = schema_of(kind)
    library = Library(table())
    names = {"op": {*library.ops, *library.names("block"), "repeat", "conv3x3"}, "unit_offer": set(library.names("unit")),
             "augmentation": {"flip", "pad_crop"}}[place]  # fmt: skip
    snippets = {snippet["label"]: snippet for snippet in schema["$defs"][place]["defaultSnippets"]}
    assert names <= set(snippets)
    assert {text["bodyText"].removesuffix(": ") for text in snippets.values()} == set(snippets)
    if place == "op":
        required = {name for name, op in library.ops.items() if schema["$defs"][f"op_{name}"].get("required")}
        assert {name for name in library.ops if snippets[name]["bodyText"].endswith(": ")} == required


def test_a_rule_is_of_its_unit_alone() -> None:
    """A `const` that is a longer name would be taken for one that is being typed."""
    rules = schema_of("study")["$defs"]["unit"]["else"]
    text = json.dumps(rules)
    assert '"const": "constant_scaling_bottleneck", "description"' not in text.split('"allOf"')[1]
    assert '"pattern": "^constant_scaling$"' in text


def test_a_text_of_a_stranger_is_shown_and_not_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = tmp_path / "arch_specs" / "units"
    units.mkdir(parents=True)
    text = "unit: odd\ndoc: '`code` ![x](https://x.example) ${1:y}'\nnodes:\n  y: {from: x, ops: [relu]}\n"
    (units / "odd.yaml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    schema = make_schema("study", Library(table()))
    shown = [of["markdownDescription"] for of in with_markdown(schema) if "code" in of["markdownDescription"]]
    (odd,) = {words for words in shown if "x.example" in words}
    assert odd == r"`code` !\[x\](https\://x.example) \${1:y}"


def with_markdown(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "markdownDescription" in schema:
            yield schema
        schema = list(schema.values())
    for item in schema if isinstance(schema, list) else ():
        yield from with_markdown(item)


@pytest.mark.parametrize("kind", KINDS)
def test_no_class_of_python_is_in_it(kind: str) -> None:
    text = json.dumps(schema_of(kind))
    assert [name for name in KEYS if name.endswith("Spec") and name in text] == []
    assert [key for key in schema_of(kind)["$defs"] if re.search("[A-Z]", key.replace("KxK", ""))] == []


def test_the_docs_name_the_words_that_are_an_editors_own() -> None:
    """Those that a strict reader has to be told."""
    page = (INSTALLED.parent / "docs" / "language.md").read_text("utf-8")
    assert f"keywords: {json.dumps(EDITOR_WORDS)}" in page
