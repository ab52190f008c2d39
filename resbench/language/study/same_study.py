"""Compare what two studies mean: studies with one meaning are one study, however each was written.

Data are compared by their digest; a recipe by every training value, including defaults; a network by the content of
its file with the study's params. A row of an older version holds less, and is compared by what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resbench.errors import BadInput
from resbench.language.graph.network import NetworkSpec, Use
from resbench.language.graph.params import Choices, is_domain, parse_domain
from resbench.language.recipe.recipe import NOT_IDENTITY, parse_recipe
from resbench.language.yaml.node import Node, flow, from_plain, join, plain
from resbench.language.yaml.problems import Problems

FILE = "network_file"
SHOWN = 300  # characters of a value
_TEXTS = ("network", "doc", "cite", "extends")


def network_file(spec: NetworkSpec, use: Use) -> dict[str, Any]:
    """Return the content of a network's file, without texts and the replaced unit; params have the study's values, else
    the file's.
    """
    data = {key: plain(node) for key, node in spec.node.mapping.items() if key not in (*_TEXTS, "unit", "params")}
    params = {name: _default(plain(node)) for name, node in spec.node.mapping.get("params", Node({})).mapping.items()}
    given = {name: plain(node) for name, node in use.arguments.items()}
    unit = {name: plain(node) for name, node in spec.unit.arguments.items()}
    return {**params, **given, "unit": unit, "file": data}


def _default(param: Any) -> Any:
    """Return a param's default; other allowed values do not matter where none is given."""
    return param["default"] if isinstance(param, dict) and "default" in param and "cases" not in param else param


def differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, str | None, str | None]]:
    """Return the dotted path, the old value and the new value (None: absent) of each difference in meaning; empty where
    both are one study.
    """
    old, new = dict(was), dict(now)
    if FILE not in old or FILE not in new:  # an older version did not store it: then the texts of both are compared
        old.pop(FILE, None), new.pop(FILE, None)
    a, b = _leaves(_meaning(old)), _leaves(_meaning(new))
    changed = [key for key in dict.fromkeys([*a, *b]) if a.get(key) != b.get(key)]
    described = {key: (a.get(key), b.get(key)) for key in changed}
    words = _sorted(old.get("data")), _sorted(new.get("data"))
    if "data_digest" in described and words[0] != words[1]:  # two names are more informative than two digests
        described = {
            "data" if key == "data_digest" else key: words if key == "data_digest" else pair
            for key, pair in described.items()
        }
    return [(key, _short(before), _short(after)) for key, (before, after) in described.items()]


def _sorted(data: Any) -> str:
    return flow(dict(sorted(data.items())) if isinstance(data, dict) else data)


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _meaning(fixed: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in fixed.items() if key not in ("data", "network", FILE, "recipe")}
    network = fixed.get(FILE, fixed.get("network"))
    if "data_digest" not in fixed:
        rest["data"] = fixed.get("data")
    return {"network": network, **rest, "recipe": _recipe(fixed.get("recipe", {}))}


def _recipe(data: Mapping[str, Any]) -> Any:
    """Return the recipe with every default; a value that is searched stays as written."""
    node = from_plain({"recipe": "recipe", "statistics": "running"} | dict(data))
    searched: dict[tuple[str, ...], Node] = {}
    bound = _bound(node, (), searched)
    try:
        whole = parse_recipe(bound).model_dump(mode="json", by_alias=True, exclude=NOT_IDENTITY)
    except BadInput:  # from another version: compared as written
        return dict(data)
    for path, domain in searched.items():
        at: Any = whole
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = plain(domain)
    return whole


def _bound(node: Node, path: tuple[str, ...], searched: dict[tuple[str, ...], Node]) -> Node:
    """Return the recipe with the first value of each domain, and add the domain to `searched`."""
    entries = {}
    for key, value in node.mapping.items():
        domain = parse_domain(value, Problems()) if is_domain(value) else None
        if domain is not None:
            searched[(*path, key)] = value
            entries[key] = next(iter(domain.values.values())) if isinstance(domain, Choices) else Node(domain.low)
        else:
            entries[key] = _bound(value, (*path, key), searched) if key == "optimizer" else value
    return Node(entries, node.place, node.path)


def _leaves(value: Any, path: str = "") -> dict[str, str]:
    """Return every value below mappings, and below lists that hold some, by its dotted path, as YAML text."""
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in _leaves(item, join(path, key)).items()}
    if isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        return {k: v for i, item in enumerate(value) for k, v in _leaves(item, join(path, i)).items()}
    return {path: flow(value)}
