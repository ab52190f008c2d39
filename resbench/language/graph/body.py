"""`params`, `nodes` and `when` of a unit or block -> Body; reports every problem that needs no shapes to be found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from resbench.errors import Reason
from resbench.escape import printable
from resbench.language.expressions.expression import Expression
from resbench.language.expressions.grammar import Tree, parse
from resbench.language.graph.op_list import OpList, Vocabulary, parse_ops
from resbench.language.graph.params import Param, parse_param
from resbench.language.graph.references import Written, check_edges, check_names
from resbench.language.graph.references import find_cycle as find_cycle
from resbench.language.graph.references import unknown_name as unknown_name
from resbench.language.names import KNOWN, UNIT_NAMES
from resbench.language.yaml.comments import comment_behind
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems

MAX_NODES, MAX_PARAMS = 400, 100


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node, `{from, ops}`; in a rule either may be missing (None: unchanged)."""

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


def parse_params(node: Node | None, own: Iterable[str], check: Problems) -> dict[str, Param]:
    """Parse `params:`; `own` are the known names that a param of this file may use."""
    params: dict[str, Param] = {}
    if node is None or node.value is None:
        return params
    if not isinstance(node.value, dict):
        check.report(node, f"a mapping from names to values is needed, got {node.shown()}")
        return params
    if len(node.value) > MAX_PARAMS:
        check.report(node, f"{len(node.value)} params; at most {MAX_PARAMS} are allowed")
    docs = _comments(node)
    for name, value in node.value.items():
        key = Node(name, node.keys.get(name), f"{node.path}.{name}")
        if name in KNOWN and name not in own:
            check.report(key, f"`{name}` is a name that the language defines; a param needs another")
        else:
            check.name(key)
        params[name] = replace(parse_param(name, value, check), doc=docs.get(name, ""))
    return params


def _comments(node: Node) -> dict[str, str]:
    """Return the comment behind each entry that has its own line, or else behind the end of its value, which formatters wrap."""
    lines = Counter((place.file, place.line) for place in node.keys.values())
    found = {}
    for name, place in node.keys.items():
        end = node.mapping[name].end
        if lines[place.file, place.line] == 1:
            found[name] = comment_behind(place.text)
            below = end is not None and end.file == place.file and end.line > place.line
            if end is not None and below and not found[name] and not lines[end.file, end.line]:
                found[name] = comment_behind(end.text, end.column - 1)
    return found


def parse_body(top: Node, inputs: tuple[str, ...], own: Iterable[str], vocabulary: Vocabulary, check: Problems) -> Body:
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
    check_edges(top, _written(nodes), [_written(rule.nodes) for rule in rules], inputs, check)
    check_names(top, params, UNIT_NAMES, [rule.condition for rule in rules], check)
    return body


def _written(nodes: Mapping[str, NodeSpec]) -> Written:
    return {
        name: (spec.node, () if spec.sources is None else spec.sources.items or (spec.sources,))
        for name, spec in nodes.items()
    }


def _nodes(
    node: Node | None, inputs: tuple[str, ...], vocabulary: Vocabulary, check: Problems, *,
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
            check.report(key, f"`{printable(name)}` is an input; a node needs another name")
        elif name != "y":
            check.name(key)
        new = whole or (base is not None and name not in base)
        nodes[name] = NodeSpec(None, None, key)
        if not check.keys(entry, ["from", "ops"] if new else [], [] if new else ["from", "ops"]):
            continue
        sources, ops = entry.mapping.get("from"), entry.mapping.get("ops")
        if not new and sources is None and ops is None:
            check.report(entry, "`from` or `ops` is needed: what the rule changes")
        if sources is not None:
            for source in sources.items or (sources,):
                if not isinstance(source.value, str | Expression) or sources.value == ():
                    check.report(source, f"`from` names a node or a list of nodes, got {source.shown()}")
        nodes[name] = NodeSpec(sources, parse_ops(ops, vocabulary, check) if ops is not None else None, key)
    return nodes


def _condition(node: Node, check: Problems) -> Tree:
    if isinstance(node.value, bool):
        return ("value", node.value)
    if isinstance(node.value, str):
        try:
            return parse(node.value)
        except Reason as fact:
            check.report(node, str(fact))
    else:
        check.report(node, f"an expression without `$( )` is needed, as in `first or transition`, got {node.shown()}")
    return ("value", False)
