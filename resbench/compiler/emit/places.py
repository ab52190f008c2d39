"""Classes of one unit -> their names: the unit's own for the class of its inner places, a word on the place for others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from resbench.compiler.emit.classes import Class, Classes, camel
from resbench.compiler.emit.draft import Draft
from resbench.compiler.graph import Graph


def name_units(classes: Classes, places: Sequence[tuple[str, Graph, Draft]]) -> None:
    """`places`: every unit of the network in running order."""
    where: dict[str, Counter[str]] = {}
    for number, (_, graph, draft) in enumerate(places):
        changes = graph.input_shape != graph.output_shape
        first, last = number == 0, number == len(places) - 1
        place = "Transition" if changes else "First" if first else "Last" if last else ""
        where.setdefault(classes.of(draft).name, Counter())[place] += 1
    by_title: dict[str, list[Class]] = {}
    for one in [one for one in classes.all if one.name in where]:
        by_title.setdefault(one.title, []).append(one)
    for title, own in by_title.items():
        plain = max(own, key=lambda one: (where[one.name][""], sum(where[one.name].values())))
        for one in own:
            if one is not plain:
                classes.rename(one, camel(title) + where[one.name].most_common(1)[0][0])
        if plain.name != camel(title):
            classes.rename(plain, camel(title))
