"""An architecture as stored in a database -> its drawing, shape tables and text; a failure is reported, not raised.

The unit's file is not needed: the canonical network is stored. Computing the cost of an op builds its module on `meta`, so this
requires torch, and the plugin for an op of a plugin; where one is missing, only the canonical text is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from resbench.compiler.graph import BoundNetwork, BoundOp, Graph
from resbench.compiler.identity.serialize import from_json
from resbench.compiler.identity.unit_positions import places
from resbench.drawing.format import count, times
from resbench.escape import LONGEST, printable
from resbench.language.yaml.node import flow
from resbench.store.records import ArchitectureRecord

if TYPE_CHECKING:
    from resbench.drawing.annotated import ShownGraph

_LONGEST = 300  # characters of an error


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts. `head` holds the names of the columns, with a leading `>` for columns of numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class DrawnUnit:
    """A unit as the report shows it.

    Attributes:
        text: the bound unit, in YAML.
        spec: the network, in JSON.
        problem: why there is no drawing and no shape table; empty where there is.
    """

    svg: str
    tables: tuple[Table, ...]
    text: str
    spec: str
    problem: str


def draw_unit(stored: ArchitectureRecord, name: str) -> DrawnUnit:
    """Draw the unit of a stored architecture. `name` is the unit's name in the ranking."""
    spec = _pretty(stored.spec)
    try:
        bound = from_json(stored.spec)
        text = "\n".join(_text(place, path, graph) for place, (path, graph) in places(bound).items())
    except Exception as error:  # whatever is wrong with the stored network, the rest of the report is still written
        return DrawnUnit("", (), "", spec, f"the stored network cannot be read: {_error_text(error)}")
    try:
        return DrawnUnit(*_drawn(bound, name), text, spec, "")
    except Exception as error:  # an op of a plugin may raise anything, or be missing
        return DrawnUnit("", (), text, spec, f"this unit cannot be drawn here: {_error_text(error)}")


def _drawn(bound: BoundNetwork, name: str) -> tuple[str, tuple[Table, ...]]:
    from resbench.drawing.annotated import AnnotatedView, show_graph
    from resbench.drawing.formats.svg import svg

    graphs = places(bound)
    shown = {place: show_graph(graph) for place, (_, graph) in graphs.items()}
    place = "inner" if "inner" in graphs else "first"
    picture = svg([AnnotatedView(name, place, bound.name, graphs[place][0], "", shown[place])])
    tables = [_ops(f"{place} place ({graphs[place][0]})", graph) for place, graph in shown.items()]
    return picture, (*tables, _network(bound))


def _ops(title: str, graph: ShownGraph) -> Table:
    def read(i: int) -> str:
        return graph.ops[i - 1].path if i else "x"

    rows = tuple(
        (
            printable(op.path), printable(op.label, 120), printable(", ".join(map(read, op.inputs)), 200),
            times(op.shape), count(op.params or None), count(op.macs or None),
        )
        for op in graph.ops
    )  # fmt: skip
    return Table(title, ("op", "description", "inputs", "output C×H×W", ">params", ">MACs"), rows)


def _network(bound: BoundNetwork) -> Table:
    """Return the table of the whole network, with equal neighbours in one row."""
    from resbench.drawing.annotated import show_graph

    parts = [(path, graph, show_graph(graph)) for path, graph in bound.parts() if graph.ops]
    rows = []
    for _, same in groupby(parts, key=lambda part: part[1]):
        group = list(same)
        first, graph, shown = group[0]
        where = first if len(group) == 1 else f"{first} … {group[-1][0].rpartition('.')[2]}"
        shape = f"{times(graph.input_shape)} → {times(graph.output_shape)}"
        rows.append((where, str(len(group)), shape, count(shown.params), count(shown.macs)))
    return Table(
        "the whole network", ("part", ">count", "shape C×H×W", ">params of each", ">MACs of each"), tuple(rows)
    )


def _text(place: str, path: str, graph: Graph) -> str:
    """Return YAML: every op with its arguments, its inputs, and the shape of its output."""
    head = f"# {place} place ({printable(path, LONGEST)}); x is {times(graph.input_shape)}"
    values = [_op(op, graph) for op in graph.ops]
    return "\n".join([head, *(f"- {flow(value, strict=True)}" for value in values), ""])


def _op(op: BoundOp, graph: Graph) -> dict[str, Any]:
    reads = ["x" if i == 0 else graph.ops[i - 1].path for i in op.inputs]
    return {op.path: {op.op: _arguments(op)}, "from": reads, "gives": list(op.shape)}


def _arguments(op: BoundOp) -> Mapping[str, Any]:
    """Return the arguments of an op; a graph inside an op is written as a list of ops."""
    return {
        name: [_op(inner, value) for inner in value.ops] if isinstance(value, Graph) else value
        for name, value in op.arguments
    }


def _pretty(spec: str) -> str:
    """Return the JSON with one graph per line; a text that is not such JSON is returned unchanged."""
    try:
        data = json.loads(spec)
        graphs = data.pop("graphs")
    except (ValueError, KeyError, AttributeError, TypeError):
        return spec
    lines = ",\n    ".join(json.dumps(graph, separators=(",", ":")) for graph in graphs)
    return f'{json.dumps(data)[:-1]}, "graphs": [\n    {lines}]}}'


def _error_text(error: Exception) -> str:
    return printable(f"{type(error).__name__}: {error}", _LONGEST)
