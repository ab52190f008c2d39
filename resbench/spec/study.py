"""A study's YAML -> StudySpec: which units, in which network, trained how, on what, with which seeds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from resbench.errors import BadInput, SpecError
from resbench.spec.check import Check
from resbench.spec.domain import is_domain, parse_domain
from resbench.spec.library import Library
from resbench.spec.network import Use, parse_use
from resbench.spec.node import Node, plain
from resbench.spec.recipe import RecipeSpec, override, parse_recipe

MAX_SEEDS = 10_000
_SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BUDGET = ("params", "macs", "trials", "runs")
_KEYS = ("doc", "cite", "extends", "recipe", "objectives", "search", "budget", "seeds")


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """One entry of `units`; `vary` names params that are searched over their own domain (None: all that have one)."""

    use: Use
    vary: tuple[str, ...] | None = ()

    @property
    def label(self) -> str:
        return str(self.use.name)


@dataclass(frozen=True, slots=True)
class Budget:
    """Of a network: params, macs. Of a study: trials, runs; totals, exact. None: no limit."""

    params: int | None = None
    macs: int | None = None
    trials: int | None = None
    runs: int | None = None


@dataclass(frozen=True, slots=True)
class StudySpec:
    """`recipe` is the recipe's data with the study's values in it; a value may be a domain, `recipe_at` binds it."""

    name: str
    doc: str
    network: Use
    units: tuple[UnitEntry, ...]
    data: Node
    recipe: Node
    seeds: tuple[int, ...]
    budget: Budget
    node: Node


def parse_study(top: Node, library: Library, check: Check) -> StudySpec | None:
    """None where so much is missing that nothing can be made of it; everything wrong is in `check`."""
    check.keys(top, ["study", "network", "units", "data"], _KEYS)
    entries = top.mapping
    if {"study", "network", "units", "data"} - set(entries):
        return None
    if "objectives" in entries and plain(entries["objectives"]) != {"val_error_pct": "minimize"}:
        check.report(
            entries["objectives"],
            f"`{{val_error_pct: minimize}}` is the objective, got {entries['objectives'].shown()}",
        )
    if "search" in entries and entries["search"].value != "grid":
        check.report(entries["search"], f"`grid` is needed, got {entries['search'].shown()}")
    recipe = _recipe(entries.get("recipe", Node("he2016_small", top.place, "recipe")), library, check)
    return StudySpec(
        check.name(entries["study"]),
        check.text(entries.get("doc")),
        parse_use(entries["network"], check),
        _units(entries["units"], library, check),
        entries["data"],
        recipe,
        _seeds(entries.get("seeds", Node(5)), check),
        _budget(entries.get("budget", Node({})), check),
        top,
    )


def _units(node: Node, library: Library, check: Check) -> tuple[UnitEntry, ...]:
    """Names, patterns (`units/identity_mappings/*`) and `{use, params, vary}`."""
    found: list[UnitEntry] = []
    for item in check.sequence(node, "units"):
        if isinstance(item.value, str) and "*" in item.value:
            try:
                found += [UnitEntry(Use(name, {}, item)) for name in library.glob("unit", item.value)]
            except BadInput as error:
                check.report(item, str(error))
            continue
        use = parse_use(item, check)
        vary: tuple[str, ...] | None = ()
        if "vary" in use.arguments:
            vary = _vary(use.arguments["vary"], check)
            use = Use(use.name, {k: v for k, v in use.arguments.items() if k != "vary"}, use.node)
        for argument in use.arguments.values():
            if is_domain(argument):
                parse_domain(argument, check)
        if use.name is not None:
            found.append(UnitEntry(use, vary))
    if not found and isinstance(node.value, tuple):
        check.report(node, "at least one unit is needed")
    return tuple(found)


def _vary(node: Node, check: Check) -> tuple[str, ...] | None:
    if node.value == "all":
        return None
    names = check.sequence(node, "param names, or `all`,")
    return tuple(check.name(item) for item in names)


def _recipe(node: Node, library: Library, check: Check) -> Node:
    """The named recipe with the study's values in it."""
    use = parse_use(node, check)
    recipe = Node({})
    try:
        recipe = library.read("recipe", library.find("recipe", use.name or "he2016_small"))
        for key, value in use.arguments.items():
            recipe = override(recipe, key, value)
        if not any(is_domain(value) for value in use.arguments.values()):
            parse_recipe(recipe)
    except SpecError as error:
        check.problems += error.problems
    except BadInput as error:
        check.report(use.node, str(error))
    return recipe


def _seeds(node: Node, check: Check) -> tuple[int, ...]:
    """A number n stands for 0 … n-1."""
    if isinstance(node.value, tuple):
        seeds = tuple(check.whole(item, 0, 2**63 - 1) for item in node.items)
        if len(set(seeds)) < len(seeds) or not seeds:
            check.report(node, "seeds must be different from each other, and at least one")
        return seeds
    return tuple(range(check.whole(node, 1, MAX_SEEDS)))


def _budget(node: Node, check: Check) -> Budget:
    check.keys(node, [], _BUDGET)
    limits: dict[str, int] = {}
    for key in _BUDGET:
        if key in node.mapping:
            value = amount(node.mapping[key].value)
            if value is None:
                check.report(
                    node.mapping[key], f"an amount such as 2M or 300_000 is needed, got {node.mapping[key].shown()}"
                )
            else:
                limits[key] = value
    return Budget(**limits)


def amount(value: object) -> int | None:
    """A count, or text with a suffix k, M, G, T; None for anything else.

    >>> amount("2M"), amount("1.5G"), amount(300), amount("many")
    (2000000, 1500000000, 300, None)
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kMGT]?)", value.replace("_", "")) if isinstance(value, str) else None
    return round(float(match[1]) * _SUFFIXES[match[2]]) or None if match else None


def recipe_at(spec: StudySpec, chosen: Mapping[str, Node]) -> RecipeSpec:
    """The recipe with the chosen values for the params that the study searches."""
    node = spec.recipe
    for key, value in chosen.items():
        node = override(node, key, value)
    return parse_recipe(node)
