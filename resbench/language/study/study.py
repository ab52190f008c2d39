"""A study's YAML -> StudySpec: its units, network, recipe, data and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from resbench.language.graph.network import NetworkSpec, Use, parse_use
from resbench.language.graph.params import is_domain
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import RecipeSpec, override, parse_recipe
from resbench.language.study.budget import StudyBudget, parse_budget
from resbench.language.study.design import KEYS as DESIGN
from resbench.language.study.design import Design, parse_design
from resbench.language.study.entries import UnitEntry, check_given, load_part, parse_units
from resbench.language.study.keep import Keep, parse_keep
from resbench.language.study.recipe_overrides import recipe_of
from resbench.language.study.search import BY_RUNGS, SearchSpec, parse_search
from resbench.language.study.track import parse_track
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems
from resbench.random_streams import LARGEST

MAX_SEEDS = 10_000
SEEDS = 5  # where a study gives none
REQUIRED_KEYS = ("study", "network", "units", "data")
OPTIONAL_KEYS = ("doc", "cite", "extends", "recipe", *DESIGN, "search", "budget", "seeds", "plugins", "keep", "track")


@dataclass(frozen=True, slots=True)
class StudySpec:
    """The spec of a study; `recipe` is the recipe's data with the study's values merged in; a value may be a domain,
    `recipe_at` binds it.

    `network_spec` is the network's own spec, None where it could not be read.
    """

    name: str
    doc: str
    network: Use
    units: tuple[UnitEntry, ...]
    data: Use
    recipe: Node
    seeds: tuple[int, ...]
    budget: StudyBudget
    node: Node
    design: Design = field(default_factory=Design)
    search: SearchSpec = field(default_factory=SearchSpec)
    network_spec: NetworkSpec | None = None
    keep: Keep = field(default_factory=Keep)
    track: tuple[Use, ...] = ()

    @property
    def first_seeds(self) -> tuple[int, ...]:
        """Return the seeds that are trained before anybody is left out: of a race those up to its first look."""
        return self.seeds if self.design.race is None else self.seeds[: self.design.race[0]]


def parse_study(top: Node, library: Library, check: Problems) -> StudySpec | None:
    """Return None where too much is missing for a spec; report every problem to `check`."""
    check.keys(top, REQUIRED_KEYS, OPTIONAL_KEYS)
    entries = top.mapping
    network = parse_use(entries["network"], check) if "network" in entries else Use(None, {}, top)
    net = None
    if network.name is not None:
        net = load_part(check, network.node, partial(library.network, network.name))
        check_given(network, None if net is None else net.params, f"network {network.name}", check)
    data = parse_use(entries["data"], check) if "data" in entries else Use(None, {}, top)
    if data.name == "":
        check.report(data.node, f"the name of a data set is needed, got {data.node.shown()}")
    seeds = _seeds(entries["seeds"], check) if "seeds" in entries else None
    design = parse_design(entries, None if seeds is None else len(seeds), check)
    search = parse_search(entries["search"], len(design.objectives), check) if "search" in entries else SearchSpec()
    spec = StudySpec(
        check.name(entries["study"]),
        check.text(entries.get("doc")),
        network,
        parse_units(entries["units"], library, check) if "units" in entries else (),
        data,
        recipe_of(parse_use(entries.get("recipe", Node("he2016_small", top.place, "recipe")), check), library, check),
        tuple(range(design.race[-1] if design.race else SEEDS)) if seeds is None else seeds,
        parse_budget(entries.get("budget", Node({})), check),
        top,
        design,
        search,
        net,
        keep=parse_keep(entries["keep"], check) if "keep" in entries else Keep(),
        track=parse_track(entries.get("track"), check),
    )
    _check_search(spec, check)
    return spec if network.name and data.name and "units" in entries else None


def _check_search(spec: StudySpec, check: Problems) -> None:
    """Check the search against the rest of the study."""
    if spec.search.is_grid:
        return
    node = spec.node.mapping["search"]
    if spec.budget.trials is None and spec.search.use not in BY_RUNGS:
        check.report(node, f"{spec.search.use} needs `budget: {{trials: ...}}`: how many points it may try")
    length = next(
        (key for key in ("epochs", "iterations") if is_domain(spec.recipe.mapping.get(key, Node(None)))), None
    )
    if spec.search.use in BY_RUNGS and length is not None:
        check.report(node, f"{spec.search.use} compares points at the same epochs: `{length}` cannot be searched")
    if spec.budget.runs is not None:
        check.report(node, "`budget.runs` applies only to a grid; `budget.trials` limits a search")
    if spec.design.race is not None:
        check.report(node, "a race assigns seeds by itself, and so does a search: give one of them")
    if set(spec.seeds) & set(spec.search.own_seeds):
        check.report(node, f"the seeds from {spec.search.own_seeds[0]} are the search's own: evaluate with others")


def _seeds(node: Node, check: Problems) -> tuple[int, ...]:
    """Parse the seeds; a number n means 0 … n-1."""
    if isinstance(node.value, tuple):
        seeds = tuple(check.whole(item, 0, LARGEST) for item in node.items)
        given = [item.shown() for item in node.items]
        if len(set(given)) < len(given) or not given:
            check.report(node, "seeds must be different from each other, and at least one")
        return seeds
    return tuple(range(check.whole(node, 1, MAX_SEEDS)))


def recipe_at(spec: StudySpec, chosen: Mapping[str, Node]) -> RecipeSpec:
    """Return the recipe with the chosen values for the params that the study searches."""
    node = spec.recipe
    for key, value in chosen.items():
        node = override(node, key, value)
    return parse_recipe(node)
