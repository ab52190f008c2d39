"""Names that break Python, torch or fx are refused with the reason."""

from __future__ import annotations

import keyword

import pytest
import torch
from torch import fx, nn

from resbench.escape import printable
from resbench.language.names import KNOWN, MAX_LENGTH, MODULE_ATTRIBUTES, RESERVED, VALUES, why_not

OF_SOME_TORCH = frozenset({"shape_env", "mtia"})  # attributes that some versions have and others have not


def attributes() -> set[str]:
    return {name for name in dir(fx.GraphModule(nn.Module(), fx.Graph())) if not name.startswith("_")}


def test_every_attribute_of_an_empty_graph_module_is_refused() -> None:
    assert {name for name in attributes() if why_not(name) is None} == set(), torch.__version__


def test_the_frozen_list_names_nothing_but_attributes() -> None:
    assert attributes() | OF_SOME_TORCH >= MODULE_ATTRIBUTES, torch.__version__


@pytest.mark.parametrize(
    "name", ["x", "f", "shortcut", "conv1", "a_b", "gate_bias", "y2", "max", "in_", "z" * MAX_LENGTH]
)
def test_legal(name: str) -> None:
    assert why_not(name) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("forward", "`forward` is an attribute of every torch module"),
        ("train", "`train` is an attribute of every torch module"),
        ("class", "`class` is a word of Python"),
        ("in", "`in` is a word of Python"),
        ("self", "`self` is taken in generated code"),
        ("torch", "`torch` is taken in generated code"),
        ("nn", "`nn` is taken in generated code"),
        ("math", "`math` is taken in generated code"),
        ("true", "`true` is a value, not a name"),
        ("null", "`null` is a value, not a name"),
        ("z" * 61, f"`{'z' * 20}...` has 61 characters; at most 60 are allowed"),
    ],
)
def test_words_that_are_taken(name: str, reason: str) -> None:
    assert why_not(name) == reason


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", ""), ("A", "A"), ("1a", "1a"), ("_a", "_a"), ("a-b", "a-b"), ("a.b", "a.b"), ("a/b", "a/b"), ("..", ".."),
        ("a\\b", "a\\b"), ("a b", "a b"), ("ä", "ä"), ("a\n", "a\\x0a"), ("\x1b[31mred", "\\x1b[31mred"), ("[/red]",
         "[/red]"),
        ("<script>", "<script>"), ("a\u202eb", "a\\u202eb"), ("x" * 70 + "!", "x" * 57 + "..."),
    ],
)  # fmt: skip
def test_forms_that_are_no_name_are_shown_not_obeyed(name: str, shown: str) -> None:
    assert (
        why_not(name) == f"`{shown}` is not a legal name: expected a small letter, then small letters, digits and `_`"
    )


def test_no_list_holds_what_another_refuses() -> None:
    assert not MODULE_ATTRIBUTES & RESERVED
    assert not VALUES & RESERVED
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in MODULE_ATTRIBUTES | RESERVED)


def test_what_the_language_gives() -> None:
    assert {"channels", "in", "out", "stride", "since", "transition", "classes", "after_last"} < KNOWN


def test_printable_cuts() -> None:
    assert printable("a" * 100, 10) == "aaaaaaa..."
    assert printable("a" * 10, 10) == "a" * 10
