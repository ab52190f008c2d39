"""`$name` and `$( )` -> values; hypothesis holds the arithmetic against Python's own."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_sample import value

from resbench.errors import Reason
from resbench.language.expressions.expression import Expression


def said(text: str, **names: Any) -> str:
    with pytest.raises(Reason) as caught:
        value(text, **names)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a$b", "`a$b` is no expression: `$name` and `$(...)` stand for a whole value, never for part of one"),
        ("${a}", "`${a}` is no expression: `$name` and `$(...)` stand for a whole value, never for part of one"),
        ("$1", "`$1` is no expression: `$name` and `$(...)` stand for a whole value, never for part of one"),
        ("$é", "`$é` is no expression: `$name` and `$(...)` stand for a whole value, never for part of one"),
        ("$(1) px", "`$(1) px` has text behind its `)`; an expression stands for a whole value"),
        ("$(max(8", "`$(max(8` is cut short: inside { } or [ ] an expression with a comma or [ ] needs quotes, "
         "\"$(...)\""),
    ],
)  # fmt: skip
def test_an_expression_stands_for_a_whole_value(text: str, message: str) -> None:
    with pytest.raises(Reason) as caught:
        Expression.parse(text)
    assert str(caught.value) == message


def test_names_and_texts() -> None:
    expression = Expression.parse("$('f' if first and in > 2 else a[pos])")
    assert expression.names == ("first", "in", "a", "pos")
    assert expression.texts == ("f",)
    assert Expression.parse("$in").names == ("in",)


def test_only_the_branch_taken_is_looked_up() -> None:
    assert value("a if first else b", a=1, first=True) == 1
    assert value("a if first else b", b=2, first=False) == 2
    assert value("first or idle", first=True) is True
    assert value("first and idle", first=False) is False
    with pytest.raises(KeyError, match="idle"):
        value("first or idle", first=False)
    with pytest.raises(KeyError, match="idle"):
        value("min(1, idle)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("6 / 3", 2), ("2.5 * 2", 5), ("sqrt(9)", 3), ("2 ** -1 * 4", 2), ("1e15", 10**15), ("-0.0", 0)],
)
def test_a_whole_result_is_an_int(text: str, expected: int) -> None:
    assert value(text) == expected
    assert type(value(text)) is int


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.5", 0), ("1.5", 2), ("2.5", 2), ("3.5", 4), ("-0.5", 0), ("-1.5", -2), ("2.500001", 3)],
)
def test_ties_are_rounded_to_even(text: str, expected: int) -> None:
    assert value(f"round({text})") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("'a' + 1", "`+` needs numbers, got 'a'"),
        ("1 - 'a'", "`-` needs numbers, got 'a'"),
        ("true + 1", "`+` needs numbers, got true"),
        ("-true", "`-` needs numbers, got true"),
        ("'a' < 'b'", "`<` needs numbers, got 'a'"),
        ("min('a', 1)", "`min` needs numbers, got 'a'"),
        ("1 / 0", "division by zero"),
        ("1 // 0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("0 ** -1", "division by zero"),
        ("sqrt(-1)", "sqrt of -1 is not a real number"),
        ("log2(0)", "log2 of 0 is not a real number"),
        ("(-8) ** 0.5", "-8 ** 0.5 is not a real number"),
        ("sqrt(1, 2)", "sqrt() takes one, got 2"),
        ("1 and true", "true or false is needed, got 1"),
        ("not 1", "true or false is needed, got 1"),
        ("1 if 'a' else 2", "true or false is needed, got 'a'"),
        ("2 ** 65", "2 ** 65 is too large"),
        ("1000001 ** 2", "1000001 ** 2 is too large"),
        ("2 ** 2 ** 2 ** 2 ** 2 ** 2", "2 ** 65536 is too large"),
        ("99999 * 99999 * 99999 * 99999", "the result is beyond 10^15"),
        ("10 ** 15 + 1", "the result is beyond 10^15"),
        ("1e15 * 1e15", "the result is beyond 10^15"),
        ("1000000.5 ** 64", "1000000.5 ** 64 is too large"),
        ("999999.5 ** 64", "** of 999999.5, 64 is too large"),
    ],
)
def test_what_arithmetic_cannot_do(text: str, message: str) -> None:
    assert said(text) == message


def test_numbers_from_outside_are_bounded_too() -> None:
    assert said("a", a=math.inf) == "the result is inf, not a finite number"
    assert said("a", a=math.nan) == "the result is nan, not a finite number"
    assert said("a", a=10**16) == "the result is beyond 10^15"
    assert said("a + 1", a=(1, 2)) == "`+` needs numbers, got (1, 2)"


def test_index() -> None:
    counts = (3, 4)
    assert value("counts[1]", counts=counts) == 4
    assert value("max(counts)", counts=counts) == 4
    assert said("counts[2]", counts=counts) == "index 2 is outside a list of 2"
    assert said("counts[-3]", counts=counts) == "index -3 is outside a list of 2"
    assert said("counts[0.5]", counts=counts) == "index 0.5 is outside a list of 2"
    assert said("counts[true]", counts=counts) == "index true is outside a list of 2"
    assert said("counts['a']", counts=counts) == "index 'a' is outside a list of 2"
    assert said("pos[0]", pos=3) == "[ ] needs a list, got 3"


def test_equality_holds_types_apart() -> None:
    assert value("1 == 1.0") is True
    assert value("1 == true") is False
    assert value("1 != true") is True
    assert value("'1' == 1") is False


def test_params_that_rest_on_each_other_without_end() -> None:
    expression = Expression.parse("$(next + 1)")
    with pytest.raises(Reason, match="it depends on too many other expressions in a chain"):
        expression.evaluate(lambda name: expression.evaluate(lookup))


def lookup(name: str) -> Any:
    return Expression.parse("$(next + 1)").evaluate(lookup)


# Sums, differences, products and quotients, written in both languages at once: (text, Fraction or None for no value)
Written = tuple[str, Fraction | None]
NUMBERS = st.integers(0, 99).map(lambda n: (str(n), Fraction(n)))


def joined(parts: tuple[Written, str, Written]) -> Written:
    (left, a), sign, (right, b) = parts
    text = f"({left}) {sign} ({right})"
    if a is None or b is None or (sign in ("/", "//", "%") and b == 0):
        return text, None
    results = {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b,
    "//": lambda: Fraction(a // b),
               "%": lambda: a % b}  # fmt: skip
    return text, results[sign]()


WRITTEN = st.recursive(
    NUMBERS,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner).map(joined)
        | inner.map(lambda part: (f"-({part[0]})", None if part[1] is None else -part[1]))
    ),
    max_leaves=6,
)


@settings(derandomize=True)
@given(WRITTEN)
def test_arithmetic_is_exact_where_everything_is_whole(written: Written) -> None:
    text, expected = written
    if expected is None:
        assert said(text) == "division by zero"
    elif "/" not in text and "%" not in text:
        assert value(text) == expected


def worth(text: str) -> Any:
    """None where the language says that it is none of its."""
    try:
        return value(text)
    except Reason:
        return None


@settings(derandomize=True)
@given(st.text("0123456789+-*/%() .", max_size=30))
def test_what_both_languages_read_is_worth_the_same(text: str) -> None:
    ours = worth(text)
    if ours is not None:
        decimal = re.sub(r"(?<![0-9.])0+(?=[0-9])", "", text.strip())  # 010 is ten here, an error there
        assert ours == pytest.approx(eval(decimal))


SIGNS = st.sampled_from(["+", "-", "*", "/", "//", "%", "**"])


@settings(derandomize=True)
@given(st.lists(st.tuples(SIGNS, st.integers(1, 5)), min_size=1, max_size=6))
def test_precedence_is_python_s(rest: list[tuple[str, int]]) -> None:
    text = "3" + "".join(f" {sign} {number}" for sign, number in rest)
    ours = worth(text)
    if ours is not None:  # else a power beyond what is allowed
        assert ours == pytest.approx(eval(text))
    else:
        assert "**" in text
