"""`arrange: {ops: [...], around: add}` -> a unit's data for each order of the ops on branch, shortcut, and after.

The boundary follows He et al. 2016 (arXiv:1603.05027). A branch's ops before its first convolution are its leading
activation: where the unit is the first or a transition, the shortcut reads its result too, and one more follows the
last unit. The part of the given activation that the branch does not lead with follows the stem's convolution. The
paper's Figure 4(a) to (e) therefore get the digests of the units of those names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.language.graph.op_list import OpCall, Vocabulary, parse_op
from resbench.language.yaml.node import Node, Plain, from_plain, plain
from resbench.language.yaml.problems import Problems, listed

PLACES = ("branch", "shortcut", "after")
MERGES = ("add",)
CHANGES = ("pad", "pool_pad", "project", "pool_project")  # of the block `shortcut`
MAX_OPS, MAX_UNITS = 10, 20_000
CUT = "|"
KERNEL = "3x3"  # for an op that takes its kernel in its name and gives none: the paper's weight layer
_KEYS = ("around", "places", "rules", "change")


@dataclass(frozen=True)
class Arrange:
    """A parsed `arrange` entry. `ops` maps each name to the op as written; `count` is the number of times it is used."""

    ops: Mapping[str, Plain]
    count: Mapping[str, int]
    weights: frozenset[str]
    norms: frozenset[str]
    places: tuple[str, ...]
    rules: tuple[str, ...]
    change: str
    node: Node

    def all(self) -> Iterator[Arrangement]:
        """Yield every arrangement that the rules allow, each once. Raise BadInput above MAX_UNITS of them."""
        found = 0
        for order in _orders(dict(self.count)):
            for first in range(len(order) + 1):
                for second in range(first, len(order) + 1):
                    one = Arrangement(order[:first], order[first:second], order[second:])
                    if self.allows(one):
                        found += 1
                        if found > MAX_UNITS:
                            raise BadInput(f"more than {MAX_UNITS:,} arrangements; use fewer ops, or more rules")
                        yield one

    def allows(self, one: Arrangement) -> bool:
        used = {"branch": one.branch, "shortcut": one.shortcut, "after": one.after}
        placed = all(place in self.places for place, ops in used.items() if ops)
        return placed and all(RULES[rule](one, self.weights) for rule in self.rules)

    @property
    def slots(self) -> int:
        """Return the length of a word: every op, and two cuts."""
        return sum(self.count.values()) + 2

    def word(self, one: Arrangement) -> tuple[str, ...]:
        """Return the sequence of ops, with a cut between the places; a search changes this word."""
        return (*one.branch, CUT, *one.shortcut, CUT, *one.after)

    @property
    def letters(self) -> tuple[str, ...]:
        return (*self.count, CUT)

    def nearest(self, wanted: Sequence[str]) -> Arrangement:
        """Return the arrangement nearest to a word: a letter that leads to no arrangement is replaced by the next in order."""
        letters = self.letters
        word: tuple[str, ...] = ()
        for letter in wanted:
            start = letters.index(letter)
            turned = (*letters[start:], *letters[:start])
            word = next((*word, each) for each in turned if (*word, each) in self._prefixes)
        return self._words[word]

    @cached_property
    def _words(self) -> dict[tuple[str, ...], Arrangement]:
        return {self.word(one): one for one in self.all()}

    @cached_property
    def _prefixes(self) -> frozenset[tuple[str, ...]]:
        return frozenset(word[:i] for word in self._words for i in range(len(word) + 1))

    def unit(self, one: Arrangement) -> Node:
        """Return the unit's data as in a file, at the place of the entry."""
        return from_plain(_unit(self, one), place=self.node.place)


def parse_arrange(node: Node, vocabulary: Vocabulary, check: Problems) -> Arrange | None:
    """Return None where the entry is wrong; `check` then has the problems."""
    before = len(check.problems)
    if not check.keys(node, ["ops"], _KEYS) or "ops" not in node.mapping:
        return None
    entries = node.mapping
    ops, count, weights, norms = _ops(entries["ops"], vocabulary, check)
    if "around" in entries and entries["around"].value not in MERGES:
        check.report(entries["around"], f"the ops stand around `add`, got {entries['around'].shown()}")
    places = _words(entries.get("places"), PLACES, PLACES, check)
    rules = _words(entries.get("rules"), tuple(RULES), USUAL, check)
    if "branch" not in places:
        check.report(entries["places"], "the branch is needed among the places: without it nothing is learned")
    change = entries.get("change", Node("pad"))
    if change.value not in CHANGES:
        check.report(change, f"one of {listed(CHANGES)} is needed, got {change.shown()}")
    if len(check.problems) > before:
        return None
    arrange = Arrange(ops, count, frozenset(weights), frozenset(norms), places, rules, str(change.value), node)
    try:
        next(arrange.all())
    except StopIteration:
        check.report(node, "no arrangement of these ops keeps the rules")
        return None
    return arrange


def _ops(
    node: Node, vocabulary: Vocabulary, check: Problems
) -> tuple[dict[str, Plain], dict[str, int], set[str], set[str]]:
    """Return every op by its name, its count, the weight layers among them, and the per-channel norms."""
    ops: dict[str, Plain] = {}
    count: dict[str, int] = {}
    weights: set[str] = set()
    norms: set[str] = set()
    items = check.sequence(node, "ops")
    if len(items) > MAX_OPS:
        check.report(node, f"{len(items)} ops; at most {MAX_OPS} can be arranged")
        return ops, count, weights, norms
    for item in items:
        bare = _bare(item, vocabulary)
        call = parse_op(bare, vocabulary, check)
        if not isinstance(call, OpCall):
            if call is not None:
                check.report(item, f"an op is needed, got {item.shown()}")
            continue
        name = str(item.value) if isinstance(item.value, str) else call.name
        written: Plain = plain(bare)
        if ops.setdefault(name, written) != written:
            check.report(item, f"`{name}` stands here with other arguments than before; ops of one name are one op")
        if "stride" in call.arguments:
            check.report(item, f"{name}: the stride is the unit's; it goes to the first weight layer on each way")
        count[name] = count.get(name, 0) + 1
        of = vocabulary.signature(call.op)
        if of is not None and of.role == "weights":
            weights.add(name)
        if of is not None and of.role == "norm" and of.by_channel:
            norms.add(name)
    if items and not weights:
        check.report(node, "a weight layer is needed among the ops, such as conv3x3")
    return ops, count, weights, norms


def _bare(item: Node, vocabulary: Vocabulary) -> Node:
    """Return an op that takes its kernel in its name, with the default kernel where it names none."""
    of = vocabulary.ops.get(item.value) if isinstance(item.value, str) else None
    return Node(f"{item.value}{KERNEL}", item.place, item.path) if of is not None and of.kernel_in_name else item


def _words(node: Node | None, allowed: Sequence[str], usual: tuple[str, ...], check: Problems) -> tuple[str, ...]:
    if node is None:
        return usual
    given = check.sequence(node, "words")
    for item in given:
        if item.value not in allowed:
            check.report(item, f"{item.shown()} is none of {listed(allowed)}{did_you_mean(item.value, allowed)}")
    return tuple(str(item.value) for item in given)


def _orders(left: dict[str, int]) -> Iterator[tuple[str, ...]]:
    """Yield every order of a multiset, each once."""
    if not any(left.values()):
        yield ()
    for op, count in left.items():
        if count:
            yield from ((op, *rest) for rest in _orders({**left, op: count - 1}))


def _unit(arrange: Arrange, one: Arrangement) -> dict[str, Any]:
    lead = next((i for i, op in enumerate(one.branch) if op in arrange.weights), len(one.branch))
    leading, branch = one.branch[:lead], one.branch[lead:]
    norms = [op for op in arrange.ops if op in arrange.norms and op not in leading]
    beside = _strided(arrange, one.shortcut)
    if not any(op in arrange.weights for op in one.shortcut):
        beside = [{"shortcut": {"change": arrange.change, "norm": norms}}, *beside]
    unit: dict[str, Any] = {"unit": one.name, "doc": _doc(one)}
    nodes: dict[str, Any] = {"a": {"from": "x", "ops": [arrange.ops[op] for op in leading]}} if leading else {}
    nodes["f"] = {"from": "a" if leading else "x", "ops": _strided(arrange, branch)}
    nodes["h"] = {"from": "x", "ops": beside}
    nodes["y"] = {"from": ["h", "f"], "ops": ["add", *(arrange.ops[op] for op in one.after)]}
    unit["nodes"] = nodes
    if leading:
        unit["when"] = [{"if": "first or transition", "nodes": {"h": {"from": "a"}}}]
    activation = [op for op in arrange.ops if op not in arrange.weights]
    unit["boundary"] = {
        "layers": sum(count for op, count in arrange.count.items() if op in arrange.weights),
        "after_stem": [arrange.ops[op] for op in activation if op not in leading],
        "after_last": [arrange.ops[op] for op in leading],
    }
    return unit


def _strided(arrange: Arrange, ops: Sequence[str]) -> list[Any]:
    """Return the ops as written, with the unit's stride at the first weight layer."""
    found: list[Any] = [arrange.ops[op] for op in ops]
    for i, op in enumerate(ops):
        if op in arrange.weights:
            written = arrange.ops[op]
            name, arguments = next(iter(written.items())) if isinstance(written, dict) else (str(written), {})
            given = arguments if isinstance(arguments, dict) else {}
            found[i] = {name: {**given, "stride": "$stride"}}
            break
    return found


def _doc(one: Arrangement) -> str:
    way = f", {' '.join(one.shortcut)} on the shortcut" if one.shortcut else ""
    then = f", then {' '.join(one.after)}" if one.after else ""
    return f"{' '.join(one.branch)} on the branch{way}, add{then}"


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The ops' names in order at each of PLACES."""

    branch: tuple[str, ...]
    shortcut: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """
        >>> Arrangement(("conv", "bn", "relu", "conv", "bn"), after=("relu",)).name
        'conv_bn_relu_conv_bn_add_relu'
        >>> Arrangement(("conv", "relu", "conv"), ("bn",)).name
        'conv_relu_conv_beside_bn_add'
        """
        beside = ["beside", *self.shortcut] if self.shortcut else []
        return "_".join([*self.branch, *beside, "add", *self.after])


Rule = Callable[[Arrangement, frozenset[str]], bool]


def _a_conv_on_branch(one: Arrangement, weights: frozenset[str]) -> bool:
    return any(op in weights for op in one.branch)


def _all_convs_on_branch(one: Arrangement, weights: frozenset[str]) -> bool:
    return not any(op in weights for op in (*one.shortcut, *one.after))


def _no_two_equal_in_a_row(one: Arrangement, weights: frozenset[str]) -> bool:
    return all(a != b for ops in (one.branch, one.shortcut, one.after) for a, b in pairwise(ops))


RULES: Mapping[str, Rule] = {
    "a_conv_on_branch": _a_conv_on_branch,
    "all_convs_on_branch": _all_convs_on_branch,
    "no_two_equal_in_a_row": _no_two_equal_in_a_row,
}
USUAL = ("a_conv_on_branch", "no_two_equal_in_a_row")
