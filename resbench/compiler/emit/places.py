"""The units of a network -> the place of each, and the names of their classes: the unit's own for inner places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from resbench.compiler.emit.classes import Class, Classes, camel
from resbench.compiler.emit.draft import Draft
from resbench.compiler.graph import Graph

WORDS = {
    "Transition": "Where the shape changes.", "First": "The first of the network.", "Last": "The last of the network.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Placed:
    """One unit of the network: its name, what was bound, its class's draft, and Transition, First, Last or nothing."""

    unit: str
    graph: Graph
    draft: Draft
    place: str


def place(number: int, count: int, graph: Graph) -> str:
    """Of the unit of that number among `count`.

    >>> place(1, 3, Graph((16, 8, 8), (), 0))
    ''
    """
    if graph.input_shape != graph.output_shape:
        return "Transition"
    return "First" if number == 0 else "Last" if number == count - 1 else ""


def name_units(classes: Classes, units: Sequence[Placed]) -> dict[str, str]:
    """Rename the classes; what is to be said of where each stands, by its name."""
    where: dict[str, Counter[str]] = {}
    for unit in units:
        where.setdefault(classes.of(unit.draft).name, Counter())[unit.place] += 1
    by_title: dict[str, list[Class]] = {}
    for one in [one for one in classes.all if one.name in where]:
        by_title.setdefault(one.title, []).append(one)
    said: dict[str, str] = {}
    for title, own in by_title.items():
        plain = max(own, key=lambda one: (where[one.name][""], sum(where[one.name].values())))
        for one in own:
            suffix = "" if one is plain else where[one.name].most_common(1)[0][0]
            wanted = camel(title) + suffix
            name = one.name if one.name == wanted else classes.rename(one, wanted)
            said[name] = WORDS[suffix] if suffix else ""
    return said
