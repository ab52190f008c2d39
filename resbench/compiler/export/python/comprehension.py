"""A sequence of units -> the arguments of their stage; equal units, or units with arithmetic progressions, become a
comprehension.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from resbench.compiler.export.python.ast_tools import constant, parse
from resbench.compiler.export.python.classes import Class, made

FEW = 2  # up to this many units are written out


@dataclass(frozen=True, slots=True)
class UnitCall:
    """A call that makes one unit: its class and the constructor's arguments."""

    what: Class
    values: Mapping[str, int | float]


def series(units: Sequence[UnitCall]) -> list[ast.expr]:
    """Return expressions that make all units, in order."""
    found: list[ast.expr] = []
    for _, group in groupby(units, key=lambda unit: unit.what.name):
        row = list(group)
        varying = [key for key in row[0].values if len({unit.values[key] for unit in row}) > 1]
        different = len({_arguments(unit) for unit in row}) > len(row) / 2
        if len(row) > FEW and different and varying and _follow(row, varying):
            found.append(_over(row, varying))
        else:
            found += [tree for _, alike in groupby(row, key=_arguments) for tree in _alike(list(alike))]
    return found


def _arguments(unit: UnitCall) -> tuple[int | float, ...]:
    return tuple(unit.values.values())


def _alike(units: list[UnitCall]) -> list[ast.expr]:
    tree = made(units[0].what, {key: constant(value) for key, value in units[0].values.items()})
    if len(units) <= FEW:
        return [tree] * len(units)
    return [_comprehension(tree, "_", parse(f"range({len(units)})"))]


def _follow(units: list[UnitCall], names: list[str]) -> bool:
    """Return whether each varying argument is an integer at a constant distance from the first."""
    first, *rest = names
    return all(
        isinstance(units[0].values[name], int) and len({unit.values[name] - unit.values[first] for unit in units}) == 1
        for name in rest
    )


def _over(units: list[UnitCall], names: list[str]) -> ast.expr:
    name, *rest = names
    start = units[0].values
    values = {key: constant(value) for key, value in start.items()} | {name: ast.Name(name)}
    values |= {other: parse(f"{name} + {start[other] - start[name]}") for other in rest}
    return _comprehension(made(units[0].what, values), name, _row([unit.values[name] for unit in units]))


def _row(numbers: list[int | float]) -> ast.expr:
    """Return `range(16, 64, 8)` where the numbers are a range, else the numbers."""
    steps = {b - a for a, b in pairwise(numbers)}
    if len(steps) > 1 or not all(isinstance(number, int) for number in numbers):
        return constant(tuple(numbers))
    (step,) = steps
    return parse(f"range({numbers[0]}, {numbers[-1] + step}{'' if step == 1 else f', {step}'})")


def _comprehension(tree: ast.expr, name: str, over: ast.expr) -> ast.expr:
    loop = ast.comprehension(ast.Name(name), over, [], 0)
    return ast.Starred(ast.ListComp(tree, [loop]))
