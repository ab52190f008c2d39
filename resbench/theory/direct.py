"""Graph of a unit -> the part of x that each value carries in place: the source of each channel, and the factors on its way.

The analysis is symbolic, so that its predictions of Eq. 4 to 8 can be compared with a real network (identities.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resbench.compiler.graph import BoundOp, Graph
from resbench.ops.registry import kind as registered
from resbench.theory.op_effects import DIRECT, Kind, factor, kind_of, own_kind

Sources = tuple[int | None, ...]  # for each channel, the channel of x that it carries


@dataclass(frozen=True, slots=True)
class Direct:
    """The part of x in a value. `factors`: kinds of the factors on the way of x; a sum that x reaches twice, or with a minus,
    is one. `by`: the product of constant factors; None: it differs between channels.
    """

    sources: Sources
    factors: frozenset[Kind]
    by: float | None = 1.0

    @property
    def is_identity(self) -> bool:
        """Whether all of x is in the first channels, unscaled, as in x + F and concat(x, F)."""
        carried = [source for source in self.sources if source is not None]
        return not self.factors and carried == list(range(len(carried))) == list(self.sources[: len(carried)])

    def holds(self, channels: int) -> bool:
        """Return whether it contains all of x, which has so many channels, unscaled."""
        return self.is_identity and sum(source is not None for source in self.sources) == channels


def direct(graph: Graph, *, through_relu: bool = False) -> list[Direct | None]:
    """Return the part of x in every value of the graph; None if x is not in place. `through_relu`: ReLUs count as identities."""
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
    carrying = [one for one in inputs if one is not None]
    if not carrying:
        return None
    factors = frozenset().union(*(one.factors for one in carrying))
    if kind == "gated" and len(carrying) > 1:
        return None  # x times x
    if kind not in ("kept", "rectified"):
        factors |= {kind}
    by, joins = _product(op, inputs), registered(op.op).joins
    if joins == "channels":
        parts = [one.sources if one else (None,) * shape[0] for one, shape in zip(inputs, shapes, strict=True)]
        return Direct(tuple(source for part in parts for source in part), factors, by)
    if len(carrying) > 1 and len({one.sources for one in carrying}) > 1:
        return None  # channels of x added to others of x
    signed = joins == "difference" and inputs[0] is None
    doubled: frozenset[Kind] = frozenset({"scaled"}) if len(carrying) > 1 or signed else frozenset()
    return Direct(_moved(op, carrying[0].sources), factors | doubled, by)


def _product(op: BoundOp, inputs: Sequence[Direct | None]) -> float | None:
    """Return the product of the constant factors of x after the op."""
    joins = registered(op.op).joins
    signs = (1.0, -1.0) if joins == "difference" else (1.0,) * len(inputs)
    carrying: list[float] = []
    for sign, one in zip(signs, inputs, strict=True):
        if one is not None:
            if one.by is None:
                return None
            carrying.append(sign * one.by)
    if joins == "channels" and len({*carrying}) > 1:
        return None
    constant = factor(op) if own_kind(op) == "scaled" else None
    if constant is not None:
        return sum(carrying) * constant
    return sum(carrying) if joins in ("sum", "difference") else carrying[0]


def _moved(op: BoundOp, sources: Sources) -> Sources:
    carried = registered(op.op).channels
    if carried is not None:
        return tuple(None if i is None else sources[i] for i in carried(dict(op.arguments), len(sources)))
    return sources if len(sources) == op.shape[0] else (None,) * op.shape[0]
