"""An op on the path of x through a unit -> its effect on x: it keeps, scales, gates, mixes or cuts it.

The op says so (`effect` in `@op`); one that says nothing counts as non-linear. `KINDS` is the order of harm; the identity path is
the way of least harm.
"""

from __future__ import annotations

from dataclasses import dataclass

from resbench.compiler.graph import BoundOp
from resbench.language.graph.op_facts import DIRECT as DIRECT
from resbench.language.graph.op_facts import EFFECTS, Effect
from resbench.language.graph.op_list import DEPTHWISE
from resbench.ops.registry import kind as registered

Kind = Effect
KINDS: tuple[Kind, ...] = EFFECTS


@dataclass(frozen=True, slots=True)
class PathStep:
    """One op of the path. `value`: its number in the graph; `via`: the input that is on the path."""

    op: BoundOp
    value: int
    via: int

    @property
    def kind(self) -> Kind:
        return kind_of(self.op)


def own_kind(op: BoundOp) -> Kind:
    """Return what the op says it does, whatever is inside of it."""
    return registered(op.op).effect


def kind_of(op: BoundOp) -> Kind:
    kind = own_kind(op)
    if op.inner:  # `drop_branch: {ops: [...]}` holds a branch: its inside is on the path
        return max((kind, *(kind_of(one) for _, graph in op.inner for one in graph.ops)), key=KINDS.index)
    return kind


def has_weights(op: BoundOp) -> bool:
    """Return whether it is a layer with weights, as its role says."""
    return registered(op.op).role == "weights"


def factor(op: BoundOp) -> float | None:
    """Return what x is multiplied by, as it is, as it starts or on average; None where the op is no factor."""
    of = registered(op.op).factor
    return None if of is None else of(dict(op.arguments))


def label(op: BoundOp) -> str:
    """Return the short name of an op, with its kernel.

    >>> label(BoundOp("f.conv1", "conv", (("kernel", (3, 3)),), (0,), (4, 8, 8)))
    'conv3x3'
    """
    if not registered(op.op).kernel_in_name:
        return op.op
    arguments = dict(op.arguments)
    kernel = arguments["kernel"]
    height, width = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    deep = DEPTHWISE if arguments.get("groups", 1) == op.shape[0] > 1 else ""
    return f"{deep}{op.op}{height}x{width}"
