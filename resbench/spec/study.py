"""A study's YAML -> StudySpec: which units, in which network, trained how, on what, with which seeds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from resbench.spec.check import Check
from resbench.spec.design import KEYS as DESIGN
from resbench.spec.design import Design, parse_design
from resbench.spec.library import Library
from resbench.spec.network import Use, parse_use
from resbench.spec.node import Node
from resbench.spec.recipe import RecipeSpec, override, parse_recipe
from resbench.spec.recipe_space import recipe_of
from resbench.spec.study_units import UnitEntry, check_given, load_part, parse_units

MAX_SEEDS = 10_000
SEEDS = 5  # where a study says nothing of them
_SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_AMOUNT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)([kMGT]?)")
_BUDGET = ("params", "macs", "trials", "runs")
_NEEDED = ("study", "network", "units", "data")
_KEYS = ("doc", "cite", "extends", "recipe", *DESIGN, "search", "budget", "seeds", "plugins")


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
    data: Use
    recipe: Node
    seeds: tuple[int, ...]
    budget: Budget
    node: Node
    design: Design = field(default_factory=Design)


def parse_study(top: Node, library: Library, check: Check) -> StudySpec | None:
    """None where so much is missing that nothing can be made of it; everything wrong is in `check`."""
    check.keys(top, _NEEDED, _KEYS)
    entries = top.mapping
    if "search" in entries and entries["search"].value != "grid":
        check.report(entries["search"], f"`grid` is needed, got {entries['search'].shown()}")
    network = parse_use(entries["network"], check) if "network" in entries else Use(None, {}, top)
    if network.name is not None:
        net = load_part(check, network.node, partial(library.network, network.name))
        check_given(network, None if net is None else net.params, f"network {network.name}", check)
    data = parse_use(entries["data"], check) if "data" in entries else Use(None, {}, top)
    if data.name == "":
        check.report(data.node, f"the name of a data set is needed, got {data.node.shown()}")
    seeds = _seeds(entries["seeds"], check) if "seeds" in entries else None
    design = parse_design(entries, None if seeds is None else len(seeds), check)
    spec = StudySpec(
        check.name(entries["study"]),
        check.text(entries.get("doc")),
        network,
        parse_units(entries["units"], library, check) if "units" in entries else (),
        data,
        recipe_of(parse_use(entries.get("recipe", Node("he2016_small", top.place, "recipe")), check), library, check),
        tuple(range(design.race[-1] if design.race else SEEDS)) if seeds is None else seeds,
        _budget(entries.get("budget", Node({})), check),
        top,
        design,
    )
    return spec if network.name and data.name and "units" in entries else None


def _seeds(node: Node, check: Check) -> tuple[int, ...]:
    """A number n stands for 0 … n-1."""
    if isinstance(node.value, tuple):
        seeds = tuple(check.whole(item, 0, 2**63 - 1) for item in node.items)
        given = [item.shown() for item in node.items]
        if len(set(given)) < len(given) or not given:
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
    match = _AMOUNT.fullmatch(value.replace("_", "")) if isinstance(value, str) else None
    return round(float(match[1]) * _SUFFIXES[match[2]]) or None if match else None


def recipe_at(spec: StudySpec, chosen: Mapping[str, Node]) -> RecipeSpec:
    """The recipe with the chosen values for the params that the study searches."""
    node = spec.recipe
    for key, value in chosen.items():
        node = override(node, key, value)
    return parse_recipe(node)
