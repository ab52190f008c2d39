"""Drafts that differ only in numbers -> the constructor of their class: its arguments and their names.

A number that all drafts share stays a constant, except for the sizes of input and output; numbers that always vary
together are one argument, named after what it equals: `channels` in, `out`, `stride`. A fixed fraction or multiple of
those is written as such: `out // 4`. One draft alone has no known variation, so its class takes no arguments.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass

from resbench.compiler.export.python.ast_tools import constant, names, parse
from resbench.compiler.export.python.draft import Draft
from resbench.compiler.export.python.named_numbers import MARK

Vector = tuple[int | float, ...]
_SIZES = ("channels", "out", "groups")  # arguments that may equal another for a reason
_CLEAR = ("rate", "groups", "kernel", "dilation")  # arguments whose names are clear by themselves
_IN_PLACE = 2  # uses; a computed value that is used more often gets a name


@dataclass(frozen=True, slots=True)
class Constructor:
    """A constructor. `arguments`: their values for each draft. `local`: names computed from them. `written`: each
    number's expression.
    """

    arguments: dict[str, Vector]
    local: dict[str, ast.expr]
    written: dict[str, ast.expr]


def constructor(drafts: Sequence[Draft], trees: Sequence[ast.expr]) -> Constructor:
    """Return the constructor; `trees` are all expressions of the class for the first draft; no argument has the name of
    one of its layers.
    """
    uses = Counter(name for tree in trees for name in names(tree) if MARK in name)
    numbers = {name: tuple(draft.numbers[name] for draft in drafts) for name in uses if name in drafts[0].numbers}
    members = {*drafts[0].members, *drafts[0].inputs, *(name for name, _ in drafts[0].lines)}
    sizes = {_unused(name, members): _size(drafts, end) for end, name in enumerate(("channels", "out"))}
    of_layers = {name for tree in drafts[0].members.values() for name in names(tree)}
    written: dict[str, ast.expr] = {}
    varying: dict[Vector, list[str]] = {}
    for name, vector in numbers.items():
        is_size = vector in sizes.values() and name in of_layers and _argument(name) in _SIZES
        if len(drafts) == 1 or (_same(vector) and not is_size):
            written[name] = constant(vector[0])
        else:
            varying.setdefault(vector, []).append(name)
    arguments: dict[str, Vector] = {}
    local: dict[str, ast.expr] = {}
    for vector, group in varying.items():
        base = _part_of(vector, sizes) if any(_argument(name) in ("channels", "out") for name in group) else None
        if base is None:
            chosen = _unused(_called(vector, group, sizes), arguments, local, members)
            arguments[chosen] = vector
            expression: ast.expr = ast.Name(chosen)
        else:
            key, text = base
            arguments.setdefault(key, sizes[key])
            expression = parse(text)
            if sum(uses[name] for name in group) > _IN_PLACE:
                chosen = _unused("mid", arguments, local, members)
                local[chosen], expression = expression, ast.Name(chosen)
        written |= dict.fromkeys(group, expression)
    return Constructor(dict(sorted(arguments.items(), key=lambda item: _rank(item[0]))), local, written)


def _same(vector: Vector) -> bool:
    return len(set(vector)) == 1


def _size(drafts: Sequence[Draft], end: int) -> Vector:
    return tuple(draft.sizes[end][0] for draft in drafts)


def _argument(name: str) -> str:
    """Return the number's argument name in its op: the last part of its name that is not an index in a pair."""
    return next(part for part in reversed(name.split(MARK)) if not part.isdigit())


def _called(vector: Vector, group: list[str], sizes: dict[str, Vector]) -> str:
    for name, size in sizes.items():
        if vector == size:
            return name
    found = {_argument(name) for name in group}
    if "stride" in found:
        return "stride"
    if found & {"channels", "out"}:
        return "mid"
    argument = _argument(group[0])
    op = next((p for p in reversed(group[0].split(MARK)) if p != argument and not p.isdigit()), "")
    return argument if argument in _CLEAR or not op else f"{op.rstrip('0123456789')}_{argument}"


def _part_of(vector: Vector, sizes: dict[str, Vector]) -> tuple[str, str] | None:
    """Return (`out`, `out // 4`) for numbers that are always a fourth of the output channels."""
    if vector in sizes.values():
        return None
    (first, second) = sizes
    for name in (second, first) if sizes[first] != sizes[second] else (first,):
        size = sizes[name]
        down = {s / v for s, v in zip(size, vector, strict=True)}
        up = {v / s for s, v in zip(size, vector, strict=True)}
        for ratios, text in ((down, "{name} // {ratio}"), (up, "{ratio} * {name}")):
            (ratio, *others) = ratios
            if not others and ratio.is_integer() and not _same(size):
                return name, text.format(name=name, ratio=int(ratio))
    return None


def _unused(name: str, *taken: Container[str]) -> str:
    chosen, number = name, 2
    while any(chosen in names for names in taken):
        chosen, number = f"{name}{number}", number + 1
    return chosen


def _rank(name: str) -> int:
    return {"channels": 0, "out": 1, "stride": 2}.get(name, 3)
