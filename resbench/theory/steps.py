"""An op on the way of x through a unit -> what it does to x there: keeps it, scales it, gates it, mixes it, cuts it.

`KINDS` is the order of harm; the identity path is the way of least harm. An op of a plugin that nothing is known of counts as
non-linear.
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
"""What leaves x in its place, times a factor: of these Eq. 7 of the paper tells."""

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
    """One op of the path. `value`: its number in the graph; `via`: which of its inputs lies on the path."""

    op: BoundOp
    value: int
    via: int

    @property
    def kind(self) -> Kind:
        return kind_of(self.op)


def kind_of(op: BoundOp) -> Kind:
    kind = _OF_OPS.get(op.op, "nonlinear")
    if op.inner:  # `drop_branch: {ops: [...]}` holds a branch: its inside is on the path
        return max((kind, *(kind_of(one) for _, graph in op.inner for one in graph.ops)), key=KINDS.index)
    return kind


def label(op: BoundOp) -> str:
    """
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
