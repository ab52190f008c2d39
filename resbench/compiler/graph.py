"""Define the result of binding: Graph (one unit, stem or head with every name bound) and BoundNetwork.

Values are numbered: 0 is the input of the graph, each op adds the next. Shapes are CHW (or C behind a linear).
An argument that is a list of ops (`drop_branch: {ops: [...]}`) is bound to a Graph of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from resbench.errors import Place

Shape = tuple[int, ...]
Arguments = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class BoundOp:
    """One bound op: `path` is its module's name in the unit, `inputs` are value numbers, `shape` is its output's."""

    path: str
    op: str
    arguments: Arguments
    inputs: tuple[int, ...]
    shape: Shape
    place: Place | None = field(default=None, compare=False)

    @property
    def inner(self) -> tuple[tuple[str, Graph], ...]:
        """Return the bound lists of ops among its arguments: `f.drop_branch1.ops.conv1` is the path of an op in one."""
        return tuple((name, value) for name, value in self.arguments if isinstance(value, Graph))


@dataclass(frozen=True, slots=True)
class Graph:
    """A bound graph; `output` is the number of the resulting value, 0 where it is the input."""

    input_shape: Shape
    ops: tuple[BoundOp, ...]
    output: int

    def walk(self, prefix: str = "") -> Iterator[tuple[str, BoundOp]]:
        """Yield every op with its path; ops inside an op follow it."""
        for op in self.ops:
            yield prefix + op.path, op
            for name, inner in op.inner:
                yield from inner.walk(f"{prefix}{op.path}.{name}.")

    @property
    def shapes(self) -> tuple[Shape, ...]:
        return (self.input_shape, *(op.shape for op in self.ops))

    @property
    def output_shape(self) -> Shape:
        return self.shapes[self.output]


@dataclass(frozen=True, slots=True)
class BoundStage:
    before: Graph
    units: tuple[Graph, ...]


@dataclass(frozen=True, slots=True)
class BoundNetwork:
    """A bound network. `notes` inform the user about the binding, such as params that a replacing unit does not have;
    `cautions` warn of unusual structure (compiler/binding/cautions.py).
    """

    name: str
    unit: str
    stem: Graph
    stages: tuple[BoundStage, ...]
    head: Graph
    classes: int
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()

    @property
    def input_shape(self) -> Shape:
        return self.stem.input_shape

    def parts(self) -> Iterator[tuple[str, Graph]]:
        """Yield every graph in running order with its module's path: stem, stages.0.before, stages.0.units.0, ..., head."""
        yield "stem", self.stem
        for s, stage in enumerate(self.stages):
            yield f"stages.{s}.before", stage.before
            for u, unit in enumerate(stage.units):
                yield f"stages.{s}.units.{u}", unit
        yield "head", self.head

    def ops(self) -> Iterator[tuple[str, BoundOp]]:
        """Yield every op with the path of its module in the network, in running order."""
        for prefix, graph in self.parts():
            yield from graph.walk(f"{prefix}.")


def sizes(shape: Shape) -> str:
    """Return a shape as messages show it: (16, 32, 32) -> `16x32x32`."""
    return "x".join(str(size) for size in shape)
