"""Network -> the same Network, whose rectifiers overwrite their input where nothing else reads it: less memory, the
same bits.

This is only for training: readers of inner values would find them overwritten.
"""

from __future__ import annotations

from torch import fx, nn

from resbench.ops.parameter import Overwriting
from resbench.ops.registry import kinds


def use_inplace(network: nn.Module) -> None:
    """Let each op that may overwrite its input do so in each unit, stem and head, where it alone reads the value."""
    fresh = tuple(what.module for what in kinds().values() if what.fresh)
    joining = tuple(what.module for what in kinds().values() if what.joins is not None)
    for graph in network.modules():
        if not isinstance(graph, fx.GraphModule):
            continue
        for node in graph.graph.nodes:
            module = graph.get_submodule(node.target) if node.op == "call_module" else None
            if not isinstance(module, Overwriting):
                continue
            source = node.args[0]
            alone = len(node.args) == len(source.users) == 1 and source.op == "call_module"
            before = graph.get_submodule(source.target) if alone else None
            passed_on = isinstance(before, joining) and len(source.args) == 1  # a join of one value yields that value
            module.overwrites = isinstance(before, fresh) and not passed_on
