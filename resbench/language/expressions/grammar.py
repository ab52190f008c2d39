"""Text -> tree: the grammar of `$( )`.  The grammar is not Python's: `in` is a name here.

expression := test ['if' test 'else' expression]
test       := and/or/not over comparisons (one comparison each: a < b < c is refused)
sum, term  := + -   * / // %
power      := atom ['**' power], with - and + in front
atom       := number | 'text' | name | name '(' arguments ')' | '(' expression ')' , each with [index]s behind
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from resbench.did_you_mean import did_you_mean
from resbench.errors import Reason

Tree = tuple[Any, ...]

MAX_TEXT, MAX_NESTING, MAX_HEIGHT = 400, 40, 60
MAX_NUMBER = 10**15
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
FUNCTIONS = ("min", "max", "sqrt", "floor", "ceil", "round", "log2")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>'[^']*'|\"[^\"]*\")|(?P<sign>\*\*|//|<=|>=|==|!=|[-+*/%<>()\[\],]))"
)
_WORDS = {"if", "else", "and", "or", "not", "true", "false"}


def parse(text: str) -> Tree:
    """Arithmetic without `$( )` -> tree."""
    if len(text) > MAX_TEXT:
        raise Reason(f"an expression of {len(text)} characters; at most {MAX_TEXT} are allowed")
    parser = _Parser(list(_tokens(text)), text)
    tree = parser.expression()
    parser.end()
    if height(tree) > MAX_HEIGHT:
        raise Reason(f"an expression of more than {MAX_HEIGHT} nested steps")
    return tree


def height(tree: Tree) -> int:
    """Return how deeply operations are nested.

    >>> height(parse("1 + 2 * 3")), height(parse("1"))
    (3, 1)
    """
    level, above = [tree], 0
    while level:
        level = [part for tree in level for part in tree[1:] if isinstance(part, tuple)]
        above += 1
    return above


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            rest = text[position:].strip()
            hint = {"=": "; `==` compares", "$": "; inside it names stand without `$`"}.get(rest[0], "")
            raise Reason(f"`{rest[0]}` is not allowed in an expression (in `{text}`){hint}")
        kind = match.lastgroup or ""
        yield ("word" if match[kind] in _WORDS else kind), match[kind]
        position = match.end()


class _Parser:
    """A recursive-descent parser over the tokens; MAX_TEXT bounds the depth."""

    def __init__(self, tokens: list[tuple[str, str]], text: str) -> None:
        self.tokens, self.text, self.position, self.depth = tokens, text, 0, 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.position] if self.position < len(self.tokens) else ("end", "")

    def take(self, *allowed: str) -> str | None:
        kind, text = self.peek()
        if kind in ("sign", "word") and text in allowed:
            self.position += 1
            return text
        return None

    def need(self, sign: str) -> None:
        if self.take(sign) is None:
            self.fail(f"`{sign}` is missing")

    def fail(self, what: str) -> None:
        kind, text = self.peek()
        raise Reason(f"{what} {'at the end' if kind == 'end' else f'before `{text}`'} of `{self.text.strip()}`")

    def end(self) -> None:
        if self.peek()[0] != "end":
            self.fail("an operator is missing")

    def expression(self) -> Tree:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise Reason(f"an expression nested more than {MAX_NESTING} deep")
        value = self.either()
        if self.take("if"):
            condition = self.either()
            self.need("else")
            value = ("if", value, condition, self.expression())
        self.depth -= 1
        return value

    def either(self) -> Tree:
        left = self.both()
        while self.take("or"):
            left = ("or", left, self.both())
        return left

    def both(self) -> Tree:
        left = self.negated()
        while self.take("and"):
            left = ("and", left, self.negated())
        return left

    def negated(self) -> Tree:
        turns = 0
        while self.take("not"):
            turns += 1
        tree = self.comparison()
        for _ in range(turns):
            tree = ("not", tree)
        return tree

    def comparison(self) -> Tree:
        left = self.sum()
        if sign := self.take(*COMPARISONS):
            left = ("compare", sign, left, self.sum())
            if self.take(*COMPARISONS):
                raise Reason(f"one comparison at a time: join them with `and` (in `{self.text.strip()}`)")
        return left

    def sum(self) -> Tree:
        left = self.term()
        while sign := self.take("+", "-"):
            left = ("binary", sign, left, self.term())
        return left

    def term(self) -> Tree:
        left = self.signed()
        while sign := self.take("*", "/", "//", "%"):
            left = ("binary", sign, left, self.signed())
        return left

    def signed(self) -> Tree:
        minus = False
        while sign := self.take("-", "+"):
            minus ^= sign == "-"
        tree = self.power()
        return ("minus", "-", tree) if minus else tree

    def power(self) -> Tree:
        left = self.indexed()
        return ("binary", "**", left, self.signed()) if self.take("**") else left

    def indexed(self) -> Tree:
        tree = self.atom()
        while self.take("["):
            tree = ("index", "[ ]", tree, self.expression())
            self.need("]")
        return tree

    def atom(self) -> Tree:
        kind, text = self.peek()
        self.position += 1
        if kind == "number":
            number = float(text) if re.search(r"[.eE]", text) else int(text)
            if number > MAX_NUMBER:
                raise Reason(f"a number beyond 10^15 (in `{self.text.strip()}`)")
            return ("value", number)
        if kind == "text":
            return ("value", text[1:-1])
        if kind == "word" and text in ("true", "false"):
            return ("value", text == "true")
        if kind == "name":
            return self.call(text) if self.take("(") else ("name", text)
        if (kind, text) == ("sign", "("):
            tree = self.expression()
            self.need(")")
            return tree
        self.position -= 1
        self.fail("a value is missing")
        raise AssertionError

    def call(self, name: str) -> Tree:
        if name not in FUNCTIONS:
            allowed = ", ".join(FUNCTIONS)
            raise Reason(f"unknown function `{name}`; allowed: {allowed}{did_you_mean(name, FUNCTIONS)}")
        arguments = [self.expression()]
        while self.take(","):
            arguments.append(self.expression())
        self.need(")")
        return ("call", name, *arguments)
