"""Points of a study -> those that are a unit of the library under another name, by digest."""

from __future__ import annotations

from collections.abc import Collection

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.identity.canonical import canonical
from resbench.errors import BadInput
from resbench.language.graph.network import Use
from resbench.language.yaml.node import Node
from resbench.search.point import Point
from resbench.search.space import Space


def library_names(space: Space, points: Collection[Point]) -> dict[str, str]:
    """Return, for units that the study writes itself, the point's name -> the library's. Units are tried with their defaults."""
    written = {entry.label for entry in space.spec.units if entry.arrange is not None}
    of_mutants = {entry.label for entry in space.spec.units if entry.mutate is not None}
    ours = [
        point for point in points if point.unit in written or any(point.unit.startswith(f"{m}_") for m in of_mutants)
    ]
    if not ours:
        return {}
    names: dict[str, str] = {}
    for name in space.library.names("unit"):
        request = Request(space.spec.network, Use(name, {}, Node(name)), space.info.input_shape, space.info.n_classes)
        try:
            names.setdefault(canonical(bind_network(request, space.library)).digest, name)
        except BadInput:  # it does not fit into this network
            continue
    return {point.name: names[point.digest] for point in ours if point.digest in names}
