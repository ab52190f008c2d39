"""Data -> YAML -> the same data, whatever the texts in it are; read by our own reader and by PyYAML's parser."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hostile import ANY, CHARACTERS, COMBINED, TEXT
from hypothesis import given, settings
from hypothesis import strategies as st

from resbench.language.yaml.node import plain
from resbench.language.yaml.reader import Builder, read_text
from resbench.language.yaml.scalar import flow, scalar
from resbench.language.yaml.writer import yaml_text

SCALARS = ANY | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
DATA = st.dictionaries(
    ANY, st.recursive(SCALARS, lambda of: st.lists(of, max_size=3) | st.dictionaries(ANY, of, max_size=3), max_leaves=6),
    min_size=1, max_size=3,
)  # fmt: skip


def read(text: str) -> Any:
    """By PyYAML's parser, which takes characters that a spec may not have, and YAML 1.2's scalars."""

    def build(node: Any) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return scalar(node.value) if node.style is None else node.value
        if isinstance(node, yaml.SequenceNode):
            return [build(item) for item in node.value]
        return {build(key): build(value) for key, value in node.value}

    return build(yaml.compose(text, yaml.SafeLoader))


def check(data: dict[str, Any]) -> None:
    written = yaml_text(data)
    assert written.replace("\n", "").isprintable()
    given = {key: value for key, value in data.items() if value is not None}
    assert (read(written) if given else {}) == given


def test_any_data() -> None:
    settings(max_examples=500, deadline=None, derandomize=True)(given(DATA)(check))()


def test_every_character_everywhere() -> None:
    odd = ("a: b", "a\t# b", "- a", "?", "---", "=", "<<", "$x\ny: 1")
    for text in [*CHARACTERS, *(f"a{sign}b" for sign in CHARACTERS), *COMBINED[:420], TEXT, *odd]:
        check({"doc": text, text: text, "list": [text, {text: [text]}], "nodes": {text: {"from": text}}})


@pytest.mark.parametrize(
    ("data", "written"),
    [
        ({"doc": "a\nseeds: 5"}, 'doc: "a\\nseeds: 5"\n'),
        ({"doc": "two words: and #"}, 'doc: "two words: and #"\n'),
        ({"doc": "It's é"}, "doc: It's é\n"),
        ({"doc": 'It\'s "é", so'}, 'doc: "It\'s \\"é\\", so"\n'),
        ({"params": {"a": "$(max(1, 2))", "b": "$x"}}, 'params:\n  a: "$(max(1, 2))"\n  b: $x\n'),
        ({"doc": "turned \u202e back"}, 'doc: "turned \\u202e back"\n'),
    ],
)  # fmt: skip
def test_what_is_quoted(data: dict[str, Any], written: str) -> None:
    assert yaml_text(data) == written


def test_our_own_reader_reads_it() -> None:
    """An expression with a comma, too, which without quotes a list would tear."""
    data: dict[str, Any] = {
        "unit": "u", "doc": "Says \"so\" \\ \u202e \u2028 \t\n'#': [x]",
        "params": {"a": "$(max(1, 2))", "b": ["$a", "$(min(a, 2))"]},
        "nodes": {"y": {"from": "x", "ops": [{"conv": {"out": "$(max(1, 2) * a)"}}, "relu"]}},
    }  # fmt: skip
    assert plain(read_text(yaml_text(data), "u.yaml")) == data
    builder = Builder("u.yaml", yaml_text({"a": {"b": "$(max(1, 2))"}}))
    assert builder.document() is not None
    assert builder.problems == []


def test_labels_and_names_of_units_stay_what_they_were() -> None:
    """Databases hold them: an expression in a label has no quotes, as before."""
    assert flow({"by": "$(a, b)", "of": ["$x", "a: b"]}) == '{by: $(a, b), of: [$x, "a: b"]}'
    assert flow({"by": "$(a, b)"}, strict=True) == '{by: "$(a, b)"}'
