"""A unit in a network -> Picture: what `resbench unit show` and `resbench.draw` show."""

from __future__ import annotations

from resbench.compiler.graph import BoundNetwork, Graph
from resbench.compiler.identity.unit_positions import places
from resbench.did_you_mean import did_you_mean
from resbench.drawing.annotated import AnnotatedView, ShownGraph, show_graph
from resbench.drawing.picture import Picture
from resbench.errors import BadInput
from resbench.escape import printable
from resbench.language.graph.unit import UnitSpec

PLACES = ("first", "inner", "transition", "all")


def picture_of(spec: UnitSpec, bound: BoundNetwork, place: str | None) -> Picture:
    """Return the picture of the unit in the network that was bound with it."""
    found = places(bound)
    return Picture(tuple(_view(spec, bound, name, *found[name]) for name in _chosen(spec, bound, list(found), place)))


def as_json(picture: Picture) -> list[dict[str, object]]:
    """Return each place with its ops in execution order; `inputs` are paths of ops, or x."""
    return [
        {
            "unit": view.unit, "network": view.network, "place": view.place, "path": view.path,
            "input": list(view.graph.input_shape), "output": list(view.graph.output_shape),
            "params": view.graph.params, "macs": view.graph.macs, **_ops(view.graph),
        }
        for view in picture.views
    ]  # fmt: skip


def _chosen(spec: UnitSpec, bound: BoundNetwork, found: list[str], place: str | None) -> list[str]:
    """Return the named place or places; by default the inner place, or the first if there is none."""
    if place is None:
        return ["inner"] if "inner" in found else found[:1]
    if place == "all":
        return found
    if place not in PLACES:
        raise BadInput(f"place: expected {', '.join(PLACES)}, got `{printable(place)}`{did_you_mean(place, PLACES)}")
    if place not in found:
        raise BadInput(f"{spec.name} has no {place} place in {bound.name}; its places there: {', '.join(found)}")
    return [place]


def _view(spec: UnitSpec, bound: BoundNetwork, place: str, path: str, graph: Graph) -> AnnotatedView:
    return AnnotatedView(spec.name, place, bound.name, path, spec.doc, show_graph(graph))


def _ops(graph: ShownGraph) -> dict[str, object]:
    def read(i: int) -> str:
        return graph.ops[i - 1].path if i else "x"

    ops: list[dict[str, object]] = []
    for op in graph.ops:
        ops.append({
            "path": op.path, "op": op.op, "label": op.label, "inputs": [read(i) for i in op.inputs],
            "shape": list(op.shape), "params": op.params, "macs": op.macs,
        })  # fmt: skip
        if op.inner:
            ops[-1]["inner"] = {name: _ops(inner) for name, inner in op.inner}
    return {"ops": ops, "result": read(graph.output)}
