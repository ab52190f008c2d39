"""BoundNetwork -> its depth: convolutions and linear layers on the longest path from input to output. No torch here.

As papers count it: ResNet-56 is 56, whatever stands on its shortcuts; norms and gains are no layers.
"""

from __future__ import annotations

from resbench.compiler.graph import BoundNetwork, Graph

LAYERS = ("conv", "linear")


def depth(network: BoundNetwork) -> int:
    return sum(graph_depth(graph) for _, graph in network.parts())


def graph_depth(graph: Graph) -> int:
    """Of one part; an op that holds ops is as deep as the deepest of its lists."""
    deepest = [0]
    for op in graph.ops:
        own = int(op.op in LAYERS) + max((graph_depth(inner) for _, inner in op.inner), default=0)
        deepest.append(own + max(deepest[i] for i in op.inputs))
    return deepest[graph.output]
