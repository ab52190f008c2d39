"""Graph -> ShownGraph: every op with its label, its output shape, its parameters and MACs. Shapes are CHW."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn

from resbench.compiler.graph import Arguments, BoundOp, Graph, Shape
from resbench.compiler.modules.unit import make_module
from resbench.drawing.format import cost, name_of, times
from resbench.drawing.labels import Kind, kind_of, label
from resbench.escape import LONGEST, printable
from resbench.language.graph.op_facts import sign_of
from resbench.measure.macs import op_macs
from resbench.measure.params import params
from resbench.ops.registry import kind


@dataclass(frozen=True, slots=True)
class ShownOp:
    """An op of a picture. `inputs` are value numbers: 0 is the graph's input, op number i (from 0) yields value i + 1.

    `operands` names the joined nodes, where the edges do not show them. `sign` is set for an op that joins values.
    `macs` is for one image. `inner` has the lists of ops it holds, by name. `bends`: whether it is not linear. Its
    texts are printable, whatever an argument holds.
    """

    path: str
    op: str
    label: str
    operands: str
    kind: Kind
    sign: str
    inputs: tuple[int, ...]
    shape: Shape
    params: int
    macs: int
    inner: tuple[tuple[str, ShownGraph], ...] = ()
    bends: bool = False

    @property
    def node(self) -> str:
        """Return the node of the op: `f.conv1` -> `f`."""
        return self.path.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class ShownGraph:
    input_shape: Shape
    ops: tuple[ShownOp, ...]
    output: int

    @property
    def output_shape(self) -> Shape:
        return self.ops[self.output - 1].shape if self.output else self.input_shape

    @property
    def params(self) -> int:
        return sum(op.params for op in self.ops)

    @property
    def macs(self) -> int:
        return sum(op.macs for op in self.ops)


@dataclass(frozen=True, slots=True)
class AnnotatedView:
    """A unit at one place of a network: `place` is first, inner or transition, `path` is its module path.

    The title is printable and cannot move a cursor.
    """

    unit: str
    place: str
    network: str
    path: str
    doc: str
    graph: ShownGraph

    @property
    def name(self) -> str:
        return printable(self.unit)

    @property
    def about(self) -> str:
        return printable(" ".join(self.doc.split()), 400)

    @property
    def where(self) -> str:
        return f"{printable(self.place)} place in {printable(self.network)} ({printable(self.path)})"

    @property
    def costs(self) -> list[str]:
        """Return the shapes in and out, and the total cost."""
        price = cost(self.graph.params, self.graph.macs)
        return [f"{times(self.graph.input_shape)} → {times(self.graph.output_shape)}", *([price] if price else [])]

    @property
    def title(self) -> list[str]:
        return [line for line in (self.name, self.about, f"{self.where}: {', '.join(self.costs)}") if line]


def show_graph(graph: Graph) -> ShownGraph:
    shapes = graph.shapes
    ops = tuple(_show(op, tuple(shapes[i] for i in op.inputs), _operands(graph, op)) for op in graph.ops)
    return ShownGraph(graph.input_shape, ops, graph.output)


def _operands(graph: Graph, op: BoundOp) -> str:
    """Return the nodes that an op joins, where the picture does not show them: where the order matters, or one value
    comes twice.
    """
    if len(op.inputs) < 2 or (kind(op.op).commutative and len(set(op.inputs)) == len(op.inputs)):
        return ""
    nodes = {i: "x" if i == 0 else printable(graph.ops[i - 1].path, LONGEST).rpartition(".")[0] for i in op.inputs}
    short = {i: node.partition(".")[0] for i, node in nodes.items()}
    if len(set(short.values())) < len(short):
        short = {i: name_of(node) for i, node in nodes.items()}
    return ", ".join(short[i] for i in op.inputs)


def _show(op: BoundOp, inputs: tuple[Shape, ...], operands: str) -> ShownOp:
    module = _module(op.op, op.arguments, inputs[0][0])
    inner = tuple((name, show_graph(value)) for name, value in op.inner)
    what = kind(op.op)
    role = kind_of(what, module)
    bends = role in ("activation", "other") or what.gates
    path, words = printable(op.path, LONGEST), printable(label(op, inputs[0]), LONGEST)
    return ShownOp(
        path, op.op, words, operands, role, sign_of(what.joins), op.inputs, op.shape,
        params(module), op_macs(op, inputs).count, inner, bends,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _module(op: str, arguments: Arguments, channels: int) -> nn.Module:
    with torch.device("meta"):
        return make_module(op, arguments, channels)
