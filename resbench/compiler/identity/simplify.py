"""BoundNetwork -> Simple, the values that matter: ops without effect are removed, equal pure values merged, sums
flattened.

Rules as in the reference of the language ("Identity"): two ops with parameters or randomness are never merged; nothing
here depends on the size of the image.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from resbench.compiler.graph import BoundNetwork, BoundOp, Graph, Shape
from resbench.language.graph.op_facts import Join
from resbench.language.graph.signature import tidy
from resbench.ops.registry import OpKind, kind
from resbench.ops.schema import table

# an op that only another op of its kind reads is merged into it
_JOINING: tuple[Join | None, ...] = ("sum", "channels")


@dataclass(frozen=True, slots=True)
class GraphValue:
    """A value of the graph; `label` is op, version and arguments as text; `path` is the module, for ops that equal no
    other.

    `inner`: the lists of ops among its arguments, by name. `joins`: how it joins values, as its op says.
    """

    label: str
    inputs: tuple[int, ...]
    commutative: bool
    path: str | None
    inner: tuple[tuple[str, Simple], ...] = ()
    joins: Join | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Simple:
    """A simplified graph: values in running order (0 is the input, ops are numbered from 1) and the number of the
    result.

    `of` maps the path of each needed op to the number of its value.
    """

    values: tuple[GraphValue, ...]
    result: int
    of: Mapping[str, int] = field(compare=False)


def simplify(network: BoundNetwork) -> Simple:
    state = _State()
    value = 0
    for prefix, graph in network.parts():
        value = state.run(graph, value, f"{prefix}.")
    return state.simple(value)


class _State:
    def __init__(self) -> None:
        self.values: dict[int, GraphValue] = {}
        self.known: dict[GraphValue, int] = {}
        self.zero: set[int] = set()
        self.bare_zero: set[int] = set()  # zeros of ops that yield nothing else
        self.behind: dict[int, tuple[int, str]] = {
            0: (0, "")
        }  # for each value, the number of its dependencies and their hash
        self.of: dict[str, int] = {}

    def simple(self, result: int) -> Simple:
        values, same = _settle(self.values, result)
        new = {0: 0} | {number: place for place, number in enumerate(values, 1)}
        kept = tuple(replace(value, inputs=tuple(new[i] for i in value.inputs)) for value in values.values())
        of = {path: new[same[number]] for path, number in self.of.items() if same.get(number) in new}
        return Simple(kept, new[same[result]], of)

    def run(self, graph: Graph, value: int, prefix: str) -> int:
        """Add a graph's ops, and return the number of its result."""
        numbers, shapes = [value], graph.shapes
        for op in graph.ops:
            path = prefix + op.path
            numbers.append(self.add(op, path, [numbers[i] for i in op.inputs], [shapes[i] for i in op.inputs]))
            self.of[path] = numbers[-1]
        return numbers[graph.output]

    def add(self, op: BoundOp, path: str, inputs: list[int], shapes: list[Shape]) -> int:
        """Return the number of the op's value; an earlier one where the op changes nothing or has an equal."""
        what, shape = kind(op.op), shapes[0]
        zeros = [i for i in inputs if i in self.zero]
        if what.joins == "sum" and zeros and set(shapes) == {op.shape}:  # a plugin's sum may broadcast; `add` does not
            inputs = [i for i in inputs if i not in self.zero] or [min(zeros, key=self.simplest)]
        if zeros and (what.joins == "product" or what.keeps_zero):
            if what.joins == "product":  # a product with zeros is zero, of the product's shape
                return self.put(GraphValue(f"zero_like {op.shape[0]}", tuple(sorted(inputs)), True, None), zero=True)
            if what.idempotent and op.shape == shape:  # relu of nothing
                return inputs[0]
            return self.put(GraphValue(label(op, what), tuple(inputs), False, None), zero=True)
        if what.joins is not None and len(inputs) == 1:
            return inputs[0]
        if what.identity_when is not None and what.identity_when(dict(op.arguments), shape[0]):
            value = inputs[0]
            for name, graph in op.inner:  # only the ops inside it
                value = self.run(graph, value, f"{path}.{name}.")
            return value
        text = label(op, what)
        if what.idempotent and inputs[0] in self.values and self.values[inputs[0]].label == text:
            return inputs[0]
        ordered = tuple(sorted(inputs)) if what.commutative else tuple(inputs)
        inner = tuple((name, _inside(graph, f"{path}.{name}.")) for name, graph in op.inner)
        own = None if what.pure and not inner else path
        number = self.put(GraphValue(text, ordered, what.commutative, own, inner, what.joins), zero=what.yields_zero)
        if what.yields_zero:
            self.bare_zero.add(number)
        return number

    def simplest(self, number: int) -> tuple[bool, int, str]:
        """Return the simplest zeros of one shape: first those of an op that always yields zeros, then those with the
        fewest dependencies; names do not matter.
        """
        return number not in self.bare_zero, *self.behind[number]

    def put(self, value: GraphValue, *, zero: bool) -> int:
        if value in self.known:  # no two ops with a path are alike
            return self.known[value]
        number = len(self.values) + 1
        self.values[number] = value
        self.known[value] = number
        reads = [self.behind[i] for i in value.inputs]
        text = repr((value.label, sorted(reads) if value.commutative else reads))
        self.behind[number] = 1 + sum(size for size, _ in reads), sha256(text.encode()).hexdigest()
        if zero:
            self.zero.add(number)
        return number


def _inside(graph: Graph, prefix: str) -> Simple:
    state = _State()
    return state.simple(state.run(graph, 0, prefix))


def label(op: BoundOp, what: OpKind) -> str:
    """Op, version and every argument that is not its default, as one text: an argument that an op gets later changes no label."""
    return (
        f"{op.op}@{what.version} {json.dumps(non_default_arguments(op, what), sort_keys=True, separators=(',', ':'))}"
    )


def non_default_arguments(op: BoundOp, what: OpKind) -> dict[str, Any]:
    """Return the non-default arguments, with defaults that depend on others written out."""
    arguments = {key: value for key, value in op.arguments if not isinstance(value, Graph)}
    if what.spell_out is not None:
        arguments = what.spell_out(arguments)
    schema = table()[op.op].arguments
    return {k: v for k, v in arguments.items() if schema[k].required or v != tidy(schema[k].default, schema[k])}


def _settle(values: dict[int, GraphValue], result: int) -> tuple[dict[int, GraphValue], dict[int, int]]:
    """Flatten and merge until nothing changes: a flattened sum may equal another, and then has fewer readers.

    Return the remaining values, and for each original value its replacement.
    """
    replacement = {number: number for number in (0, *values)}
    while True:
        before = values
        values, same = _join(_flatten(_live(values, replacement[result]), replacement[result]))
        replacement = {number: same[other] for number, other in replacement.items() if other in same}
        if values == before:
            return values, replacement


def _live(values: dict[int, GraphValue], result: int) -> dict[int, GraphValue]:
    """Return only the values that the result needs."""
    needed = {result}
    for number in sorted(values, reverse=True):
        if number in needed:
            needed.update(values[number].inputs)
    return {number: value for number, value in values.items() if number in needed}


def _flatten(values: dict[int, GraphValue], result: int) -> dict[int, GraphValue]:
    """Merge each sum (or concat) into its reader where its only reader is a sum (or concat)."""
    readers = Counter(i for value in values.values() for i in value.inputs)
    readers[result] += 1
    flat: dict[int, GraphValue] = {}
    for number, value in values.items():
        inputs: list[int] = []
        for i in value.inputs:
            inner = flat.get(i)
            joins = value.joins in _JOINING and inner is not None and inner.label == value.label and readers[i] == 1
            inputs += inner.inputs if joins and inner is not None else [i]
        flat[number] = replace(value, inputs=tuple(inputs))
    return flat


def _join(values: dict[int, GraphValue]) -> tuple[dict[int, GraphValue], dict[int, int]]:
    """Merge equal pure values; return them with the replacement of each."""
    first: dict[GraphValue, int] = {}
    same = {0: 0}
    kept: dict[int, GraphValue] = {}
    for number, value in values.items():
        inputs = [same[i] for i in value.inputs]
        value = replace(value, inputs=tuple(sorted(inputs) if value.commutative else inputs))
        same[number] = first.setdefault(value, number)  # no two ops with a path are alike
        if same[number] == number:
            kept[number] = value
    return kept, same
