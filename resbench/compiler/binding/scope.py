"""Evaluate the params of one file at one place when they are first read; `Frame` adds the names known where a text is
inserted.

A list or mapping that a param stands for is inserted as text (`Text`): its params are those of the file where it is
written, its `$channels`, `$out`, ... those of the place where it is inserted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from resbench.errors import Reason, SpecError
from resbench.language.expressions.expression import Expression
from resbench.language.expressions.grammar import Tree
from resbench.language.graph.body import unknown_name
from resbench.language.graph.params import Choices, Domain, Param, is_domain, label_of, parse_domain
from resbench.language.yaml.node import Node, flow, from_plain, plain
from resbench.language.yaml.problems import Problems

Choose = Callable[[str, Domain], Node]


def choose_nothing(name: str, domain: Domain) -> Node:
    """Raise Reason for a domain outside of a study, where no value is selected from it."""
    raise Reason(f"`{name}` is a domain; a domain is allowed only in a study, here one value is needed")


@dataclass(frozen=True, slots=True)
class Text:
    node: Node
    scope: Scope

    def __str__(self) -> str:
        return flow(plain(self.node))


class Scope:
    """The params of one file at one place; `given` are values from outside, each with the frame where it was written;
    `vary` names params that are searched over their own domain.
    """

    def __init__(
        self,
        params: Mapping[str, Param],
        given: Mapping[str, tuple[Node, Frame | None]],
        known: Mapping[str, Any],
        prefix: str = "",
        choose: Choose = choose_nothing,
        *,
        vary: frozenset[str] = frozenset(),
    ) -> None:
        self.params, self.given, self.known = params, given, known
        self.prefix, self.choose, self.vary = prefix, choose, vary
        self._values: dict[str, Any] = {}
        self._open: list[str] = []

    def param(self, name: str) -> Any:
        """Return the value of a param; it is computed once."""
        if name not in self._values:
            if name in self._open:
                chain = " <- ".join([*self._open[self._open.index(name) :], name])
                raise Reason(f"param `{name}` depends on itself: {chain}")
            self._open.append(name)
            try:
                self._values[name] = self._work_out(self.params[name])
            finally:
                self._open.pop()
        return self._values[name]

    def _work_out(self, param: Param) -> Any:
        frame = Frame(self, self.known)
        if param.by is not None:
            return self._look_up(param, frame)
        node, frame = self._source(param, frame)
        value = frame.settle(node)
        if param.domain is None:
            return value
        source = node if not isinstance(node.value, Expression) else from_plain(_untext(value), node.path, node.place)
        try:
            picked = param.pick(source)
        except Reason as fact:
            raise SpecError([node.problem(f"{param.name}: {fact}")]) from None
        return value if picked is source else Frame(self, self.known).settle(picked)

    def _source(self, param: Param, frame: Frame) -> tuple[Node, Frame]:
        """Return the source of a param's value, and its frame; a value is selected from a domain."""
        node, outer = self.given.get(param.name, (None, None))
        if node is not None and is_domain(node):
            check = Problems()
            domain = parse_domain(node, check)
            check.done()
            assert domain is not None
            try:
                return self.choose(f"{self.prefix}.{param.name}", domain), frame
            except Reason as fact:
                raise SpecError([node.problem(str(fact))]) from None
        if param.name in self.vary and node is None:
            domain = param.domain
            if domain is None:
                raise Reason(f"`{param.name}` has no domain to vary over")
            if isinstance(domain, Choices):  # a choice that a case names is passed by that name
                domain = Choices({k: v if label_of(v) == k else from_plain(k) for k, v in domain.values.items()})
            return self.choose(f"{self.prefix}.{param.name}", domain), frame
        return (param.default, frame) if node is None else (node, outer or frame)

    def _look_up(self, param: Param, frame: Frame) -> Any:
        assert param.by is not None
        if param.name in self.given:
            by = flow(plain(param.by))
            raise SpecError(
                [self.given[param.name][0].problem(f"{param.name} is looked up by {by}; it cannot be given")]
            )
        label = flow(_untext(frame.settle(param.by)))
        values = param.domain.values if isinstance(param.domain, Choices) else {}
        if label not in values:
            raise SpecError([param.by.problem(f"{param.name}: no case for {label}; cases: {', '.join(values)}")])
        return frame.settle(values[label])


@dataclass(frozen=True, slots=True)
class Frame:
    """A scope and the names known where a text is inserted; a known value may be a function, called when read."""

    scope: Scope
    known: Mapping[str, Any]

    def with_known(self, known: Mapping[str, Any]) -> Frame:
        return Frame(self.scope, {**self.known, **known})

    def written(self, node: Node) -> tuple[Node, Frame]:
        """Return the source and frame of a value that is only passed on (`conv: {out: $out}` in a block)."""
        frame = self
        while isinstance(node.value, Expression) and node.value.tree[0] == "name":
            given, outer = frame.scope.given.get(node.value.tree[1], (None, None))
            if given is None or given.place is None:
                break
            node, frame = given, outer or frame
            if outer is None:
                break
        return node, frame

    def lookup(self, name: str) -> Any:
        opened = self.scope._open[-1:] == [name] and name in self.known  # a block's `out: $out` means the unit's
        if name in self.scope.params and not opened:
            return self.scope.param(name)
        if name in self.known:
            value = self.known[name]
            return value() if callable(value) else value
        raise Reason(unknown_name(name, [*self.scope.params, *self.known]))

    def settle(self, node: Node) -> Any:
        """Return scalars and lists of numbers as they are, other lists and mappings as Text. Errors get the node's place."""
        if isinstance(node.value, Expression):
            return self.evaluate(node, node.value)
        if isinstance(node.value, tuple) and all(map(_may_be_number, node.items)):
            values = tuple(self.settle(item) for item in node.items)
            return values if all(map(_is_number, values)) else Text(node, self.scope)
        if isinstance(node.value, tuple | dict):
            return Text(node, self.scope)
        return node.value

    def evaluate(self, node: Node, expression: Expression) -> Any:
        try:
            return expression.evaluate(self.lookup)
        except Reason as fact:
            raise SpecError([node.problem(f"{expression.text}: {fact}")]) from None

    def holds(self, node: Node, text: str, tree: Tree) -> bool:
        """Return whether a rule's condition is true here."""
        value = self.evaluate(node, Expression(text, tree))
        if not isinstance(value, bool):
            hint = f"; compare it, as in `{text} == {value}`" if isinstance(value, int | float) else ""
            raise SpecError([node.problem(f"`{text}` must be true or false, got {shown(value)}{hint}")])
        return value

    def plain(self, node: Node) -> Any:
        """Return the node as plain data, with every expression evaluated."""
        value = self.settle(node)
        if isinstance(value, Text):
            frame = Frame(value.scope, self.known)
            if value.node.items:
                return [frame.plain(item) for item in value.node.items]
            return {key: frame.plain(item) for key, item in value.node.mapping.items()}
        return value


def _may_be_number(item: Node) -> bool:
    return isinstance(item.value, int | float | Expression) or (
        isinstance(item.value, tuple) and all(map(_may_be_number, item.items))
    )


def _is_number(value: Any) -> bool:
    """Return whether a value is a number or a list of numbers; the value of `[$norm, $act]` is neither, though it might be."""
    return isinstance(value, int | float) or (isinstance(value, tuple) and len(value) > 0)


def _untext(value: Any) -> Any:
    """Return a value for messages and labels: Text as its source."""
    if isinstance(value, Text):
        return plain(value.node)
    return [_untext(item) for item in value] if isinstance(value, tuple) else value


def shown(value: Any) -> str:
    """Return a value as messages show it, in YAML."""
    return flow(_untext(value))
