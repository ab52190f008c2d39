"""The units of a network -> their places and the names of their classes; inner places have the unit's own name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from resbench.compiler.export.python.classes import Class, Classes, camel
from resbench.compiler.export.python.draft import Draft
from resbench.compiler.graph import Graph

WORDS = {
    "First": "The first of the network.", "Last": "The last of the network.",
    "Transition": "Where the size of the map changes.", "Widening": "Where the number of channels changes.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NamedUnit:
    """One unit of the network: its name, what was bound, its class's draft, and one of WORDS or nothing."""

    unit: str
    graph: Graph
    draft: Draft
    place: str


def place(number: int, count: int, graph: Graph) -> str:
    """Return the place of the unit of that number among `count`.

    >>> place(1, 3, Graph((16, 8, 8), (), 0))
    ''
    """
    if number == 0:
        return "First"
    if graph.input_shape[1:] != graph.output_shape[1:]:
        return "Transition"
    return "Widening" if graph.input_shape != graph.output_shape else "Last" if number == count - 1 else ""


def name_units(classes: Classes, units: Sequence[NamedUnit]) -> dict[str, str]:
    """Rename the classes, and return a description of each one's place by its name."""
    where: dict[str, Counter[str]] = {}
    for unit in units:
        where.setdefault(classes.of(unit.draft).name, Counter())[unit.place] += 1
    by_title: dict[str, list[Class]] = {}
    for one in [one for one in classes.all if one.name in where]:
        by_title.setdefault(one.title, []).append(one)
    described: dict[str, str] = {}
    for title, own in by_title.items():
        plain = max(own, key=lambda one: (where[one.name][""], sum(where[one.name].values())))
        for one in own:
            counts = where[one.name]
            suffix = "" if one is plain else max(counts, key=lambda p: (counts[p], p != "First"))
            wanted = camel(title) + suffix
            name = one.name if one.name == wanted else classes.rename(one, wanted)
            described[name] = WORDS[suffix] if suffix else ""
    return described
