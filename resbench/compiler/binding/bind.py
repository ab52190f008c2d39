"""Body or op list, and the names known at a place -> Graph. Names are bound, blocks inlined, shapes found as ops are added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resbench.compiler.binding.arguments import bind_argument
from resbench.compiler.binding.integers import whole
from resbench.compiler.binding.mismatch_hint import hint, where
from resbench.compiler.binding.scope import Frame, Scope, Text, shown
from resbench.compiler.binding.shapes import infer
from resbench.compiler.graph import BoundOp, Graph, Shape, sizes
from resbench.errors import PlacedPluginError, PluginError, Reason, SpecError
from resbench.language.graph.body import Body, NodeSpec, find_cycle
from resbench.language.graph.op_list import Insert, OpCall, OpList, Repeat, check_inputs, parse_op, parse_ops
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems

MAX_STEPS = 5000  # in one graph, including empty repeats
MAX_REPEAT = 1000


@dataclass(slots=True)
class Building:
    """A Graph under construction; `shapes` and `labels` (names of values in messages) are indexed by value number."""

    library: Library
    shapes: list[Shape]
    labels: list[str]
    ops: list[BoundOp] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    steps: int = 0

    def graph(self, output: int) -> Graph:
        return Graph(self.shapes[0], tuple(self.ops), output)


def bind_list(ops: OpList, input_shape: Shape, frame: Frame, library: Library) -> Graph:
    """Return the bound graph of a stem, head or `before`: a chain of ops."""
    building = Building(library, [input_shape], ["x"])
    (output,) = _List(building, "", {}).run(ops, (0,), frame)
    return building.graph(output)


def bind_body(body: Body, input_shape: Shape, scope: Scope, library: Library) -> Graph:
    """Return the bound graph of a unit at one place."""
    building = Building(library, [input_shape], ["x"])
    output = _bind_nodes(building, body, {"x": 0}, Frame(scope, scope.known), "")
    return building.graph(output)


def _bind_nodes(building: Building, body: Body, values: dict[str, int], frame: Frame, prefix: str) -> int:
    """Add the nodes that `y` needs, in the order written where that is legal. Return the number of `y`'s value."""
    nodes = _apply_rules(body, frame)
    reads = _needed(nodes, values, frame)
    waiting = [name for name in nodes if name in reads]
    while waiting:
        name = next(n for n in waiting if all(source in values for source in reads[n]))
        waiting.remove(name)
        ops = nodes[name].ops or ()
        steps = _List(building, f"{prefix}{name}.", {})
        results = steps.run(ops, tuple(values[source] for source in reads[name]), frame)
        if len(results) != 1:
            raise SpecError(
                [nodes[name].node.problem(f"{len(results)} sources and no op that joins them; a node is one tensor")]
            )
        (values[name],) = results
        if not prefix:
            building.labels[values[name]] = name if values[name] else "x"
    return values["y"]


def _apply_rules(body: Body, frame: Frame) -> dict[str, NodeSpec]:
    """Return the nodes at this place: each rule that applies replaces `from` or `ops`, or adds nodes; a later rule wins."""
    nodes = dict(body.nodes)
    for rule in body.when:
        if frame.holds(rule.node.mapping["if"], rule.text, rule.condition):
            for name, change in rule.nodes.items():
                old = nodes.get(name)
                sources = change.sources if change.sources is not None else old.sources if old else None
                ops = change.ops if change.ops is not None else old.ops if old else None
                nodes[name] = NodeSpec(sources, ops, change.node)
    if "y" not in nodes:
        given = next(rule.nodes["y"] for rule in body.when if "y" in rule.nodes)
        raise SpecError([given.node.problem("`y` is the result, and no rule that gives it holds at this place")])
    return nodes


def _needed(nodes: Mapping[str, NodeSpec], inputs: Mapping[str, int], frame: Frame) -> dict[str, list[str]]:
    """Return the nodes that `y` needs, with their sources. Raise SpecError for an unknown source and for a cycle."""
    reads: dict[str, list[str]] = {}
    stack = ["y"]
    while stack:
        name = stack.pop()
        if name in reads:
            continue
        node = nodes[name]
        reads[name] = _sources(node, frame)
        for source in reads[name]:
            if source not in nodes and source not in inputs:
                place = node.sources or node.node
                here = ", ".join([*inputs, *nodes])
                raise SpecError([place.problem(f"`{source}` is no node at this place; nodes here: {here}")])
            if source in nodes:
                stack.append(source)
    cycle = find_cycle(reads)
    if cycle:
        raise SpecError([nodes[cycle[0]].node.problem(f"a cycle: {' <- '.join(cycle)}")])
    return reads


def _sources(node: NodeSpec, frame: Frame) -> list[str]:
    assert node.sources is not None
    value = frame.plain(node.sources)
    names = value if isinstance(value, list | tuple) else [value]
    if not names or not all(isinstance(name, str) for name in names):
        raise SpecError([node.sources.problem(f"`from` must stand for node names, got {shown(value)}")])
    return [str(name) for name in names]


@dataclass(slots=True)
class _List:
    """A binder of one op list; `counts` numbers the ops of a node by name, from 1."""

    building: Building
    prefix: str
    counts: dict[str, int]

    def run(self, ops: OpList, values: tuple[int, ...], frame: Frame) -> tuple[int, ...]:
        for item in ops:
            self.building.steps += 1
            if self.building.steps > MAX_STEPS:
                raise SpecError([item.node.problem(f"more than {MAX_STEPS:,} ops and repeats in one graph")])
            if isinstance(item, Insert):
                values = self.insert(item, values, frame)
            elif isinstance(item, Repeat):
                known = self.here(values, frame)
                for _ in range(whole(item.times, known, "times", 0, MAX_REPEAT)):
                    values = self.run(item.ops, values, frame)
            else:
                values = (self.call(item, values, frame),)
        return values

    def here(self, values: tuple[int, ...], frame: Frame) -> Frame:
        return frame.with_known({"channels": self.building.shapes[values[0]][0]})

    def insert(self, item: Insert, values: tuple[int, ...], frame: Frame) -> tuple[int, ...]:
        """Add the ops that `$order` stands for, with the params of the file where they are written."""
        value = self.here(values, frame).settle(item.node)
        if value == ():
            return values
        check = Problems()
        scope = frame.scope
        if isinstance(value, Text):
            scope = value.scope
            if isinstance(value.node.value, tuple):
                ops = parse_ops(value.node, self.building.library, check)
            else:
                one = parse_op(value.node, self.building.library, check)
                ops = (one,) if one else ()
        elif isinstance(value, str):
            one = parse_op(Node(value, item.node.place, item.node.path), self.building.library, check)
            ops = (one,) if one else ()
        else:
            raise SpecError([item.node.problem(f"{item.node.shown()} stands for {shown(value)}; ops are needed here")])
        check.done()
        return self.run(ops, values, Frame(scope, frame.known))

    def call(self, call: OpCall, values: tuple[int, ...], frame: Frame) -> int:
        building = self.building
        path = self.path(call.stem)
        signature = building.library.signature(call.op)
        assert signature is not None
        try:
            check_inputs(call.name, signature, len(values))
        except Reason as fact:
            raise SpecError([call.node.problem(str(fact))]) from None
        frame = self.here(values, frame)
        if call.op not in building.library.ops:
            return self.inline(call, values, frame, path)
        arguments = tuple(
            (
                name,
                self.inner(call.lists[name], values[0], frame)
                if name in call.lists
                else bind_argument(call, name, argument, frame),
            )
            for name, argument in sorted(signature.arguments.items())
        )
        shapes = tuple(building.shapes[value] for value in values)
        try:
            shape = infer(call.op, arguments, shapes)
        except Reason as fact:
            raise SpecError([call.node.problem(f"{call.name}: {self.explain(str(fact), values, frame)}")]) from None
        except PluginError as error:
            raise PlacedPluginError(str(call.node.problem(f"{call.name}: {error}"))) from error
        building.ops.append(BoundOp(path, call.op, arguments, values, shape, call.node.place))
        building.shapes.append(shape)
        building.labels.append(path)
        return len(building.shapes) - 1

    def path(self, stem: str) -> str:
        """Return a path such as `f.conv2`, with a higher number where that is taken: the sixty-first `relu` and the
        first `relu6` would clash.
        """
        while True:
            self.counts[stem] = self.counts.get(stem, 0) + 1
            path = f"{self.prefix}{stem}{self.counts[stem]}"
            if path not in self.building.paths:
                self.building.paths.add(path)
                return path

    def inner(self, ops: OpList, value: int, frame: Frame) -> Graph:
        """Return a list of ops that is an op's argument as a graph of its own; its input is the op's first input."""
        building = Building(
            self.building.library, [self.building.shapes[value]], ["its input"], steps=self.building.steps
        )
        (output,) = _List(building, "", {}).run(ops, (0,), frame)
        self.building.steps = building.steps
        return building.graph(output)

    def inline(self, call: OpCall, values: tuple[int, ...], frame: Frame, path: str) -> int:
        """Add a block with its own scope and its nodes below `path`, and return the number of its value."""
        block = self.building.library.block(call.op)
        known = {key: value for key, value in frame.known.items() if key != "channels"} | {
            "in": frame.known["channels"]
        }
        scope = Scope(block.body.params, {k: (node, frame) for k, node in call.arguments.items()}, known)
        landing: dict[str, Any] = dict(known)
        for name in ("out", "stride"):
            if name in block.body.params:
                landing[name] = lambda name=name: scope.param(name)
        inputs = dict(zip(block.inputs, values, strict=True))
        return _bind_nodes(self.building, block.body, inputs, Frame(scope, landing), f"{path}.")

    def explain(self, fact: str, values: Sequence[int], frame: Frame) -> str:
        shapes, labels = self.building.shapes, self.building.labels
        if len(values) == 1:
            return f"{fact} (its input is {sizes(shapes[values[0]])}){where(frame.known)}"
        stated = ", ".join(f"{labels[value]} is {sizes(shapes[value])}" for value in values)
        stride = frame.known.get("stride") if not self.prefix.count(".") > 1 else None
        asked = (stride, -(-shapes[0][-1] // stride)) if isinstance(stride, int) else (None, None)
        why = hint([shapes[v] for v in values], [labels[v] for v in values], *asked)
        return f"{fact}: {stated}{why}{where(frame.known)}"
