"""YAML that is no spec: what is said of it, and where."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from language_sample import UNIT, lines, told

from resbench.errors import SpecError
from resbench.language.yaml.node import plain
from resbench.language.yaml.problems import Problems
from resbench.language.yaml.reader import MAX_DEPTH, MAX_NODES, read_text, read_value

EMPTY = "1:1: the file is empty; its first key says what it is, as in `unit: my_unit`"
TOP = "1:1: a mapping is needed at the top, as in `unit: my_unit`, got"
TEN = [f"a{i}" for i in range(10)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", EMPTY),
        ("# only\n\n  # comments\n", EMPTY),
        ("---\n", EMPTY),
        ("null\n", EMPTY),
        ("{}\n", f"{TOP} {{}}"),
        ("- unit\n- mine\n", f"{TOP} [unit, mine]"),
        ("mine\n", f"{TOP} mine"),
        ("3\n", f"{TOP} 3"),
        (UNIT + "---\nunit: other\n", "4:1: a second document starts here; a file holds one"),
        ("%YAML 1.1\n---\n" + UNIT, "1:1: %YAML 1.1; a spec is YAML 1.2"),
        ("unit: mine\nnodes:\n\ty: {}\n", "3:1: a tab; indent with spaces"),
        ("unit: a\0b\n", "1:8: character U+0000 is not allowed in YAML"),
        ("unit: mine\ndoc: a\x07\n", "2:7: character U+0007 is not allowed in YAML"),
        ("unit: 'mine\n", "1:7: this quote is never closed"),
        ("unit: [mine\n", "1:7: this `[` is not closed: the file ends where `,` or `]` is needed"),
        ("unit: {a: 1\nnodes:\n  y: 1\n", "2:6: `,` or `}` is needed here, or the `{` before it is not closed"),
        ("unit: mine\ndoc: half: the branch\n", "2:10: a text with `: ` in it needs quotes: `doc: \"...\"`"),
        ("unit: mine\nnodes: many\n  y: {from: x, ops: []}\n",
         "3:4: keys stand below `nodes`, which has a value already: it has one or the other"),
        ("unit: mine\nnodes:\n  f: {from: x, ops: []}\n   y: {from: f, ops: []}\n",
         "4:4: indented by 3 where the other lines of its level have 2: entries of one level must have the same indentation"),
        ("unit: mine\nnodes\ndoc: a\n",
         "2:1: a line without a `:` among keys, or a text over several lines that needs quotes"),
        (UNIT + "- a\n", "4:1: an item of a list where a key is needed, or a key with too little indentation"),
        (b"unit: mine\ndoc: \xc3\xa9t\xe9\n", "2:8: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (UNIT.encode("utf-16"), "1:1: byte 0xff is not UTF-8; save the file as UTF-8"),
        (UNIT + "unit: other\n", "4:1: unit: duplicate key `unit`; first at 1:1"),
        (UNIT + '"unit": other\n', "4:1: unit: duplicate key `unit`; first at 1:1"),
        ("unit: mine\nnodes:\n  y: {from: x, ops: [], from: z}\n",
         "3:25: nodes.y.from: duplicate key `from`; first at 3:7"),
        ("unit: !mine m\nnodes: {y: {from: x, ops: []}}\n",
         "1:7: unit: tag `!mine` is not allowed: values are plain YAML"),
        ("unit: *mine\n", "1:7: unit: alias `*mine` refers to no anchor above it"),
        ("unit: mine\ndoc: &a [*a]\n", "2:10: doc[0]: alias `*a` refers to no anchor above it"),
        (UNIT + "? [a, b]\n: 1\n", "4:3: a key must be a word"),
        (UNIT + "doc: \"\\e[31m\"\n", "4:6: doc: character U+001B is not allowed in a text"),
        (UNIT + 'doc: "\\ud800"\n', "4:6: doc: character U+D800 is not allowed in a text"),
        (UNIT + 'doc: "a\\0b"\n', "4:6: doc: character U+0000 is not allowed in a text"),
        ("unit: mine\nnodes: {y: {<<: {from: x}, from: x, ops: []}}\n",
         "2:13: nodes.y: merge keys (`<<`) are not YAML 1.2; use `extends:` for a parent file"),
    ],
)  # fmt: skip
def test_what_is_no_spec_is_told_at_its_place(folder: Path, text: str | bytes, message: str) -> None:
    assert told(folder, text) == [message]


@pytest.mark.parametrize(
    "text",
    [
        UNIT,
        "# a comment\n" + UNIT,
        "---\n" + UNIT + "...\n",
        "%YAML 1.2\n---\n" + UNIT,
        "\ufeff" + UNIT,
        UNIT.replace("\n", "\r\n"),
        UNIT + "doc: étude, 10 $ a piece\n",
        UNIT + 'doc: "two\\nlines\\tand a tab"\n',
        "unit: mine\nnodes:\n  a: {from: x, ops: &o [bn, relu]}\n  y: {from: a, ops: *o}\n",
        '{"unit": "mine", "nodes": {"y": {"from": "x", "ops": []}}}',
    ],
)
def test_their_twins_are_read(folder: Path, text: str) -> None:
    assert told(folder, text) == []


def test_nothing_is_executed(folder: Path) -> None:
    given = "unit: !!python/object/apply:os.system ['touch pwned']\nnodes: {y: {from: x, ops: []}}\n"
    tag = "tag:yaml.org,2002:python/object/apply:os.system"
    assert told(folder, given) == [
        f"1:7: unit: tag `{tag}` is not allowed: values are plain YAML",
        "1:7: unit: a name is needed, got [touch pwned]",
    ]
    assert told(folder, "!!python/object/apply:os.system 'touch pwned': 1\n" + UNIT) == [
        f"1:1: tag `{tag}` is not allowed: keys are plain words",
        "1:1: touch pwned: a file whose first key is `unit:` is needed, this one has `touch pwned` first",
    ]
    assert [path.name for path in folder.iterdir()] == ["mine.yaml"]


def laughs(merge: bool) -> str:
    """Each name stands for nine of the one before: 9^9 values."""
    levels = ["a0: &a0 [x, x, x]" if not merge else "a0: &a0 {k: v}"]
    for before, name in itertools.pairwise(TEN):
        nine = ", ".join([f"*{before}"] * 9)
        levels.append(f"{name}: &{name} {{<<: [{nine}]}}" if merge else f"{name}: &{name} [{nine}]")
    return "unit: mine\n" + "\n".join(levels) + "\n"


@pytest.mark.parametrize("merge", [False, True])
def test_aliases_count_wherever_they_are_used(folder: Path, merge: bool) -> None:
    assert told(folder, laughs(merge))[-1].endswith(
        f": more than {MAX_NODES:,} values (aliases counted wherever they are used)"
    )


@pytest.mark.parametrize("deep", [MAX_DEPTH + 1, 5_000, 100_000])
@pytest.mark.parametrize("bracket", ["[]", "{}"])
def test_depth_is_capped_as_it_comes(folder: Path, deep: int, bracket: str) -> None:
    opened, closed = ("[", "]") if bracket == "[]" else ("{a: ", "}")
    (message,) = told(folder, ("unit: mine\ndoc: " + opened * deep + closed * deep)[:499_000])
    assert message.endswith(f": nested more than {MAX_DEPTH} deep")


def test_depth_of_dashes_and_indents_is_capped_too(folder: Path) -> None:
    indents = "\n".join(" " * i + "a:" for i in range(200))
    for text in ("- " * 100_000, "? " * 100_000, indents):
        assert told(folder, text)[0].endswith(f": nested more than {MAX_DEPTH} deep")


def test_depth_counts_through_aliases(folder: Path) -> None:
    levels = "".join(f"a{i}: &a{i} {'[' * 30}*a{i - 1}{']' * 30}\n" for i in range(1, 30))
    assert told(folder, "unit: mine\na0: &a0 []\n" + levels) == [f"4:39: nested more than {MAX_DEPTH} deep"]


def test_twenty_thousand_anchors(folder: Path) -> None:
    anchors = ", ".join(f"&a{i} x" for i in range(20_000))
    (message,) = told(folder, f"unit: mine\ndoc: [{anchors}]\n")
    assert message.startswith("2:")
    assert message.endswith(" values (aliases counted wherever they are used)")


@pytest.mark.parametrize(
    ("value", "torn"),
    [
        ("{out: $(max(8, out / 16))}", "$(max(8"),
        ("{out: $(max(8, out / 16)), stride: 2}", "$(max(8"),
        ("{out: $(min(8, max(out, 16), 3)), stride: 2}", "$(min(8"),
        ("{stride: [$(max(1, stride)), 1], out: 8}", "$(max(1"),
        ("{out: $(counts[0])}", "$(counts"),
        ("{out: $counts[0]}", "$counts"),
        ("{out: $(8 if first else {3})}", "$(8 if first else"),
    ],
)
def test_a_torn_expression_says_quote_it_and_nothing_else(folder: Path, value: str, torn: str) -> None:
    (message,) = told(folder, f"unit: mine\nnodes:\n  y: {{from: x, ops: [conv3x3: {value}]}}\n")
    assert message.startswith("3:")
    assert message.endswith(
        f'`{torn}` is cut short: inside {{ }} or [ ] an expression with a comma or [ ] needs quotes, "$(...)"'
    )


@pytest.mark.parametrize(
    "quoted", ['{out: "$(max(8, out / 16))"}', "{out: '$(max(8, out / 16))'}", "{out: $(out / 16)}"]
)
def test_a_quoted_expression_is_whole(folder: Path, quoted: str) -> None:
    assert told(folder, f"unit: mine\nnodes:\n  y: {{from: x, ops: [conv3x3: {quoted}]}}\n") == []


def test_what_follows_a_torn_expression_is_still_checked(folder: Path) -> None:
    text = "unit: mine\nnodes:\n  y: {from: x, ops: [$(max(8, 2)), rleu, conv3x3: {out: $(max(8, 2)), strid: 2}]}\n"
    assert [message.split(": ", 2)[1] for message in told(folder, text)] == [
        "nodes.y.ops[0]",
        "nodes.y.ops[1]",
        "nodes.y.ops[2].conv3x3.out",
        "nodes.y.ops[2].conv3x3.strid",
    ]


def test_a_place_shows_its_line_with_a_caret() -> None:
    with pytest.raises(SpecError) as caught:
        read_text("unit: mine\ndoc: !a b\n", "f.yaml")
    assert str(caught.value).split("\n")[1:] == ["    doc: !a b", "         ^"]


def test_with_a_check_the_readable_rest_is_given() -> None:
    check = Problems()
    node = read_text("unit: a\nunit: b\ndoc: !x c\n? [k]\n: v\n", "f.yaml", check)
    assert plain(node) == {"unit": "a", "doc": "c"}
    assert len(check.problems) == 3
    with pytest.raises(SpecError):
        read_text("unit: a\nunit: b\n", "f.yaml")


def test_problems_come_in_the_order_of_lines() -> None:
    with pytest.raises(SpecError) as caught:
        read_text("a:\n  b: 1\n  b: {c: !t 1}\na: 2\nd: !t 3\n", "f")
    assert [line.split(": ")[0] for line in lines(caught.value)] == ["f:3:3", "f:3:10", "f:4:1", "f:5:4"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3),
        ("", None),
        ("[a, 1]", ["a", 1]),
        ("{a: no}", {"a": "no"}),
        ('""', ""),
        ("$out", "$out"),
        ("a: b", {"a": "b"}),
    ],
)
def test_a_value_of_any_kind_is_read(text: str, expected: object) -> None:
    assert plain(read_value(text, "word")) == expected


@pytest.mark.parametrize("text", ["[", "*a", "!t 3", "1\n---\n2", "a$b", "{a: 1, a: 2}"])
def test_a_value_that_is_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        read_value(text, "word")
