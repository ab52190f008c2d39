"""Units one after the other -> the arguments of their stage: many alike, or with numbers in a row, as a comprehension."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from resbench.compiler.emit.classes import Class, made
from resbench.compiler.emit.syntax import constant, parse

FEW = 2  # units that are written out


@dataclass(frozen=True, slots=True)
class Made:
    """One unit: its class and what the constructor is given."""

    what: Class
    values: Mapping[str, int | float]


def series(units: Sequence[Made]) -> list[ast.expr]:
    """Expressions that stand for all of them, in order."""
    found: list[ast.expr] = []
    for _, group in groupby(units, key=lambda unit: unit.what.name):
        row = list(group)
        varying = [key for key in row[0].values if len({unit.values[key] for unit in row}) > 1]
        if len(row) > FEW and len(varying) == 1 and len({unit.values[varying[0]] for unit in row}) > len(row) / 2:
            found.append(_over(row, varying[0]))
        else:
            found += [tree for _, alike in groupby(row, key=_arguments) for tree in _alike(list(alike))]
    return found


def _arguments(unit: Made) -> tuple[int | float, ...]:
    return tuple(unit.values.values())


def _alike(units: list[Made]) -> list[ast.expr]:
    tree = made(units[0].what, {key: constant(value) for key, value in units[0].values.items()})
    if len(units) <= FEW:
        return [tree] * len(units)
    return [_comprehension(tree, "_", parse(f"range({len(units)})"))]


def _over(units: list[Made], name: str) -> ast.expr:
    values = {key: constant(value) for key, value in units[0].values.items()} | {name: ast.Name(name)}
    numbers = [unit.values[name] for unit in units]
    steps = {b - a for a, b in pairwise(numbers)}
    whole = all(isinstance(number, int) for number in numbers)
    row = parse(f"range({numbers[0]}, {numbers[-1] + min(steps)}, {min(steps)})") if whole and len(steps) == 1 else None
    return _comprehension(made(units[0].what, values), name, row or constant(tuple(numbers)))


def _comprehension(tree: ast.expr, name: str, over: ast.expr) -> ast.expr:
    loop = ast.comprehension(ast.Name(name), over, [], 0)
    return ast.Starred(ast.ListComp(tree, [loop]))
