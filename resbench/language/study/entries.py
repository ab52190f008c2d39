"""`units` of a study -> its entries: names, patterns, `{use, params, vary}`, and the units that `arrange` and `mutate`
generate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.escape import printable
from resbench.language.generate.mutations import Mutate, parse_mutate
from resbench.language.generate.orderings import Arrange, Arrangement, parse_arrange
from resbench.language.graph.network import Use, parse_use
from resbench.language.graph.params import Param, is_domain, parse_domain
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems, listed

Spec = TypeVar("Spec")


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """One entry of `units`; `vary` names params that are searched over their own domain (None: all that have one).

    `arrange` and `arrangement` are set for a generated unit: the entry that generates it, and its ordering. `mutate` is
    set for an entry that represents edits of the unit.
    """

    use: Use
    vary: tuple[str, ...] | None = ()
    arrange: Arrange | None = None
    arrangement: Arrangement | None = None
    mutate: Mutate | None = None

    @property
    def label(self) -> str:
        return str(self.use.name)


def load_part(check: Problems, node: Node, load: Callable[[], Spec]) -> Spec | None:
    """Return a part of the study from its own file; report its problems at their places in that file."""
    try:
        return load()
    except BadInput as error:
        check.report_error(node, error)
        return None


def check_given(use: Use, params: Mapping[str, Param] | None, what: str, check: Problems) -> None:
    """Check the names of given params against `params` (None: not known), and parse the domains among them."""
    for name, value in use.arguments.items():
        if is_domain(value):
            parse_domain(value, check)
        if params is not None and name not in params:
            known = list(params)
            message = f"{what} has no param `{printable(name)}`; its params: {listed(known)}"
            check.report(value, message + did_you_mean(name, known))


def parse_units(node: Node, library: Library, check: Problems) -> tuple[UnitEntry, ...]:
    """Parse names, patterns (`units/identity_mappings/*`), `{use, params, vary}` `{arrange: {...}}`, `{mutate: {...}}`."""
    found: list[UnitEntry] = []
    for item in check.sequence(node, "units"):
        if "arrange" in item.mapping:
            found += _arranged(item, library, check)
            continue
        if "mutate" in item.mapping:
            found += _mutated(item, library, check)
            continue
        if isinstance(item.value, str) and "*" in item.value:
            names = load_part(check, item, partial(library.glob, "unit", item.value)) or []
            uses = [Use(name, {}, item) for name in names]
        else:
            uses = [parse_use(item, check)]
        found += [_entry(use, library, check) for use in uses if use.name is not None]
    if node.value == ():
        check.report(node, "at least one unit is needed")
    return tuple(found)


def _arranged(item: Node, library: Library, check: Problems) -> list[UnitEntry]:
    """Add every unit that `arrange` generates to the library, and return their entries."""
    check.keys(item, ["arrange"])
    arrange = parse_arrange(item.mapping["arrange"], library, check)
    if arrange is None:
        return []
    where = item.mapping["arrange"]
    try:
        return [
            UnitEntry(Use(library.add_unit(arrange.unit(one)), {}, where), (), arrange, one) for one in arrange.all()
        ]
    except BadInput as error:
        check.report_error(where, error)
        return []


def _mutated(item: Node, library: Library, check: Problems) -> list[UnitEntry]:
    check.keys(item, ["mutate"])
    mutate = parse_mutate(item.mapping["mutate"], library, check)
    if mutate is None:
        return []
    unit = item.mapping["mutate"].mapping["unit"]
    load_part(check, unit, partial(library.unit, mutate.unit))
    return [UnitEntry(Use(mutate.unit, {}, unit), mutate=mutate)]


def _entry(use: Use, library: Library, check: Problems) -> UnitEntry:
    given = {key: value for key, value in use.arguments.items() if key != "vary"}
    entry = Use(use.name, given, use.node)
    unit = load_part(check, use.node, partial(library.unit, str(use.name)))
    check_given(entry, None if unit is None else unit.body.params, f"unit {use.name}", check)
    if unit is None:
        return UnitEntry(entry)
    searched = [name for name, param in unit.body.params.items() if param.domain is not None and param.by is None]
    return UnitEntry(entry, _vary(use.arguments["vary"], searched, check) if "vary" in use.arguments else ())


def _vary(node: Node, searched: list[str], check: Problems) -> tuple[str, ...] | None:
    """Return the params to search over the domains in their own file."""
    if node.value == "all":
        if not searched:
            check.report(node, "no param of this unit has a domain to vary over")
        return None
    names = check.sequence(node, "param names, or `all`,")
    for item in names:
        if item.value not in searched:
            near = did_you_mean(item.value, searched)
            check.report(item, f"{item.shown()} is not a param with a domain; those are: {listed(searched)}{near}")
    return tuple(str(item.value) for item in names)
