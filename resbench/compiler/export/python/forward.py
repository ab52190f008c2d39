"""The parts of a graph -> steps of a `forward`, and the layers that they call, with a name for every number.

Parts that are a sequence of layers become a `chain`; ops without parameters are written as formulas; a block that is
not a sequence gets a class of its own.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from resbench.compiler.export.python.ast_tools import call, parse, replaced
from resbench.compiler.export.python.copied_ops import CopiedOps
from resbench.compiler.export.python.named_numbers import MARK, Names, name_of
from resbench.compiler.export.python.op_code import INNER, OpCode, copied_layer, form, formula, start_lines
from resbench.compiler.export.python.tree import CodeTree, TreeReader, tree
from resbench.compiler.graph import Graph

CLASS = "\u01c3"  # a letter to Python: before the path of a block that has a class of its own


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A part `root` of a graph that gets a class of its own."""

    graph: Graph
    root: CodeTree
    title: str


@dataclass(slots=True)
class Layers:
    """The results collected while writing. `names`: the numbers; `blocks`: by placeholder; `starts`: statements."""

    names: Names = field(default_factory=dict)
    blocks: dict[str, CodeBlock] = field(default_factory=dict)
    starts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ForwardStep:
    """One step of `forward`: an op as a formula, or a call of the layer at `path` (made by `layer`)."""

    part: CodeTree
    sources: tuple[int, ...]
    path: str = ""
    layer: ast.expr | None = None
    formula: str = ""
    flatten: bool = False


class Writer:
    """A writer of the parts of one graph that are in `root`."""

    def __init__(self, graph: Graph, root: CodeTree, copies: CopiedOps) -> None:
        self.reading, self.root, self.copies = TreeReader(graph), root, copies
        self.layers = Layers()
        self.prefix = ""  # inside an op, the path to it
        self.forms: dict[str, OpCode] = {}
        self.often = {title for title, times in Counter(_titles(root)).items() if times > 1}

    def path(self, part: CodeTree) -> str:
        own = part.path.removeprefix(f"{self.root.path}.") if self.root.path else part.path
        return f"{self.prefix}{own}"

    def form(self, part: CodeTree) -> OpCode:
        path = self.path(part)
        if path not in self.forms:
            op = self.reading.op(part)
            shape = self.reading.graph.shapes[op.inputs[0]]
            self.forms[path] = form(op, shape, path, self.copies, self.layers.names)
            self.layers.starts += start_lines(path, self.forms[path].starts, self.layers.names)
        return self.forms[path]

    def layer(self, part: CodeTree) -> ast.expr:
        """Return a part that takes one value and yields one, as a module."""
        if not part.is_op:
            return self.own_class(part) if self.has_class(part) else self.row(part.parts)
        op, found = self.reading.op(part), self.form(part)
        text = found.layer
        if text is None:
            shape = self.reading.graph.shapes[op.inputs[0]]
            text = copied_layer(op, shape, self.path(part), self.copies, self.layers.names)
        inner = {f"{INNER}{key}": (key, graph) for key, graph in op.inner}
        return replaced(
            parse(text), lambda name: self.inside(part, *inner[name]) if name in inner else None
        )  # fmt: skip

    def row(self, parts: tuple[CodeTree, ...]) -> ast.expr:
        """Return a chain of layers, each under its name."""
        by_name: dict[str, ast.expr] = {}
        for part in parts:
            if part.is_op and self.form(part).flatten:
                by_name["flatten" if "flatten" not in by_name else f"flatten_{part.name}"] = parse("nn.Flatten()")
            by_name[part.name] = self.layer(part)
        return call("chain", [], by_name)

    def has_class(self, part: CodeTree) -> bool:
        """Return whether a part gets a class: a block that is not a sequence, or that is used more than once."""
        return part.block and (not self.reading.is_row(part) or (part.title in self.often and len(part.values) > 1))

    def own_class(self, part: CodeTree) -> ast.expr:
        placeholder = f"{CLASS}{self.path(part).replace('.', MARK)}"
        self.layers.blocks[placeholder] = CodeBlock(self.reading.graph, part, part.title)
        return ast.Name(placeholder)

    def inside(self, part: CodeTree, key: str, graph: Graph) -> ast.expr:
        """Return the ops inside an op, as a module."""
        if not graph.ops:
            return parse("nn.Identity()")
        root = tree(graph, block=False)
        writer = Writer(graph, root, self.copies)
        if not writer.reading.is_row(root):
            placeholder = f"{CLASS}{name_of(self.path(part), key)}"
            self.layers.blocks[placeholder] = CodeBlock(graph, root, key)
            return ast.Name(placeholder)
        writer.layers, writer.prefix = self.layers, f"{self.path(part)}.{key}."
        return writer.row(root.parts)

    def steps(self, part: CodeTree) -> list[ForwardStep]:
        """Return the steps of a part, in the order of its values."""
        reading = self.reading
        if part.is_op:
            return [self.op_step(part)]
        if not reading.closed(part) or self.is_formula(part):
            return self.steps_of(part.parts)
        if part.block:
            return [self.layer_step(part, self.layer(part))]
        first, last = self.core(part.parts)
        middle = part.parts[first : last + 1]
        if not reading.linked(middle) or not all(reading.is_layer(item) for item in middle):
            return self.steps_of(part.parts)
        return [*self.steps_of(part.parts[:first]), self.row_step(part, middle), *self.steps_of(part.parts[last + 1 :])]

    def steps_of(self, parts: tuple[CodeTree, ...]) -> list[ForwardStep]:
        return [step for part in parts for step in self.steps(part)]

    def core(self, parts: tuple[CodeTree, ...]) -> tuple[int, int]:
        """Return the first and last of a chain's parts that bound its layers; the parts around them are formulas."""
        layers = [i for i, part in enumerate(parts) if not self.only_formula(part)]
        return layers[0], layers[-1]

    def only_formula(self, part: CodeTree) -> bool:
        """Return whether a part is better written as a formula: it has no torch layer, or takes several values."""
        if not part.is_op:
            return all(self.only_formula(item) for item in part.parts)
        found = self.form(part)
        return found.formula is not None and (found.layer is None or len(self.reading.op(part).inputs) > 1)

    def is_formula(self, part: CodeTree) -> bool:
        if not part.is_op:
            return all(self.is_formula(item) for item in part.parts)
        return self.form(part).formula is not None

    def op_step(self, part: CodeTree) -> ForwardStep:
        found, op = self.form(part), self.reading.op(part)
        if found.formula is not None:
            return ForwardStep(part, op.inputs, formula=formula(found.formula, len(op.inputs)))
        return ForwardStep(part, op.inputs, self.path(part), self.layer(part), flatten=found.flatten)

    def layer_step(self, part: CodeTree, layer: ast.expr) -> ForwardStep:
        return ForwardStep(part, self.reading.sources(part), self.path(part), layer)

    def row_step(self, node: CodeTree, middle: tuple[CodeTree, ...]) -> ForwardStep:
        """Return the step for a sequence of a node's layers; a single one without state is the node's own."""
        lone = len(middle) == 1 and middle[0].is_op and not self.form(middle[0]).has_state
        layer = self.layer(middle[0]) if lone else self.row(middle)
        part = CodeTree(node.path, tuple(v for item in middle for v in item.values), middle)
        return ForwardStep(part, self.reading.sources(middle[0]), self.path(node), layer)


def _titles(part: CodeTree) -> Iterator[str]:
    """Yield the blocks in it, each as often as it is used."""
    for item in part.parts:
        if item.block:
            yield item.title
        yield from _titles(item)
