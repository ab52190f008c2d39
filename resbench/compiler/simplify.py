"""BoundNetwork -> the values that count: what changes nothing removed, equal pure values joined, nested sums flattened.

Rules as in the reference of the language ("Identity"): two ops with parameters or randomness are never one; nothing here
depends on the size of the image.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace

from resbench.compiler.graph import BoundNetwork, BoundOp, Shape
from resbench.ops.registry import OpKind, kind

_JOINING = ("add", "concat")  # inside another of its kind that alone reads it, it is part of that one
_SINGLE = ("add", "concat", "multiply")  # of one input, they change nothing


@dataclass(frozen=True, slots=True)
class Value:
    """`label` is op, version and arguments as text; `path` the module, for ops that are no other's equal."""

    label: str
    inputs: tuple[int, ...]
    commutative: bool
    path: str | None


def simplify(network: BoundNetwork) -> tuple[list[Value], int]:
    """The values in running order (0 is the input, numbered from 1) and the number of the result."""
    state = _State()
    value = 0
    for prefix, graph in network.parts():
        numbers = [value]
        for op in graph.ops:
            shape = graph.shapes[op.inputs[0]]
            numbers.append(state.add(op, f"{prefix}.{op.path}", [numbers[i] for i in op.inputs], shape))
        value = numbers[graph.output]
    return _numbered(*_settle(state.values, value))


class _State:
    def __init__(self) -> None:
        self.values: dict[int, Value] = {}
        self.known: dict[tuple[str, tuple[int, ...]], int] = {}
        self.zero: set[int] = set()

    def add(self, op: BoundOp, path: str, inputs: list[int], shape: Shape) -> int:
        """The number of the value that this op yields; an older one where it changes nothing or is there already."""
        what = kind(op.op)
        zeros = [i for i in inputs if i in self.zero]
        if op.op == "add" and zeros:
            inputs = [i for i in inputs if i not in self.zero] or [min(zeros, key=self.simplest)]
        if zeros and (op.op == "multiply" or what.keeps_zero):
            if op.op == "multiply":  # a product with nothing is nothing, of the product's shape
                return self.put(Value(f"zero_like {op.shape[0]}", tuple(sorted(inputs)), True, None), zero=True)
            if what.idempotent and op.shape == shape:  # relu of nothing
                return inputs[0]
            return self.put(Value(label(op, what), tuple(inputs), False, None), zero=True)
        if op.op in _SINGLE and len(inputs) == 1:
            return inputs[0]
        if what.identity_when is not None and what.identity_when(dict(op.arguments), shape[0]):
            return inputs[0]
        text = label(op, what)
        if what.idempotent and inputs[0] in self.values and self.values[inputs[0]].label == text:
            return inputs[0]
        ordered = tuple(sorted(inputs)) if what.commutative else tuple(inputs)
        return self.put(Value(text, ordered, what.commutative, None if what.pure else path), zero=op.op == "zero")

    def simplest(self, number: int) -> tuple[bool, str]:
        """Of zeros of one shape, that of the op `zero` itself comes first."""
        text = self.values[number].label
        return not text.startswith("zero@"), text

    def put(self, value: Value, *, zero: bool) -> int:
        key = (value.label, value.inputs)
        if value.path is None and key in self.known:
            return self.known[key]
        number = len(self.values) + 1
        self.values[number] = value
        self.known[key] = number
        if zero:
            self.zero.add(number)
        return number


def label(op: BoundOp, what: OpKind) -> str:
    """Op, version and arguments with everything said, as one text."""
    arguments = dict(op.arguments)
    if what.spell_out is not None:
        arguments = what.spell_out(arguments)
    return f"{op.op}@{what.version} {json.dumps(arguments, sort_keys=True, separators=(',', ':'))}"


def _settle(values: dict[int, Value], result: int) -> tuple[dict[int, Value], int]:
    """Flatten and join until nothing changes: a flattened sum may equal another, and then has fewer readers to keep it."""
    while True:
        before = values
        values, result = _join(_flatten(_live(values, result), result), result)
        if values == before:
            return values, result


def _live(values: dict[int, Value], result: int) -> dict[int, Value]:
    """Only what the result needs."""
    needed = {result}
    for number in sorted(values, reverse=True):
        if number in needed:
            needed.update(values[number].inputs)
    return {number: value for number, value in values.items() if number in needed}


def _flatten(values: dict[int, Value], result: int) -> dict[int, Value]:
    """A sum (or concat) whose only reader is a sum (or concat) becomes part of it."""
    readers = Counter(i for value in values.values() for i in value.inputs)
    readers[result] += 1
    flat: dict[int, Value] = {}
    for number, value in values.items():
        name = value.label.partition("@")[0]
        inputs: list[int] = []
        for i in value.inputs:
            inner = flat.get(i)
            joins = name in _JOINING and inner is not None and inner.label == value.label and readers[i] == 1
            inputs += inner.inputs if joins and inner is not None else [i]
        flat[number] = replace(value, inputs=tuple(inputs))
    return flat


def _join(values: dict[int, Value], result: int) -> tuple[dict[int, Value], int]:
    """Pure values that were made alike become one."""
    first: dict[Value, int] = {}
    same = {0: 0}
    kept: dict[int, Value] = {}
    for number, value in values.items():
        inputs = [same[i] for i in value.inputs]
        value = replace(value, inputs=tuple(sorted(inputs) if value.commutative else inputs))
        same[number] = first.setdefault(value, number)  # no two ops with a path are alike
        if same[number] == number:
            kept[number] = value
    return kept, same[result]


def _numbered(values: dict[int, Value], result: int) -> tuple[list[Value], int]:
    """In running order, numbered from 1."""
    new = {0: 0} | {number: place for place, number in enumerate(values, 1)}
    return [replace(value, inputs=tuple(new[i] for i in value.inputs)) for value in values.values()], new[result]
