"""IdentityPath -> the unit's equation in readable form: x_{l+1} = relu(0.5 x_l + F(x_l)), F = ..., g = ..."""

from __future__ import annotations

from dataclasses import dataclass, field

from resbench.compiler.graph import BoundOp, Graph
from resbench.ops.registry import kind
from resbench.theory.op_effects import factor, has_weights, label, own_kind
from resbench.theory.paths import IdentityPath

LONGEST = 160  # characters of a formula; in a longer one only ops are counted
_LETTERS = "FGHK"


def equation(path: IdentityPath) -> tuple[str, dict[str, str]]:
    """Return the equation, and the meaning of the names in it (F, and gates g), in order of appearance."""
    writer = _Writer(path)
    right = writer.along(len(path.h) + (path.merge is not None) + len(path.f))
    return f"x_{{l+1}} = {_unbracketed(right)}", writer.names


def formula(graph: Graph, value: int) -> str:
    """Return the formula of a value as nested ops; the number of ops if it is too long to read."""
    text = _nested(graph, value)
    if len(text) <= LONGEST:
        return text
    inside = _ancestors(graph, value)
    layers = sum(has_weights(graph.ops[i - 1]) for i in inside)
    return f"{len(inside)} ops, {layers} of them weight layers"


@dataclass(slots=True)
class _Writer:
    path: IdentityPath
    names: dict[str, str] = field(default_factory=dict)
    _gates: dict[int, str] = field(default_factory=dict)
    _branches: dict[int, str] = field(default_factory=dict)

    def along(self, count: int) -> str:
        """Return the term for x after so many steps of the path."""
        path, text = self.path, "x_l"
        steps = [*path.h, *([path.merge] if path.merge else []), *path.f]
        if path.merge is None:
            self.names["F(x_l)"] = formula(path.graph, path.graph.output)
            return "F(x_l)"
        for step in steps[:count]:
            others = [source for i, source in enumerate(step.op.inputs) if i != step.via]
            joins, effect = kind(step.op.op).joins, own_kind(step.op)
            if joins in ("sum", "difference"):
                sign = " + " if joins == "sum" else " - "
                parts = [text, *(self.part(source) for source in others)]
                text = f"({sign.join(parts if step.via == 0 or joins == 'sum' else parts[::-1])})"
            elif joins == "channels":
                sources = enumerate(step.op.inputs)
                parts = [_unbracketed(text) if i == step.via else self.part(source) for i, source in sources]
                text = f"[{', '.join(parts)}]"
            elif joins == "product":
                text = " ".join([*(self.factor(source) for source in others), text])
            elif effect == "scaled":
                text = f"{factor(step.op):g} {text}"
            elif effect == "learned":
                text = f"a {text}"
                self.names["a"] = f"learned, {dict(step.op.arguments).get('init', factor(step.op))} at the start"
            else:
                text = f"{label(step.op)}({_unbracketed(text)})"
        return text

    def part(self, value: int) -> str:
        """Return the term that is added to x: F, with its constants and gates."""
        graph = self.path.graph
        if value == 0:
            return "x_l"
        op = graph.ops[value - 1]
        if own_kind(op) == "scaled":
            return f"{factor(op):g} {self.part(op.inputs[0])}"
        gates = [source for source in op.inputs if self.is_gate(source)]
        rest = [source for source in op.inputs if source not in gates]
        if kind(op.op).joins == "product" and gates and len(rest) == 1:
            return " ".join([*(self.factor(source) for source in gates), self.part(rest[0])])
        if value not in self._branches:
            name = _LETTERS[len(self._branches)] if len(self._branches) < len(_LETTERS) else f"F{len(self._branches)}"
            self._branches[value] = f"{name}(x_l)"
            self.names[f"{name}(x_l)"] = formula(graph, value)
        return self._branches[value]

    def factor(self, value: int) -> str:
        op = self.path.graph.ops[value - 1] if value else None
        form = _formula(op)
        if op is not None and form:
            return f"({form.format(self.factor(op.inputs[0]))})"
        if value not in self._gates:
            name = "g" if not self._gates else f"g{len(self._gates) + 1}"
            self._gates[value] = name
            self.names[name] = formula(self.path.graph, value)
        return self._gates[value]

    def is_gate(self, value: int) -> bool:
        op = self.path.graph.ops[value - 1] if value else None
        return op is not None and (kind(op.op).gates or (_formula(op) != "" and self.is_gate(op.inputs[0])))


def _formula(op: BoundOp | None) -> str:
    """Return how the op is written where it makes a gate of a gate, empty for others."""
    return (kind(op.op).formula or "") if op is not None else ""


def _nested(graph: Graph, value: int) -> str:
    if value == 0:
        return "x"
    op = graph.ops[value - 1]
    form = _formula(op)
    if form:
        inside = _nested(graph, op.inputs[0])
        return form.format(f"({inside})" if inside.startswith(form.partition("{0}")[0]) else inside)
    text = f"{label(op)}({', '.join(_nested(graph, i)[: 2 * LONGEST] for i in op.inputs)})"
    arguments = dict(op.arguments)
    if arguments.get("bias") and arguments.get("bias_init"):
        text += f" {'-' if arguments['bias_init'] < 0 else '+'} {abs(arguments['bias_init']):g}"
    return text


def _ancestors(graph: Graph, value: int) -> set[int]:
    waiting, seen = [value], set()
    while waiting:
        one = waiting.pop()
        if one and one not in seen:
            seen.add(one)
            waiting += graph.ops[one - 1].inputs
    return seen


def _unbracketed(text: str) -> str:
    """Return a text without brackets around all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for i, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return text[1:-1] if i == len(text) - 1 else text
    return text
