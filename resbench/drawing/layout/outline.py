"""ShownGraph -> Outline: nodes and links with identifiers, for formats with their own layout (Mermaid, DOT)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from resbench.drawing.annotated import ShownGraph, ShownOp
from resbench.drawing.format import cost, times
from resbench.drawing.labels import Kind
from resbench.drawing.layout.columns import reads_of, tracks_of

Form = Literal["end", "box", "sign", "point"]


@dataclass(frozen=True, slots=True)
class OutlineNode:
    """A node of an outline; `lines` is its text, for a sign the sign and then further details."""

    name: str
    form: Form
    kind: Kind
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    source: str
    target: str
    skip: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """An outline; `first` and `last` are the names of x and y; `parts` has the inner graphs of ops, each with its title lines."""

    knots: tuple[OutlineNode, ...]
    links: tuple[Link, ...]
    parts: tuple[tuple[OutlineNode, Outline], ...]
    first: str
    last: str


def outline(graph: ShownGraph, prefix: str = "n", *, inside: bool = False) -> Outline:
    """Return the outline; names consist of `prefix` and numbers. `inside`: x and y are an op's own, and only points."""
    last = len(graph.ops) + 1
    enter = {i: f"{prefix}{i}" for i in range(last + 1)}
    leave = dict(enter)
    knots, parts = [_end(enter[0], "x", graph.input_shape, inside)], []
    for i, op in enumerate(graph.ops, 1):
        node = _node(enter[i], op)
        if not op.inner:
            knots.append(node)
            continue
        (_, held), *others = op.inner
        inner = outline(held, f"{enter[i]}_", inside=True)
        parts.append((node, inner))
        parts += [(node, outline(each, f"{enter[i]}_{n}_", inside=True)) for n, (_, each) in enumerate(others, 1)]
        enter[i], leave[i] = inner.first, inner.last
    knots.append(_end(enter[last], "y", graph.output_shape, inside))
    tracks = tracks_of(graph)
    skip = set(pairwise(tracks[0])) if len(tracks) > 1 and not inside else set()
    links = tuple(
        Link(leave[source], enter[target], (source, target) in skip)
        for target, sources in enumerate(reads_of(graph))
        for source in sources
    )
    return Outline(tuple(knots), links, tuple(parts), enter[0], enter[last])


def _end(name: str, label: str, shape: tuple[int, ...], inside: bool) -> OutlineNode:
    return OutlineNode(name, "point" if inside else "end", "other", () if inside else (label, times(shape)))


def _node(name: str, op: ShownOp) -> OutlineNode:
    words = (op.sign or op.label, op.operands, op.path, times(op.shape), cost(op.params, op.macs))
    return OutlineNode(name, "sign" if op.sign else "box", op.kind, tuple(word for word in words if word))
