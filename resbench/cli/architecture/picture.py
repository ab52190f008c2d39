"""Words of the command line -> Picture of a unit: what `resbench unit show` and `resbench.draw` show."""

from __future__ import annotations

import shutil
import sys

from resbench.cli.architecture.binding import bind_unit, places
from resbench.cli.terminal import can_print, write, write_file
from resbench.compiler.graph import BoundNetwork, Graph
from resbench.drawing.annotated import AnnotatedView, ShownGraph, show_graph
from resbench.drawing.picture import Picture
from resbench.drawing.picture_format import Format
from resbench.errors import BadInput, did_you_mean
from resbench.escape import printable
from resbench.language.graph.unit import UnitSpec

_UNBOUNDED = 1_000_000  # columns, where no terminal says how many it has
PLACES = ("first", "inner", "transition", "all")


def draw(unit: str, *words: str, place: str | None = None) -> Picture:
    """Return the picture of a unit, by its name or its file; words and places as in `resbench unit show`.

    >>> print(draw("plain", "width=8").text.splitlines()[2])
    inner place in resnet_cifar (stages.0.units.1): 8×32×32 → 8×32×32, 1.18k params · 1.18M MACs
    """
    spec, bound = bind_unit(unit, words)
    found = places(bound)
    return Picture(tuple(_view(spec, bound, name, *found[name]) for name in _chosen(spec, bound, list(found), place)))


def as_json(picture: Picture) -> list[dict[str, object]]:
    """Return a place each, its ops in running order; `inputs` are paths of ops, or x."""
    return [
        {
            "unit": view.unit, "network": view.network, "place": view.place, "path": view.path,
            "input": list(view.graph.input_shape), "output": list(view.graph.output_shape),
            "params": view.graph.params, "macs": view.graph.macs, **_ops(view.graph),
        }
        for view in picture.views
    ]  # fmt: skip


def print_picture(picture: Picture, how: Format) -> None:
    """On stdout: text as wide as the terminal and in characters that it has, the rest as it would stand in a file."""
    if how == "text":
        width = shutil.get_terminal_size((_UNBOUNDED, 24)).columns
        write(picture.lines(width=width, ascii_only=not can_print(sys.stdout, "│╭●×‖−→·…")))
    else:
        write_file(picture.render(how).decode("utf-8"))


def _chosen(spec: UnitSpec, bound: BoundNetwork, found: list[str], place: str | None) -> list[str]:
    """Return the inner place where none is named; where a net has none, its first."""
    if place is None:
        return ["inner"] if "inner" in found else found[:1]
    if place == "all":
        return found
    if place not in PLACES:
        raise BadInput(f"place `{printable(place)}`: choose from {', '.join(PLACES)}{did_you_mean(place, PLACES)}")
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
