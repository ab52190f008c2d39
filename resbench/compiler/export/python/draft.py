"""A unit, or a block in one -> Draft: the content of its class, with a name for every number.

Values are computed in the order in which the built network computes them, so that gradients meet in the same order too.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from itertools import zip_longest

from resbench.compiler.export.python.ast_tools import call, names, parse, replaced
from resbench.compiler.export.python.copied_ops import CopiedOps
from resbench.compiler.export.python.forward import CodeBlock, ForwardStep, Writer
from resbench.compiler.export.python.named_numbers import MARK, Names
from resbench.compiler.export.python.op_code import INPUT
from resbench.compiler.graph import Shape

MAX_FORMULA = 80  # characters; a longer one gets a name


@dataclass(frozen=True, slots=True)
class Draft:
    """The draft of a class. `members`: attribute and layer. `lines`: variable and expression; the last one, without a
    variable, is the result.

    `sizes`: the input's and the output's. `numbers`: by name. `blocks`: the classes that it uses, by placeholder.
    """

    title: str
    inputs: tuple[str, ...]
    sizes: tuple[Shape, Shape]
    members: dict[str, ast.expr]
    lines: list[tuple[str, ast.expr]]
    starts: list[str]
    numbers: Names
    blocks: dict[str, Draft]


def draft(block: CodeBlock, copies: CopiedOps) -> Draft:
    """Return the draft for a part of a graph."""
    graph, root = block.graph, block.root
    writer = Writer(graph, root, copies)
    sources = writer.reading.sources(root) or (0,)
    inputs = _inputs(len(sources), {part.name for part in root.parts})
    known: dict[int, ast.expr] = {n: ast.Name(name) for n, name in zip(sources, inputs, strict=True)}
    result = writer.reading.results(root)[0] if root.values else graph.output
    steps = sorted(writer.steps_of(root.parts), key=lambda step: step.part.last)
    lines: list[tuple[str, ast.expr]] = []
    for step, after in zip_longest(steps, steps[1:]):
        value, expression = step.part.last, _expression(step, known)
        if value == result and after is None:
            lines.append(("", expression))
        elif _joins(writer, step, after, expression):
            known[value] = expression
        else:
            name = _name(writer, step, after)
            known[value] = ast.Name(name)
            lines.append((name, expression))
    if not lines or lines[-1][0]:
        lines.append(("", known[result]))
    return Draft(
        block.title, inputs, (graph.shapes[sources[0]], graph.shapes[result]),
        _members([(step.path, step.layer) for step in steps if step.layer is not None]), lines,
        writer.layers.starts, writer.layers.names,
        {placeholder: draft(inner, copies) for placeholder, inner in writer.layers.blocks.items()},
    )  # fmt: skip


def _inputs(count: int, taken: set[str]) -> tuple[str, ...]:
    names = ["x"] if count == 1 else [f"x{i}" for i in range(1, count + 1)]
    return tuple(f"{name}_" if name in taken else name for name in names)


def _expression(step: ForwardStep, known: dict[int, ast.expr]) -> ast.expr:
    inputs = [known[source] for source in step.sources]
    if step.layer is None:
        numbered = {f"{INPUT}{i}": value for i, value in enumerate(inputs)}
        return replaced(parse(step.formula), numbered.get)
    if step.flatten:
        inputs = [call("torch.flatten", [inputs[0], ast.Constant(1)], {})]
    return call(f"self.{step.path}", inputs, {})


def _joins(writer: Writer, step: ForwardStep, after: ForwardStep | None, expression: ast.expr) -> bool:
    """Return whether a value needs no name: the next step of the same node alone reads it, once."""
    value = step.part.last
    if after is None or value not in after.sources or len(writer.reading.readers[value]) > 1:
        return False
    if writer.path(step.part).split(".")[0] != writer.path(after.part).split(".")[0]:
        return False
    place = after.sources.index(value)
    once = after.layer is not None or names(parse(after.formula)).count(f"{INPUT}{place}") == 1
    return once and _length(expression) <= MAX_FORMULA


def _length(expression: ast.expr) -> int:
    """Return the length in characters, where a number or a computation from numbers counts as one."""
    return len(
        ast.unparse(_Short().visit(replaced(expression, lambda name: ast.Constant(1) if MARK in name else None)))
    )


class _Short(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return node.left if isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant) else node


def _name(writer: Writer, step: ForwardStep, after: ForwardStep | None) -> str:
    """Return the name of a value: its node's where it is the node's result or only the node's next step reads it, else
    the op's.
    """
    value = step.part.last
    for part in writer.root.parts:
        inside = after is not None and value in part.values and after.part.last in part.values
        if value == part.last or (inside and after and writer.reading.readers[value] == [after.part.values[0]]):
            return part.name
    path = writer.reading.graph.ops[value - 1].path
    own = path.removeprefix(f"{writer.root.path}.") if writer.root.path else path
    return own.replace(".", "_")


def _members(layers: list[tuple[str, ast.expr]]) -> dict[str, ast.expr]:
    """Return the layers by attribute; a path of several names becomes a `group` under the first."""
    below: dict[str, list[tuple[str, ast.expr]]] = {}
    members: dict[str, ast.expr] = {}
    for path, layer in layers:
        name, _, rest = path.partition(".")
        if rest:
            below.setdefault(name, []).append((rest, layer))
            members.setdefault(name, layer)
        else:
            members[name] = layer
    return {name: call("group", [], _members(below[name])) if name in below else members[name] for name in members}
