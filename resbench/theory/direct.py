"""Graph of a unit -> what of x reaches a value in its own place: which channel comes from which, and through which factors.

Symbolic, so that what it says of Eq. 4 to 8 can be held against a real network (identities.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resbench.compiler.graph import BoundOp, Graph
from resbench.ops.registry import kind as registered
from resbench.theory.steps import DIRECT, Kind, factor, kind_of, own_kind

Sources = tuple[int | None, ...]  # of each channel, the channel of x that it carries


@dataclass(frozen=True, slots=True)
class Direct:
    """`factors`: kinds of what multiplies x on its way; a sum that x reaches twice, or with a minus, counts as one of its own.
    `by`: their product, where they are constants; None: not the same for all channels.
    """

    sources: Sources
    factors: frozenset[Kind]
    by: float | None = 1.0

    @property
    def is_identity(self) -> bool:
        """Whether x is there whole and unscaled, in the first channels, as in x + F and concat(x, F)."""
        carried = [source for source in self.sources if source is not None]
        return not self.factors and carried == list(range(len(carried))) == list(self.sources[: len(carried)])

    def holds(self, channels: int) -> bool:
        """Return whether that is all of so many channels of x."""
        return self.is_identity and sum(source is not None for source in self.sources) == channels


def direct(graph: Graph, *, through_relu: bool = False) -> list[Direct | None]:
    """Of every value of the graph, None where x is not in its place any more. `through_relu`: as if a ReLU cut nothing."""
    found: list[Direct | None] = [Direct(tuple(range(graph.input_shape[0])), frozenset())]
    for op in graph.ops:
        inputs = [found[i] for i in op.inputs]
        kind = kind_of(op)
        inside = any(graph.ops for _, graph in op.inner)
        through = kind in DIRECT or (through_relu and own_kind(op) == "rectified")
        shapes = [graph.shapes[i] for i in op.inputs]
        found.append(_after(op, kind, inputs, shapes) if through and not inside else None)
    return found


def _after(
    op: BoundOp, kind: Kind, inputs: Sequence[Direct | None], shapes: Sequence[tuple[int, ...]]
) -> Direct | None:
    there = [one for one in inputs if one is not None]
    if not there:
        return None
    factors = frozenset().union(*(one.factors for one in there))
    if kind == "gated" and len(there) > 1:
        return None  # x times x
    if kind not in ("kept", "rectified"):
        factors |= {kind}
    by, joins = _product(op, inputs), registered(op.op).joins
    if joins == "channels":
        parts = [one.sources if one else (None,) * shape[0] for one, shape in zip(inputs, shapes, strict=True)]
        return Direct(tuple(source for part in parts for source in part), factors, by)
    if len(there) > 1 and len({one.sources for one in there}) > 1:
        return None  # channels of x added to others of x
    signed = joins == "difference" and inputs[0] is None
    doubled: frozenset[Kind] = frozenset({"scaled"}) if len(there) > 1 or signed else frozenset()
    return Direct(_moved(op, there[0].sources), factors | doubled, by)


def _product(op: BoundOp, inputs: Sequence[Direct | None]) -> float | None:
    """Return the constants in front of x after the op."""
    joins = registered(op.op).joins
    signs = (1.0, -1.0) if joins == "difference" else (1.0,) * len(inputs)
    there: list[float] = []
    for sign, one in zip(signs, inputs, strict=True):
        if one is not None:
            if one.by is None:
                return None
            there.append(sign * one.by)
    if joins == "channels" and len({*there}) > 1:
        return None
    constant = factor(op) if own_kind(op) == "scaled" else None
    if constant is not None:
        return sum(there) * constant
    return sum(there) if joins in ("sum", "difference") else there[0]


def _moved(op: BoundOp, sources: Sources) -> Sources:
    carried = registered(op.op).channels
    if carried is not None:
        return tuple(None if i is None else sources[i] for i in carried(dict(op.arguments), len(sources)))
    return sources if len(sources) == op.shape[0] else (None,) * op.shape[0]
