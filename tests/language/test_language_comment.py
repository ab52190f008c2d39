"""The comment behind a param is its description; every param of the library's blocks has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from resbench.language.graph.body import parse_params
from resbench.language.library.library import Library
from resbench.language.yaml.comments import comment_behind
from resbench.language.yaml.problems import Problems
from resbench.language.yaml.reader import read_text
from resbench.ops.schema import table

LIBRARY = Library(table())


@pytest.mark.parametrize(
    ("line", "comment"),
    [
        ("  width: 16         # of the first stage", "of the first stage"),
        ("  width: 16", ""),
        ("  width: 16 #", ""),
        ("  # nothing but a comment", ""),
        ("  word: it's   # an apostrophe is no quote", "an apostrophe is no quote"),
        ("  word: 'a # b'", ""),
        ("  word: 'a # b'   # c", "c"),
        ("  word: 'it''s # b'   # c", "c"),
        ('  word: "a \\" # b"   # c', "c"),
        ("  list: ['#', \"#\", a#b]  # c # d", "c # d"),
        ("  mid: $(1 if a == 'b' else c)\t## e", "e"),
    ],
)
def test_comment_behind(line: str, comment: str) -> None:
    assert comment_behind(line) == comment


def test_of_params() -> None:
    text = """\
unit: mine
params:
  a: 1   # the first
  b: {default: 2, choices: [2, 3]}   # the second
  c:     # the third
    default: 4
    range: [4, 5]   # of another line
  d: 5
"""
    check = Problems()
    params = parse_params(read_text(text, "mine.yaml").mapping["params"], (), check)
    assert check.problems == []
    assert {name: param.doc for name, param in params.items()} == {
        "a": "the first", "b": "the second", "c": "the third", "d": "",
    }  # fmt: skip


def test_of_params_whose_values_a_formatter_has_wrapped() -> None:
    text = """\
unit: mine
params:
  a:
    {by: $b, cases: {x: 1, y: '# 2'}} # the first
  b:
    {
      default: x,   # of an entry
      choices: [x, y],
    } # the second
  c:
    [
      conv3x3,
      "it's",
    ] # the third
  d:
    "a text # that is
    wrapped" # the fourth
  e:
    default: 4
    range: [4, 5] # of an entry
  f: |
    a text
    # of its own
  g:
    &here {x: 1} # the seventh
  h: *here
  i:   # the ninth
    [1, 2] # and no other
  j:
    {x: 1}
"""
    check = Problems()
    params = parse_params(read_text(text, "mine.yaml").mapping["params"], (), check)
    assert {name: param.doc for name, param in params.items()} == {
        "a": "the first", "b": "the second", "c": "the third", "d": "the fourth", "e": "", "f": "", "g": "the seventh", "h": "",
        "i": "the ninth", "j": "",
    }  # fmt: skip


def test_a_value_from_elsewhere_brings_no_comment(tmp_path: Path) -> None:
    """The parent's comment is not that of the value which its child gives."""
    body = "nodes: {y: {from: x, ops: [scale: {by: $b}]}}\n"
    text = f"unit: a\nparams:\n  b:\n    {{default: 1,\n    choices: [1, 2]}} # the b\n{body}"
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    (tmp_path / "c.yaml").write_text("unit: c\nextends: a\nparams:\n\n  b:\n    [3,\n    4]\n", "utf-8")
    library = Library(table(), tmp_path)
    assert library.unit("a.yaml").body.params["b"].doc == "the b"
    assert library.unit("c.yaml").body.params["b"].doc == ""


def test_a_line_that_several_share_says_nothing_of_one() -> None:
    params = parse_params(
        read_text("unit: a\nparams: {b: 1, c: 2}   # both", "a.yaml").mapping["params"], (), Problems()
    )
    assert [param.doc for param in params.values()] == ["", ""]


def test_lines_of_a_parent_are_not_those_of_its_child(tmp_path: Path) -> None:
    body = "nodes:\n  y: {from: x, ops: [scale: {by: $a}, scale: {by: $b}]}\n"
    (tmp_path / "parent.yaml").write_text(f"unit: parent\nparams:\n  a: 1   # the parent's\n  b: 2\n{body}", "utf-8")
    (tmp_path / "child.yaml").write_text("unit: child\nextends: parent\nparams:\n\n  b: 3   # the child's\n", "utf-8")
    params = Library(table(), tmp_path).unit("child.yaml").body.params
    assert {name: param.doc for name, param in params.items()} == {"a": "the parent's", "b": "the child's"}


@pytest.mark.parametrize("name", LIBRARY.names("block"))
def test_every_param_of_a_block_is_described(name: str) -> None:
    block = LIBRARY.block(name)
    assert [param.name for param in block.body.params.values() if len(param.doc) < 8] == []
    assert {key: a.doc for key, a in block.signature.arguments.items()} == {
        key: param.doc for key, param in block.body.params.items()
    }


@pytest.mark.parametrize("name", LIBRARY.names("network"))
def test_every_param_of_a_network_is_described(name: str) -> None:
    assert [param.name for param in LIBRARY.network(name).params.values() if len(param.doc) < 8] == []


@pytest.mark.parametrize("name", LIBRARY.names("unit"))
def test_every_param_of_a_unit_is_described(name: str) -> None:
    assert [param.name for param in LIBRARY.unit(name).body.params.values() if len(param.doc) < 8] == []
