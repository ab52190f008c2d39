"""BoundNetwork <-> JSON text: the stored form of an architecture, from which it can be built again without any YAML.

Equal graphs (mostly units of one stage) are written once.
"""

from __future__ import annotations

import json
from typing import Any

from resbench.compiler.graph import BoundNetwork, BoundOp, BoundStage, Graph

FORMAT = 1


def to_json(network: BoundNetwork) -> str:
    graphs: dict[str, int] = {}

    def number(graph: Graph) -> int:
        return graphs.setdefault(json.dumps(_graph(graph), separators=(",", ":")), len(graphs))

    layout = {
        "format": FORMAT,
        "network": network.name,
        "unit": network.unit,
        "classes": network.classes,
        "stem": number(network.stem),
        "stages": [[number(s.before), [number(unit) for unit in s.units]] for s in network.stages],
        "head": number(network.head),
    }
    return json.dumps(layout | {"graphs": [json.loads(text) for text in graphs]}, separators=(",", ":"))


def from_json(text: str) -> BoundNetwork:
    """Return the network. Raise ValueError for a format that this version does not know."""
    data = json.loads(text)
    if data["format"] != FORMAT:
        raise ValueError(f"architecture format {data['format']}; this version reads {FORMAT}")
    graphs = [_from_graph(graph) for graph in data["graphs"]]
    return BoundNetwork(
        data["network"],
        data["unit"],
        graphs[data["stem"]],
        tuple(BoundStage(graphs[before], tuple(graphs[unit] for unit in units)) for before, units in data["stages"]),
        graphs[data["head"]],
        data["classes"],
    )


def _graph(graph: Graph) -> list[Any]:
    ops = [[op.path, op.op, _written(op), op.inputs, op.shape] for op in graph.ops]
    return [graph.input_shape, ops, graph.output]


def _written(op: BoundOp) -> dict[str, Any]:
    return {key: {"graph": _graph(value)} if isinstance(value, Graph) else value for key, value in op.arguments}


def _from_graph(data: list[Any]) -> Graph:
    shape, ops, output = data
    return Graph(
        tuple(shape),
        tuple(BoundOp(path, op, tuple(sorted(_arguments(a).items())), tuple(i), tuple(s)) for path, op, a, i, s in ops),
        output,
    )


def _arguments(data: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with tuples for JSON's lists, also for the pairs of {normal: sd}."""
    return {key: _tuple(value) for key, value in data.items()}


def _tuple(value: Any) -> Any:
    if isinstance(value, dict):
        return _from_graph(value["graph"])
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
