"""A network's YAML -> NetworkSpec: stem, stages of units, head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resbench.language.graph.body import parse_params
from resbench.language.graph.op_list import OpList, Vocabulary, parse_ops
from resbench.language.graph.params import Param
from resbench.language.graph.references import check_names
from resbench.language.names import NETWORK_NAMES, STAGE_NAMES
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems

MAX_STAGES = 100


@dataclass(frozen=True, slots=True)
class Use:
    """`{use: name, param: value, ...}`; without a name (a stage's `unit`) it changes params of the net's unit."""

    name: str | None
    arguments: Mapping[str, Node]
    node: Node

    @property
    def given(self) -> Node:
        """Return the arguments as a mapping at their place."""
        return Node(dict(self.arguments), self.node.place, self.node.path, self.node.keys)


@dataclass(frozen=True, slots=True)
class StageSpec:
    units: Node
    out: Node | None
    stride: Node
    before: OpList
    unit: Use | None
    node: Node


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """The spec of a network; `input` (C, H, W) and `classes` apply where no data set is named."""

    name: str
    doc: str
    cite: str
    params: Mapping[str, Param]
    unit: Use
    stem: OpList
    stages: tuple[StageSpec, ...]
    head: OpList
    input: tuple[int, int, int] | None
    classes: int | None
    node: Node


def parse_use(node: Node, check: Problems, *, named: bool = True) -> Use:
    """Return a name, or a mapping with `use` and params."""
    if isinstance(node.value, str):
        return Use(node.value, {}, node)
    if not isinstance(node.value, dict):
        check.report(node, f"a name or {{use: name, param: value}} is needed, got {node.shown()}")
        return Use(None, {}, node)
    use = node.value.get("use")
    if named and use is None:
        check.report(node, "key `use` is missing: the name of what is used")
    if use is not None and not isinstance(use.value, str):
        check.report(use, f"a name is needed, got {use.shown()}")
        use = None
    return Use(str(use.value) if use else None, {k: v for k, v in node.value.items() if k != "use"}, node)


def parse_network(top: Node, vocabulary: Vocabulary, check: Problems) -> NetworkSpec:
    entries = top.mapping
    check.keys(
        top, ["network", "unit", "stages", "head"], ["doc", "cite", "extends", "params", "stem", "input", "classes"]
    )
    name = check.name(entries["network"])
    params = parse_params(entries.get("params"), (), check)
    stages = check.sequence(entries["stages"], "stages") if "stages" in entries else ()
    if "stages" in entries and isinstance(entries["stages"].value, tuple) and not 1 <= len(stages) <= MAX_STAGES:
        check.report(entries["stages"], f"1 to {MAX_STAGES} stages are needed, got {len(stages)}")
    check_names(top, params, (*NETWORK_NAMES, *STAGE_NAMES), (), check)
    return NetworkSpec(
        name,
        check.text(entries.get("doc")),
        check.text(entries.get("cite")),
        params,
        parse_use(entries["unit"], check) if "unit" in entries else Use(None, {}, top),
        parse_ops(entries["stem"], vocabulary, check) if "stem" in entries else (),
        tuple(_stage(stage, vocabulary, check) for stage in stages[:MAX_STAGES]),
        parse_ops(entries["head"], vocabulary, check) if "head" in entries else (),
        _input(entries.get("input"), check),
        check.whole(entries["classes"], 1, 10**6) if "classes" in entries else None,
        top,
    )


def _stage(node: Node, vocabulary: Vocabulary, check: Problems) -> StageSpec:
    entries = node.mapping
    check.keys(node, ["units"], ["out", "stride", "before", "unit"])
    return StageSpec(
        entries.get("units", Node(1)),
        entries.get("out"),
        entries.get("stride", Node(1)),
        parse_ops(entries["before"], vocabulary, check) if "before" in entries else (),
        parse_use(entries["unit"], check, named=False) if "unit" in entries else None,
        node,
    )


def _input(node: Node | None, check: Problems) -> tuple[int, int, int] | None:
    if node is None:
        return None
    if len(node.items) != 3:
        check.report(node, f"[channels, height, width] is needed, got {node.shown()}")
        return None
    sizes = [check.whole(item, 1, 4096) for item in node.items]
    return sizes[0], sizes[1], sizes[2]
