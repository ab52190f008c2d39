"""BoundNetwork -> the places at which its units differ: first, inner, transition. No torch here."""

from __future__ import annotations

from resbench.compiler.graph import BoundNetwork, Graph


def places(bound: BoundNetwork) -> dict[str, tuple[str, Graph]]:
    """Return path and graph of the first unit, of the next that keeps the shape, and of the first after it that changes
    the shape.
    """
    units = [(path, graph) for path, graph in bound.parts() if ".units." in path]
    found = {"first": units[0]}
    for path, graph in units[1:]:
        place = "inner" if graph.input_shape == graph.output_shape else "transition"
        found.setdefault(place, (path, graph))
    return found
