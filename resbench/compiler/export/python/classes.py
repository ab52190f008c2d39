"""Drafts -> classes: one for each structure, whatever its numbers; blocks come before the units that use them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace

from resbench.compiler.export.python.ast_tools import constant, names, parse, replaced, tidied
from resbench.compiler.export.python.constructor import Constructor, constructor
from resbench.compiler.export.python.copied_ops import RESERVED, CopiedOps
from resbench.compiler.export.python.draft import Draft
from resbench.compiler.export.python.named_numbers import name_of

_POSITIONAL = ("channels", "out")


@dataclass(frozen=True, slots=True)
class Class:
    """`members`, `lines`, `starts` with the constructor's names in place of numbers; `kept`: the names that `forward`
    reads. The source of a class.
    """

    name: str
    title: str
    inputs: tuple[str, ...]
    constructor: Constructor
    members: dict[str, ast.expr]
    lines: list[tuple[str, ast.expr]]
    starts: list[ast.expr]
    kept: list[str]


class Classes:
    """All classes of a file, in the order of their definitions."""

    def __init__(self, copies: CopiedOps) -> None:
        self.copies = copies
        self.all: list[Class] = []
        self._of: dict[int, tuple[Class, int]] = {}  # by the draft's id: its class, and which of its drafts it is

    def add(self, drafts: Iterable[Draft]) -> None:
        """Add the drafts and those that they contain, from the inside out."""
        levels: dict[int, list[Draft]] = {}
        for draft in drafts:
            _level(draft, levels)
        for _, level in sorted(levels.items()):
            alike: dict[str, list[tuple[Draft, Draft]]] = {}
            for draft in level:
                finished = self.finished(draft)
                alike.setdefault(_text(finished), []).append((draft, finished))
            for group in alike.values():
                one = self.one([finished for _, finished in group])
                self._of |= {id(draft): (one, i) for i, (draft, _) in enumerate(group)}
                self.all.append(one)

    def rename(self, old: Class, name: str) -> str:
        """Rename a class and return its new name: `name`, with a number where that is taken."""
        new = replace(old, name=self.free(name))
        self.all = [new if one is old else one for one in self.all]
        self._of = {key: (new if one is old else one, i) for key, (one, i) in self._of.items()}
        return new.name

    def finished(self, draft: Draft) -> Draft:
        """Return the draft with calls of its blocks' classes, whose arguments are its own numbers."""
        numbers = dict(draft.numbers)
        calls: dict[str, ast.expr] = {}
        for placeholder, block in draft.blocks.items():
            path = placeholder[1:]
            values = self.arguments(block)
            numbers |= {name_of(path, key): value for key, value in values.items()}
            calls[placeholder] = made(self.of(block), {key: ast.Name(name_of(path, key)) for key in values})
        members = {name: replaced(tree, calls.get) for name, tree in draft.members.items()}
        return replace(draft, members=members, numbers=numbers)

    def one(self, drafts: list[Draft]) -> Class:
        first = drafts[0]
        starts = [parse(text) for text in first.starts]
        own = constructor(drafts, [*first.members.values(), *(tree for _, tree in first.lines), *starts])

        def put(tree: ast.expr) -> ast.expr:
            return tidied(replaced(tree, own.written.get), self.copies.defaults)

        lines = [(name, put(tree)) for name, tree in first.lines]
        kept = [k for k in (*own.arguments, *own.local) if any(k in names(tree) for _, tree in lines)]
        of_self = {name: parse(f"self.{name}") for name in kept}
        return Class(
            self.free(camel(first.title)), first.title, first.inputs, own,
            {name: put(tree) for name, tree in first.members.items()},
            [(name, replaced(tree, of_self.get)) for name, tree in lines], [put(tree) for tree in starts], kept,
        )  # fmt: skip

    def of(self, draft: Draft) -> Class:
        return self._of[id(draft)][0]

    def arguments(self, draft: Draft) -> dict[str, int | float]:
        """Return the arguments of the class's constructor for this draft."""
        found, i = self._of[id(draft)]
        return {name: vector[i] for name, vector in found.constructor.arguments.items()}

    def call(self, draft: Draft) -> ast.expr:
        return made(self.of(draft), {key: constant(value) for key, value in self.arguments(draft).items()})

    def free(self, name: str) -> str:
        taken = {one.name for one in self.all} | set(self.copies.trees) | set(self.copies.imports) | RESERVED
        chosen, number = name, 2
        while chosen in taken:
            chosen, number = f"{name}{number}", number + 1
        return chosen


def made(what: Class, values: dict[str, ast.expr]) -> ast.expr:
    """Return the call of a class's constructor."""
    first = [values[key] for key in _POSITIONAL if key in values]
    rest = [ast.keyword(key, value) for key, value in values.items() if key not in _POSITIONAL]
    return ast.Call(ast.Name(what.name), first, rest)


def camel(name: str) -> str:
    """Return a spec's name as the name of a class.

    >>> camel("full_preactivation"), camel("resnet_cifar")
    ('FullPreactivation', 'ResnetCifar')
    """
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _level(draft: Draft, levels: dict[int, list[Draft]]) -> int:
    """Return how deeply classes are nested in a draft: drafts of one structure have one level."""
    level = 1 + max((_level(block, levels) for block in draft.blocks.values()), default=-1)
    levels.setdefault(level, []).append(draft)
    return level


def _text(draft: Draft) -> str:
    """Return a text that is equal for drafts that differ only in numbers."""
    members = [f"{name}={ast.unparse(tree)}" for name, tree in draft.members.items()]
    lines = [f"{name}={ast.unparse(tree)}" for name, tree in draft.lines]
    return "\n".join([draft.title, *draft.inputs, *members, *lines, *draft.starts])
