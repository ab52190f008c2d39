"""An op on the path of x through a unit -> its effect on x: it keeps, scales, gates, mixes or cuts it.

`KINDS` is sorted by how much x changes; the identity path is the path that changes x least. An unknown op of a plugin counts
as non-linear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resbench.compiler.graph import BoundOp

Kind = Literal[
    "kept", "scaled", "learned", "dropped", "gated", "normalised", "pooled", "projected", "rectified", "nonlinear"
]
KINDS: tuple[Kind, ...] = (
    "kept", "scaled", "learned", "dropped", "gated", "normalised", "pooled", "projected", "rectified", "nonlinear",
)  # fmt: skip
DIRECT: frozenset[Kind] = frozenset({"kept", "scaled", "learned", "dropped", "gated"})
"""The kinds that leave x in place, times a factor: Eq. 7 of the paper covers them."""

_OF_OPS: dict[str, Kind] = {
    "add": "kept", "subtract": "kept", "concat": "kept", "slice": "kept", "bias": "kept",
    "pad_channels": "kept", "channel_shuffle": "kept", "subsample": "kept",
    "scale": "scaled", "gain": "learned", "dropout": "dropped", "drop_branch": "dropped", "random_mix": "dropped",
    "multiply": "gated", "bn": "normalised", "group_norm": "normalised", "layer_norm": "normalised",
    "avg_pool": "pooled", "global_avg_pool": "pooled", "conv": "projected", "linear": "projected",
    "relu": "rectified",
}  # fmt: skip
SUMS = ("add", "subtract", "concat")
WEIGHTS = ("conv", "linear")


@dataclass(frozen=True, slots=True)
class PathStep:
    """One op of the path. `value`: its number in the graph; `via`: the input that is on the path."""

    op: BoundOp
    value: int
    via: int

    @property
    def kind(self) -> Kind:
        return kind_of(self.op)


def kind_of(op: BoundOp) -> Kind:
    kind = _OF_OPS.get(op.op, "nonlinear")
    if op.inner:  # `drop_branch: {ops: [...]}` contains a branch, whose ops are on the path
        return max((kind, *(kind_of(one) for _, graph in op.inner for one in graph.ops)), key=KINDS.index)
    return kind


def label(op: BoundOp) -> str:
    """Return the short name of an op, with its kernel.

    >>> label(BoundOp("f.conv1", "conv", (("kernel", (3, 3)),), (0,), (4, 8, 8)))
    'conv3x3'
    """
    arguments = dict(op.arguments)
    if op.op == "conv":
        kernel = arguments["kernel"]
        height, width = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        deep = "dw" if arguments.get("groups", 1) == op.shape[0] > 1 else ""
        return f"{deep}conv{height}x{width}"
    return op.op
