"""`mutate: {unit: NAME, ops: [...], edits: 3}` and seeds of edits -> a unit's data with these edits made, one after the other.

An edit inserts, deletes, exchanges or replaces an op, or moves the end of an edge. The op that joins a node's sources
stays, and so do ops that carry the unit's stride. Every edit leaves a unit that a file could hold; binding checks
whether its shapes agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any

from resbench.errors import BadInput, SpecError
from resbench.language.graph.op_list import Vocabulary, parse_op
from resbench.language.graph.unit import UnitSpec, parse_unit
from resbench.language.yaml.node import Node, Plain, flow, from_plain, plain
from resbench.language.yaml.problems import Problems
from resbench.random_streams import LARGEST

MAX_EDITS, MAX_COUNT = 50, 10_000
TRIES = 50  # attempts to draw one edit that leaves a valid unit
_KEYS = ("ops", "edits", "count", "seed")
Unit = dict[str, Any]
Edit = Callable[[Unit, Sequence[Plain], Random], str | None]


@dataclass(frozen=True, slots=True)
class Mutate:
    """A parsed `mutate` entry: at most `edits` edits of `unit`, which insert or substitute `ops`.

    `count` is the number of different mutants that a grid tries, drawn with `seed`; a search draws its own.
    """

    unit: str
    ops: tuple[Plain, ...]
    edits: int
    count: int
    seed: int
    node: Node


def parse_mutate(node: Node, vocabulary: Vocabulary, check: Problems) -> Mutate | None:
    """Return None where the entry is wrong; `check` then has the problems."""
    before = len(check.problems)
    if not check.keys(node, ["unit"], _KEYS) or "unit" not in node.mapping:
        return None
    entries = node.mapping
    unit = entries["unit"]
    if not isinstance(unit.value, str):
        check.report(unit, f"the name of a unit is needed, got {unit.shown()}")
    ops = check.sequence(entries["ops"], "ops") if "ops" in entries else tuple(map(Node, ("bn", "relu", "conv3x3")))
    for item in ops:
        parse_op(item, vocabulary, check)
    edits = check.whole(entries["edits"], 1, MAX_EDITS) if "edits" in entries else 3
    count = check.whole(entries["count"], 1, MAX_COUNT) if "count" in entries else 20
    seed = check.whole(entries["seed"], 0, LARGEST) if "seed" in entries else 0
    if len(check.problems) > before:
        return None
    return Mutate(str(unit.value), tuple(plain(item) for item in ops), edits, count, seed, node)


def mutant(unit: UnitSpec, mutate: Mutate, seeds: Sequence[int], vocabulary: Vocabulary) -> Node:
    """Return the unit after one edit for each nonzero seed, named after its content. Raise BadInput where no edit is found."""
    data: Unit = plain(unit.node)  # type: ignore[assignment]
    done: list[str] = []
    for seed in seeds:
        if seed:
            data, words = _edited(data, mutate.ops, Random(seed), vocabulary)
            done.append(words)
    if not done:
        return unit.node
    inside = {key: value for key, value in data.items() if key not in ("unit", "doc", "cite")}
    name = f"{unit.name[:48]}_{sha256(flow(inside).encode()).hexdigest()[:8]}"
    mutated = {"unit": name, "doc": f"{unit.name}: {'; '.join(done)}", **inside}
    return from_plain(mutated, place=mutate.node.place)


def _edited(data: Unit, ops: Sequence[Plain], random: Random, vocabulary: Vocabulary) -> tuple[Unit, str]:
    for _ in range(TRIES):
        changed = deepcopy(data)
        words = random.choice(EDITS)(changed, ops, random)
        if words is None or changed == data:
            continue
        check = Problems()
        try:
            parse_unit(from_plain(changed), vocabulary, check)
            check.done()
        except SpecError:
            continue
        return changed, words
    raise BadInput(f"no edit of unit {data['unit']} was found that leaves a unit")


def insert(unit: Unit, ops: Sequence[Plain], random: Random) -> str | None:
    name, node = _node(unit, random)
    at = random.randint(_first(node), len(node["ops"]))
    op = random.choice(ops)
    node["ops"].insert(at, op)
    return f"{flow(op)} inserted at {name}[{at}]"


def delete(unit: Unit, ops: Sequence[Plain], random: Random) -> str | None:
    name, node = _node(unit, random)
    free = [i for i in range(_first(node), len(node["ops"])) if not _carries(node["ops"][i])]
    if not free:
        return None
    at = random.choice(free)
    return f"{flow(node['ops'].pop(at))} deleted at {name}[{at}]"


def exchange(unit: Unit, ops: Sequence[Plain], random: Random) -> str | None:
    name, node = _node(unit, random)
    free = range(_first(node), len(node["ops"]))
    if len(free) < 2:
        return None
    i, j = sorted(random.sample(free, 2))
    here = node["ops"]
    here[i], here[j] = here[j], here[i]
    return f"{name}[{i}] and {name}[{j}] exchanged"


def replace(unit: Unit, ops: Sequence[Plain], random: Random) -> str | None:
    name, node = _node(unit, random)
    free = [i for i in range(_first(node), len(node["ops"])) if not _carries(node["ops"][i])]
    if not free:
        return None
    at, op = random.choice(free), random.choice(ops)
    old, node["ops"][at] = node["ops"][at], op
    return f"{flow(old)} at {name}[{at}] is {flow(op)}"


def rewire(unit: Unit, ops: Sequence[Plain], random: Random) -> str | None:
    name, node = _node(unit, random)
    sources = [node["from"]] if isinstance(node["from"], str) else list(node["from"])
    at = random.randrange(len(sources))
    new = random.choice(["x", *(other for other in unit["nodes"] if other not in (name, "y"))])
    old, sources[at] = sources[at], new
    node["from"] = sources[0] if len(sources) == 1 else sources
    return f"{name} reads {new} for {old}"


EDITS: tuple[Edit, ...] = (insert, delete, exchange, replace, rewire)


def _node(unit: Unit, random: Random) -> tuple[str, dict[str, Any]]:
    """Return a node whose ops and sources are written out."""
    free = {
        name: node
        for name, node in unit["nodes"].items()
        if isinstance(node["ops"], list) and not _is_open(node["from"])
    }
    name = random.choice(list(free))
    return name, free[name]


def _is_open(source: Any) -> bool:
    return any("$" in str(each) for each in (source if isinstance(source, list) else [source]))


def _first(node: Mapping[str, Any]) -> int:
    """Return the position of the first op behind the one that joins several sources."""
    return int(isinstance(node["from"], list) and len(node["from"]) > 1)


def _carries(op: Any) -> bool:
    """Return whether an op carries the stride of the place: the unit's, or a block's argument for it."""
    return "$" in flow(op) or (isinstance(op, dict) and "shortcut" in op) or op == "shortcut"
