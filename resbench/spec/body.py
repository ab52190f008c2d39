"""`params`, `nodes` and `when` of a unit or block -> Body, with what can be known wrong without shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from resbench.errors import Fact, did_you_mean
from resbench.spec.check import Check
from resbench.spec.domain import Param, parse_param
from resbench.spec.expression import Expression
from resbench.spec.grammar import Tree, parse
from resbench.spec.names import KNOWN, UNIT_NAMES
from resbench.spec.node import Node, all_nodes
from resbench.spec.oplist import OpList, Vocabulary, parse_ops

MAX_NODES = 400


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """`{from, ops}`; in a rule either may be missing (None: as it was)."""

    sources: Node | None
    ops: OpList | None
    node: Node


@dataclass(frozen=True, slots=True)
class Rule:
    condition: Tree
    text: str
    nodes: Mapping[str, NodeSpec]
    node: Node


@dataclass(frozen=True, slots=True)
class Body:
    params: Mapping[str, Param]
    nodes: Mapping[str, NodeSpec]
    when: tuple[Rule, ...]


def parse_params(node: Node | None, own: Iterable[str], check: Check) -> dict[str, Param]:
    """`params:`; `own` are the known names that a param of this file may bear."""
    params: dict[str, Param] = {}
    if node is None or node.value is None:
        return params
    if not isinstance(node.value, dict):
        check.report(node, f"a mapping from names to values is needed, got {node.shown()}")
        return params
    for name, value in node.value.items():
        key = Node(name, node.keys.get(name), f"{node.path}.{name}")
        if name in KNOWN and name not in own:
            check.report(key, f"`{name}` is known in every expression; a param needs another name")
            continue
        check.name(key)
        params[name] = parse_param(name, value, check)
    return params


def parse_body(top: Node, inputs: tuple[str, ...], own: Iterable[str], vocabulary: Vocabulary, check: Check) -> Body:
    params = parse_params(top.mapping.get("params"), own, check)
    nodes = _nodes(top.mapping.get("nodes"), inputs, vocabulary, check, whole=True)
    rules = []
    when = top.mapping.get("when")
    for item in check.sequence(when, "rules {if, nodes}") if when is not None else ():
        if not check.keys(item, ["if", "nodes"]) or {"if", "nodes"} - set(item.mapping):
            continue
        rules.append(
            Rule(
                _condition(item.mapping["if"], check),
                str(item.mapping["if"].value),
                _nodes(item.mapping["nodes"], inputs, vocabulary, check, whole=False, base=nodes),
                item,
            )
        )
    body = Body(params, nodes, tuple(rules))
    _check_edges(top, body, inputs, check)
    check_names(top, body.params, UNIT_NAMES, [rule.condition for rule in rules], check)
    return body


def _nodes(
    node: Node | None, inputs: tuple[str, ...], vocabulary: Vocabulary, check: Check, *,
    whole: bool, base: Mapping[str, NodeSpec] | None = None,
) -> dict[str, NodeSpec]:  # fmt: skip
    nodes: dict[str, NodeSpec] = {}
    if node is None:
        return nodes
    if not isinstance(node.value, dict):
        check.report(node, f"a mapping from node names to {{from, ops}} is needed, got {node.shown()}")
        return nodes
    if len(node.value) > MAX_NODES:
        check.report(node, f"{len(node.value)} nodes; at most {MAX_NODES} are allowed")
        return nodes
    for name, entry in node.value.items():
        key = Node(name, node.keys.get(name), f"{node.path}.{name}")
        if name in inputs:
            check.report(key, f"`{name}` is the input; a node needs another name")
        elif name != "y":
            check.name(key)
        new = whole or (base is not None and name not in base)
        if not check.keys(entry, ["from", "ops"] if new else [], [] if new else ["from", "ops"]):
            continue
        sources, ops = entry.mapping.get("from"), entry.mapping.get("ops")
        if sources is not None:
            for source in sources.items or (sources,):
                if not isinstance(source.value, str | Expression) or sources.value == ():
                    check.report(source, f"`from` names a node or a list of nodes, got {source.shown()}")
        nodes[name] = NodeSpec(sources, parse_ops(ops, vocabulary, check) if ops is not None else None, key)
    return nodes


def _condition(node: Node, check: Check) -> Tree:
    if isinstance(node.value, bool):
        return ("value", node.value)
    if isinstance(node.value, str):
        try:
            return parse(node.value)
        except Fact as fact:
            check.report(node, str(fact))
    else:
        check.report(node, f"an expression without `$( )` is needed, as in `first or transition`, got {node.shown()}")
    return ("value", False)


def _check_edges(top: Node, body: Body, inputs: tuple[str, ...], check: Check) -> None:
    """Dangling sources, a missing `y`, nodes that nothing reads, cycles among the nodes as written."""
    every = {name: spec for rule in body.when for name, spec in rule.nodes.items()} | dict(body.nodes)
    known = [*inputs, *every]
    read: set[str] = set()
    for spec in [*body.nodes.values(), *(s for rule in body.when for s in rule.nodes.values())]:
        for source in _static(spec):
            read.add(str(source.value))
            if source.value not in known:
                near = did_you_mean(source.value, known)
                check.report(source, f"`{source.value}` is no node; nodes: {', '.join(known)}{near}")
    params = top.mapping.get("params")
    if params is not None:  # an edge may be a param
        read |= {str(node.value) for node in all_nodes(params) if isinstance(node.value, str)}
    if "nodes" in top.mapping and "y" not in every and top.mapping["nodes"].mapping:
        check.report(top.mapping["nodes"], "node `y`, the result, is missing")
    for name, spec in every.items():
        if name != "y" and name not in read:
            check.report(spec.node, f"node `{name}` is read by nothing")
    cycle = find_cycle({name: [str(s.value) for s in _static(spec)] for name, spec in body.nodes.items()})
    if cycle:
        check.report(body.nodes[cycle[0]].node, f"a cycle: {' <- '.join(cycle)}")


def _static(spec: NodeSpec) -> list[Node]:
    """The sources that are written out as names."""
    sources = (spec.sources.items or (spec.sources,)) if spec.sources is not None else ()
    return [source for source in sources if isinstance(source.value, str)]


def find_cycle(reads: Mapping[str, Iterable[str]]) -> list[str] | None:
    """A path of names that ends where it began, or None.

    >>> find_cycle({"a": ["b"], "b": ["x", "a"]})
    ['a', 'b', 'a']
    """
    done: set[str] = set()
    for start in reads:
        path: list[str] = []
        stack: list[tuple[str, Iterable[str]]] = [(start, iter(reads[start]))] if start not in done else []
        while stack:
            name, rest = stack[-1]
            if len(path) < len(stack):
                path.append(name)
            following = next((n for n in rest if n in reads and n not in done), None)
            if following is None:
                done.add(name)
                stack.pop()
                path.pop()
            elif following in path:
                return [*path[path.index(following) :], following]
            else:
                stack.append((following, iter(reads[following])))
    return None


def unknown_name(name: str, allowed: Sequence[str]) -> str:
    return f"`{name}` stands for nothing here; known: {', '.join(allowed)}{did_you_mean(name, allowed)}"


def check_names(
    top: Node, params: Mapping[str, Param], known: Iterable[str], conditions: Iterable[Tree], check: Check
) -> None:
    """Names in expressions that stand for nothing, and params that nothing reads."""
    allowed = [*params, *known, "channels"]
    read: set[str] = set()
    for node in all_nodes(top):
        if isinstance(node.value, Expression):
            read.update(node.value.names)
            unknown = [name for name in node.value.names if name not in allowed]
            for name in unknown:
                check.report(node, unknown_name(name, allowed))
    for rule, tree in zip(top.mapping["when"].items if "when" in top.mapping else (), conditions, strict=False):
        names = Expression("", tree).names
        read.update(names)
        for name in names:
            if name not in allowed:
                where = rule.mapping.get("if", rule)
                check.report(where, unknown_name(name, allowed))
    for name, param in params.items():
        if name not in read:
            key = top.mapping["params"]
            place = Node(name, key.keys.get(name, param.default.place), f"params.{name}")
            check.report(place, f"param `{name}` is read by nothing")
