"""A study's `recipe:` -> the named recipe's data with the study's values merged in; a value may be a domain."""

from __future__ import annotations

from resbench.errors import BadInput
from resbench.language.graph.network import Use
from resbench.language.graph.params import Domain, Range, is_domain, parse_domain
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import override, parse_recipe
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems

MAX_TRIED = 100  # choices of one domain that are checked here; binding checks the rest


def recipe_of(use: Use, library: Library, check: Problems) -> Node:
    """Return the recipe's data. Every value is checked, including each choice of a domain; problems are reported to `check`."""
    recipe = Node({})
    if use.name is None:
        return recipe
    try:
        recipe = library.read("recipe", library.find("recipe", use.name), check)
        domains: dict[str, tuple[Node, list[Node]]] = {}
        for key, value in use.arguments.items():
            if is_domain(value):
                domain = parse_domain(value, check)
                if domain is None or not _searched(key, value, check):
                    continue
                domains[key] = value, _values(domain, value)
            else:
                recipe = override(recipe, key, value)
        _try(recipe, {key: values for key, (_, values) in domains.items() if values}, check)
        for key, (value, _) in domains.items():
            recipe = override(recipe, key, value)
    except BadInput as error:
        check.report_error(use.node, error)
    return recipe


def _searched(key: str, value: Node, check: Problems) -> bool:
    """Return whether a domain is allowed here: at the recipe's top or in its optimizer."""
    name = key.removeprefix("optimizer.")
    if "." in name or name == "optimizer":
        check.report(
            value, f"`{key}` cannot be searched: a domain is allowed at the top of a recipe or in its optimizer"
        )
        return False
    return True


def _values(domain: Domain, node: Node) -> list[Node]:
    """Return the values of a domain to check: its choices, or the ends of its range."""
    if isinstance(domain, Range):
        return list(node.mapping["range"].items)
    return list(domain.values.values())[:MAX_TRIED]


def _try(recipe: Node, domains: dict[str, list[Node]], check: Problems) -> None:
    """Check each value of each domain once, with the others at their first value."""
    first = recipe
    for key, values in domains.items():
        first = override(first, key, values[0])
    others = [override(first, key, value) for key, values in domains.items() for value in values[1:]]
    for tried in (first, *others):
        try:
            parse_recipe(tried)
        except BadInput as error:
            check.report_error(tried, error)
