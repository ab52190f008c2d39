"""Scalars by YAML 1.2's core schema, and flow text that reads back as what it was."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resbench.language.yaml.node import Node, plain
from resbench.language.yaml.reader import read_value
from resbench.language.yaml.scalar import flow, scalar


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-3", 0.001), ("1E5", 1e5), ("-1.5e+2", -150.0), (".5", 0.5), ("5.", 5.0), ("1.", 1.0),
        ("010", 10), ("-7", -7), ("+3", 3), ("0x1F", 31), ("0o17", 15),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None), (".inf", math.inf), ("-.inf", -math.inf),
        (".Inf", math.inf), (".INF", math.inf), ("+.Inf", math.inf), ("-.INF", -math.inf), (".iNF", ".iNF"), (".nAN", ".nAN"),
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("n", "n"), ("tRUE", "tRUE"),
        ("1_000", "1_000"), ("1:30", "1:30"), ("0b11", "0b11"), ("2001-01-01", "2001-01-01"), ("e5", "e5"), ("1e",
         "1e"),
        (".", "."), ("-", "-"), ("0x", "0x"), ("1 2", "1 2"), ("١", "١"), ("inf", "inf"), ("nan", "nan"),
    ],
)  # fmt: skip
def test_a_plain_scalar(text: str, expected: object) -> None:
    assert scalar(text) == expected
    assert type(scalar(text)) is type(expected)


def test_nan_and_numbers_without_end() -> None:
    assert all(math.isnan(scalar(text)) for text in (".nan", ".NaN", ".NAN"))  # type: ignore[arg-type]
    assert [flow(text) for text in (".NaN", ".Inf", "-.INF")] == ['".NaN"', '".Inf"', '"-.INF"']
    assert scalar("9" * 40) == int("9" * 40)
    assert isinstance(scalar("9" * 41), float)
    assert scalar("9" * 5000) == math.inf


def test_quotes_make_a_text() -> None:
    assert [read_value(text, "w").value for text in ("'no'", '"010"', "'1e-3'", '"~"')] == ["no", "010", "1e-3", "~"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, "1"), (1.0, "1"), (1e-3, "0.001"), (1e-4, "0.0001"), (1 / 3, "0.3333333333333333"), (True,
         "true"), (None, "null"),
        ("1", '"1"'), ("true", '"true"'), ("", '""'), ("no", "no"), ("a, b", '"a, b"'), ("a b", "a b"), (" a", '" a"'),
        ("$(max(1, 2))", "$(max(1, 2))"), ('say "x"', 'say "x"'), (math.nan, ".nan"), (-math.inf, "-.inf"),
        (":0", '":0"'), ("?", '"?"'), ("- a", '"- a"'), ("-a", "-a"), ("---", '"---"'), ("a:", '"a:"'), ("a #b", '"a #b"'),
        ([1, "1", [None]], '[1, "1", [null]]'), ({"a": {"b": []}}, "{a: {b: []}}"), ({}, "{}"),
    ],
)  # fmt: skip
def test_flow_text(value: object, shown: str) -> None:
    assert flow(value) == shown


TEXTS = st.text(st.characters(exclude_categories=("C",), exclude_characters="$\u2028\u2029\x85\ufeff"), max_size=12)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(derandomize=True, max_examples=300)
@given(DATA)
def test_flow_text_reads_back_as_what_it_was(data: object) -> None:
    assert plain(read_value(flow(data), "w")) == data


def test_a_message_shows_no_more_than_a_line_of_a_value() -> None:
    assert Node("a\x1b[31m\nb").shown() == '"a\\x1b[31m\\nb"'
    assert len(Node("x" * 10_000).shown()) == 60
