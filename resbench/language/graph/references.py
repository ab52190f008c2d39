"""Check the references of a file: unknown sources, cycles, unused nodes and params, and undefined names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from resbench.did_you_mean import did_you_mean
from resbench.escape import printable
from resbench.language.expressions.expression import Expression
from resbench.language.expressions.grammar import Tree
from resbench.language.yaml.node import Node, all_nodes
from resbench.language.yaml.problems import Problems, listed

MAX_NEAR = 200  # names that are tried for a hint
Written = Mapping[str, tuple[Node, tuple[Node, ...]]]  # by a node's name: its key, and its sources


def check_edges(top: Node, nodes: Written, rules: Sequence[Written], inputs: tuple[str, ...], check: Problems) -> None:
    """Report unknown sources, a missing `y`, nodes that nothing reads, and cycles among the nodes as written."""
    every = {name: key for part in (*rules, nodes) for name, (key, _) in part.items()}
    known = [*inputs, *every]
    possible = _texts(top.mapping.get("params"))  # an edge may be a param
    reads: dict[str, set[str]] = {name: set() for name in every}
    dangling = False  # otherwise the node that it should have read would be reported too, as read by nothing
    for part in (nodes, *rules):
        for name, (_, sources) in part.items():
            for source in sources:
                if not isinstance(source.value, str):
                    reads[name] |= possible | _texts(source)
                    continue
                reads[name].add(source.value)
                if source.value not in known:
                    dangling = True
                    given = f"`{printable(source.value)}` is no node; nodes: {listed(known)}"
                    check.report(source, given + did_you_mean(source.value, known[:MAX_NEAR]))
    if "y" in every:
        needed = _closure({"y"}, reads)
        for name, key in every.items():
            if name not in needed and not dangling and not _inherited(key, top):
                check.report(key, f"node `{printable(name)}` is read by nothing")
    elif "nodes" in top.mapping and (every or top.mapping["nodes"].value == {}):
        check.report(top.mapping["nodes"], "node `y`, the result, is missing")
    cycle = find_cycle(
        {
            name: [str(source.value) for source in sources if isinstance(source.value, str)]
            for name, (_, sources) in nodes.items()
            if name not in inputs
        }
    )
    if cycle:
        check.report(nodes[cycle[0]][0], f"a cycle: {' <- '.join(cycle)}")


def check_names(
    top: Node, params: Iterable[str], known: Iterable[str], conditions: Iterable[Tree], check: Problems
) -> None:
    """Report undefined names in expressions, params that nothing reads, and lists that contain themselves."""
    params, known = list(params), list(known)
    allowed = [*params, *known, "channels"]
    written = top.mapping.get("params", Node({}))
    inside = {name: _names(written.mapping[name]) for name in params}
    outside = {name for key, node in top.mapping.items() if key != "params" for name in _names(node)}
    for node in all_nodes(top):
        if isinstance(node.value, Expression):
            for name in node.value.names:
                if name not in allowed:
                    check.report(node, unknown_name(name, allowed))
    for rule, tree in zip(top.mapping.get("when", Node(())).items, conditions, strict=False):
        for name in Expression("", tree).names:
            outside.add(name)
            if name not in allowed:
                check.report(rule.mapping.get("if", rule), unknown_name(name, allowed))
    needed = _closure(outside, inside)
    for name in params:
        value = written.mapping[name]
        key = Node(name, written.keys.get(name, value.place), value.path)
        if name in known:  # `out` and `stride` of a block, which ops read implicitly
            continue
        if name not in needed and not _inherited(key, top):
            check.report(key, f"param `{printable(name)}` is read by nothing")
        if not isinstance(value.value, Expression) and name in _closure(inside[name], inside):
            check.report(key, f"param `{printable(name)}` holds itself")


def unknown_name(name: str, allowed: Sequence[str]) -> str:
    return f"`{name}` stands for nothing here; known: {listed(allowed)}{did_you_mean(name, allowed)}"


def find_cycle(reads: Mapping[str, Iterable[str]]) -> list[str] | None:
    """Return a path of names that ends where it began, or None.

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


def _closure(start: Iterable[str], reads: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the names and all that they depend on."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += reads.get(name, ())
    return found


def _names(node: Node) -> list[str]:
    return [name for part in all_nodes(node) if isinstance(part.value, Expression) for name in part.value.names]


def _texts(node: Node | None) -> set[str]:
    """Return every text in a value, including those inside its expressions."""
    found: set[str] = set()
    for part in all_nodes(node) if node is not None else ():
        if isinstance(part.value, Expression):
            found |= set(part.value.texts)
        elif isinstance(part.value, str):
            found.add(part.value)
    return found


def _inherited(key: Node, top: Node) -> bool:
    """Return whether an entry is a parent's, which a child cannot remove."""
    return key.place is not None and top.place is not None and key.place.file != top.place.file
