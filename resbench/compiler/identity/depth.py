"""Graph or BoundNetwork -> its depth: the most weight layers on any path from input to output."""

from __future__ import annotations

from resbench.compiler.graph import BoundNetwork, Graph
from resbench.ops.schema import table


def depth(network: BoundNetwork) -> int:
    """Return the depth from the image to the classes, as papers count it: 56 for ResNet-56."""
    parts = dict(network.parts())
    head = parts.pop("head")
    return sum(weight_layers(graph) for graph in parts.values()) + weight_layers(head, behind_a_pool=True)


def weight_layers(graph: Graph, *, behind_a_pool: bool = False) -> int:
    """Count the ops of role `weights` on the longest path. Those behind a global pool, such as the two of
    squeeze-and-excitation, count only in a network's head. The longest path through a list of ops inside an op counts
    as part of the path.
    """
    signatures = table()  # what ops say of themselves, read without torch: a coordinator needs none
    longest, pooled = [0], [False]
    for op in graph.ops:
        what = signatures.get(op.op)  # None: of a plugin that is not there
        pooled.append(
            (what is not None and what.global_pool) or (bool(op.inputs) and all(pooled[i] for i in op.inputs))
        )
        counts = behind_a_pool or not pooled[-1]
        inside = sum(weight_layers(inner, behind_a_pool=behind_a_pool) for _, inner in op.inner)
        own = inside + (what is not None and what.role == "weights")
        longest.append(max((longest[i] for i in op.inputs), default=0) + own * counts)
    return longest[graph.output]
