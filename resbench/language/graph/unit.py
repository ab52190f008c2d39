"""A unit's or block's YAML -> UnitSpec, BlockSpec."""

from __future__ import annotations

from dataclasses import dataclass, field

from resbench.language.expressions.expression import Expression
from resbench.language.graph.body import Body, parse_body
from resbench.language.graph.op_list import Vocabulary, block_signature, check_constant, parse_ops
from resbench.language.graph.signature import Argument, Signature
from resbench.language.names import UNIT_NAMES
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems

MAX_INPUTS = 8


@dataclass(frozen=True, slots=True)
class Boundary:
    """What a network may read from its unit. `layers`: weight layers in F; `expansion`: width out over width inside."""

    layers: Node = field(default_factory=lambda: Node(2))
    expansion: Node = field(default_factory=lambda: Node(1))
    after_stem: Node = field(default_factory=lambda: Node(()))
    after_last: Node = field(default_factory=lambda: Node(()))
    node: Node = field(default_factory=lambda: Node({}))


@dataclass(frozen=True, slots=True)
class UnitSpec:
    name: str
    doc: str
    cite: str
    body: Body
    boundary: Boundary
    node: Node


@dataclass(frozen=True, slots=True)
class BlockSpec:
    """A graph that is used as an op; its params are its arguments."""

    name: str
    doc: str
    cite: str
    inputs: tuple[str, ...]
    body: Body
    signature: Signature
    node: Node


def parse_unit(top: Node, vocabulary: Vocabulary, check: Problems) -> UnitSpec:
    check.keys(top, ["unit", "nodes"], ["doc", "cite", "extends", "params", "when", "boundary"])
    name = check.name(top.mapping["unit"])
    body = parse_body(top, ("x",), (), vocabulary, check)
    boundary = Boundary()
    if "boundary" in top.mapping:
        node = top.mapping["boundary"]
        check.keys(node, [], ["layers", "expansion", "after_stem", "after_last"])
        for key in ("layers", "expansion"):
            value = node.mapping.get(key, Node(1)).value
            check_constant(key, node.mapping.get(key, Node(1)), Argument(("int",), True), check)
            for word in value.names if isinstance(value, Expression) else ():
                if word in (*UNIT_NAMES, "channels"):
                    check.report(node.mapping[key], f"`{word}` is of a place; a boundary knows only the unit's params")
        for key in ("after_stem", "after_last"):
            if key in node.mapping:
                parse_ops(node.mapping[key], vocabulary, check)
        known = {k: v for k, v in node.mapping.items() if k in ("layers", "expansion", "after_stem", "after_last")}
        boundary = Boundary(**known, node=node)
    return UnitSpec(name, check.text(top.mapping.get("doc")), check.text(top.mapping.get("cite")), body, boundary, top)


def parse_block(top: Node, vocabulary: Vocabulary, check: Problems) -> BlockSpec:
    check.keys(top, ["block", "nodes"], ["doc", "cite", "extends", "params", "when", "inputs"])
    name = check.name(top.mapping["block"])
    inputs: tuple[str, ...] = ("x",)
    if "inputs" in top.mapping:
        given = check.sequence(top.mapping["inputs"], "names")
        for item in given[:MAX_INPUTS]:
            check.name(item)
        inputs = tuple(str(item.value) for item in given[:MAX_INPUTS])
        different = len(set(inputs)) == len(given) > 0 and "y" not in inputs
        if isinstance(top.mapping["inputs"].value, tuple) and not different:
            check.report(top.mapping["inputs"], f"1 to {MAX_INPUTS} different names other than `y` are needed")
    body = parse_body(top, inputs, ("out", "stride"), vocabulary, check)
    origin = top.place.file if top.place else ""
    signature = block_signature(name, body.params, len(inputs), origin)
    doc, cite = check.text(top.mapping.get("doc")), check.text(top.mapping.get("cite"))
    return BlockSpec(name, doc, cite, inputs, body, signature, top)
