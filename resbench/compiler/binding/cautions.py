"""Graphs of a network -> what is allowed and seldom meant in them, in sentences, each with what would mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resbench.compiler.graph import BoundStage, Graph
from resbench.compiler.identity.depth import weight_layers
from resbench.ops.registry import kind


def cautions(stages: Sequence[BoundStage], head: Graph, layers: int | None) -> Iterator[str]:
    """`layers`: of a unit, as its boundary says, where the network counts its depth by them."""
    units = [unit for stage in stages for unit in stage.units]
    if _is_raw_sum(units[-1]) and _prepares_its_input(units[-1]) and not _prepares_its_input(head):
        yield (
            "it begins with a norm or an activation and ends in a sum, and nothing stands between the last sum and the head: "
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
    """Return whether a norm or an activation is the first that works on the input."""
    same = {0}
    for number, op in enumerate(graph.ops, start=1):
        if not same & set(op.inputs):
            continue
        what = kind(op.op)
        if what.role in ("norm", "activation"):
            return True
        if what.channels is not None and None not in what.channels(
            dict(op.arguments), graph.shapes[op.inputs[0]][0]
        ):  # nothing but channels of its input, in an order of its own
            same.add(number)
    return False
