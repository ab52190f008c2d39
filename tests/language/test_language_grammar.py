"""The grammar of `$( )`: what binds tighter than what, and what is no expression."""

from __future__ import annotations

import pytest
from language_sample import value

from resbench.errors import Reason
from resbench.language.expressions.grammar import MAX_HEIGHT, MAX_NESTING, MAX_TEXT, height, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("2 - 3 - 4", -5), ("100 / 10 / 5", 2), ("7 // 2 * 2", 6), ("7 % 4 + 1", 4),
        ("-2 ** 2", -4), ("(-2) ** 2", 4), ("2 ** -1", 0.5), ("2 ** 3 ** 2", 512), ("- - 3", 3), ("-+-3", 3), ("2 * -3", -6),
        ("-7 // 2", -4), ("-7 % 3", 2), ("1 < 2", True), ("1 + 1 == 2", True), ("not 1 == 2", True), ("not not true", True),
        ("true or false and false", True), ("(true or false) and false", False), ("not true or true", True),
        ("1 if true else 2", 1), ("1 if false else 2 if false else 3", 3), ("1 if false else 2 if true else 3", 2),
        ("(1 if true else 2) + 1", 2), ("1 + 1 if true else 0", 2), ("1 if 1 < 2 and not false else 2", 1),
        ("min(3, 1, 2)", 1), ("max(1, 2) * 2", 4), ("sqrt(16)", 4), ("floor(2.5)", 2), ("ceil(2.1)", 3), ("log2(8)", 3),
        ("max(1, min(5, 3))", 3), ("'a' == 'a'", True), ('"a" == \'a\'', True), ("'a' != 'b'", True),
        ("1e3", 1000), (".5 * 2", 1), ("2.", 2), ("1.5e-1", 0.15), ("010", 10), ("3 >= 3", True), ("3 <= 2", False),
    ],
)  # fmt: skip
def test_precedence(text: str, expected: object) -> None:
    assert value(text) == expected
    assert type(value(text)) is type(expected)


def test_python_s_words_are_names_here() -> None:
    assert value("in * for", **{"in": 3, "for": 2}) == 6
    assert value("max + max(max, 1)", max=2) == 4


def test_indexing() -> None:
    assert value("a[0] + a[1][0]", a=(1, (5, 6))) == 6
    assert value("a[b[0]]", a=(1, 2), b=(1,)) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a value is missing at the end of ``"),
        ("1 +", "a value is missing at the end of `1 +`"),
        ("1 2", "an operator is missing before `2` of `1 2`"),
        ("(1", "`)` is missing at the end of `(1`"),
        ("a[1", "`]` is missing at the end of `a[1`"),
        ("1)", "an operator is missing before `)` of `1)`"),
        ("1 if true", "`else` is missing at the end of `1 if true`"),
        ("else", "a value is missing before `else` of `else`"),
        ("max()", "a value is missing before `)` of `max()`"),
        ("max(1,)", "a value is missing before `)` of `max(1,)`"),
        ("1 < 2 < 3", "one comparison at a time: join them with `and` (in `1 < 2 < 3`)"),
        ("a == b != c", "one comparison at a time: join them with `and` (in `a == b != c`)"),
        ("abs(1)", "unknown function `abs`; allowed: min, max, sqrt, floor, ceil, round, log2"),
        ("sqr(4)", "unknown function `sqr`; allowed: min, max, sqrt, floor, ceil, round, log2; did you mean `sqrt`?"),
        ("out.real", "`.` is not allowed in an expression (in `out.real`)"),
        ("a := 1", "`:` is not allowed in an expression (in `a := 1`)"),
        ("a & 1", "`&` is not allowed in an expression (in `a & 1`)"),
        ("'a", "`'` is not allowed in an expression (in `'a`)"),
        ("١", "`١` is not allowed in an expression (in `١`)"),
        ("é", "`é` is not allowed in an expression (in `é`)"),
        ("{1}", "`{` is not allowed in an expression (in `{1}`)"),
        ("1e400", "a number beyond 10^15 (in `1e400`)"),
        ("9" * 20, f"a number beyond 10^15 (in `{'9' * 20}`)"),
        ("1" + " + 1" * 200, f"an expression of 801 characters; at most {MAX_TEXT} are allowed"),
        ("(" * 41 + "1" + ")" * 41, f"an expression nested more than {MAX_NESTING} deep"),
        ("max(" * 41 + "1" + ")" * 41, f"an expression nested more than {MAX_NESTING} deep"),
        ("1+" * 190 + "1", f"an expression of more than {MAX_HEIGHT} nested steps"),
        ("2**-" * 90 + "1", f"an expression of more than {MAX_HEIGHT} nested steps"),
        ("not " * 90 + "true", f"an expression of more than {MAX_HEIGHT} nested steps"),
    ],
)  # fmt: skip
def test_no_expression(text: str, message: str) -> None:
    with pytest.raises(Reason) as caught:
        parse(text)
    assert str(caught.value) == message


def test_what_is_just_allowed() -> None:
    assert height(parse("(" * 39 + "1" + ")" * 39)) == 1
    assert height(parse("1+" * 58 + "1")) == 59
    assert len("-" * 399 + "1") == MAX_TEXT
    assert value("-" * 399 + "1") == -1
