"""Graphs of a network -> warnings about legal but unusual structure, each with a fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resbench.compiler.graph import BoundStage, Graph
from resbench.compiler.identity.depth import weight_layers
from resbench.ops.registry import kind


def cautions(stages: Sequence[BoundStage], head: Graph, layers: int | None) -> Iterator[str]:
    """Return the warnings; `layers` is the number in the unit's boundary, where the network counts its depth by it."""
    units = [unit for stage in stages for unit in stage.units]
    if _is_raw_sum(units[-1]) and _prepares_its_input(units[-1]) and not _prepares_its_input(head):
        yield (
            "it begins with a norm or an activation and ends in a sum, and there is no op between the last sum and the head: "
            "`boundary: {after_last: [bn, relu]}` puts it there"
        )
    inner = units[1 if len(units) > 1 else 0]
    if layers is not None and all(kind(op.op).role is not None for _, op in inner.walk()):
        longest = weight_layers(inner)
        if longest != layers:
            yield (
                f"its longest branch has {longest} weight layers and its boundary says {layers}, so `depth` does not count the "
                f"network's layers; `boundary: {{layers: {longest}}}` does"
            )


def _is_raw_sum(graph: Graph) -> bool:
    return graph.output > 0 and kind(graph.ops[graph.output - 1].op).joins == "sum"


def _prepares_its_input(graph: Graph) -> bool:
    """Return whether a norm or an activation is the first op on the input."""
    same = {0}
    for number, op in enumerate(graph.ops, start=1):
        if not same & set(op.inputs):
            continue
        what = kind(op.op)
        if what.role in ("norm", "activation"):
            return True
        if what.channels is not None and None not in what.channels(
            dict(op.arguments), graph.shapes[op.inputs[0]][0]
        ):  # only channels of its input, possibly reordered
            same.add(number)
    return False
