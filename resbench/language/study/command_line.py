"""Words of the command line -> changes of a study's data: `recipe.epochs=2 unit.gate_bias=-3 units+=mine.yaml units-=plain`."""

from __future__ import annotations

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput, Place, SpecError
from resbench.escape import printable
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import Optimizer, RecipeSpec
from resbench.language.study.design import KEYS as DESIGN
from resbench.language.yaml.node import Node, moved
from resbench.language.yaml.problems import listed
from resbench.language.yaml.reader import read_value

COMMAND_LINE = "command line"
_TOP = ("study", "doc", "network", "data", "recipe", *DESIGN, "search", "seeds", "budget", "keep", "units")
_OF_RECIPES = {*RecipeSpec.model_fields, *Optimizer.model_fields} - {*_TOP, "recipe", "cite", "use"}
_MAPPINGS = (
    "network",
    "data",
    "recipe",
    "search",
    "budget",
)  # keys whose parts may be set one by one, as in `recipe.epochs=2`


def override_study(top: Node, words: tuple[str, ...], library: Library) -> Node:
    """Return the study with each word's change applied in order. Raise BadInput for a word that changes nothing here."""
    for word in words:
        name, sign, _ = word.partition("=")
        if not sign or not name:
            raise BadInput(f"`{printable(word)}`: a change is written name=value, units+=name or units-=name")
        if "" in name.split("."):
            raise BadInput(f"`{printable(word)}`: a name is missing beside a dot")
        value = _value(word)
        if name in ("units+", "units-"):
            top = _put(top, "units", (_add if name == "units+" else _remove)(top, value, library))
        elif name.startswith("unit."):
            top = _put(top, "units", _set_everywhere(top, name.removeprefix("unit."), value, library))
        else:
            top = _set(top, name.split("."), value, word)
    return top


def word_value(text: str, word: str) -> Node:
    """Return the right side of a word, read as YAML, at a place that shows the word."""
    name = word.partition("=")[0]
    try:
        node = read_value(text, COMMAND_LINE, name.rstrip("+-"))
    except SpecError as error:
        raise BadInput(f"`{printable(word)}`: {error.problems[0].message}") from None
    return moved(node, Place(COMMAND_LINE, 1, len(name) + 2, word))


def _value(word: str) -> Node:
    return word_value(word.partition("=")[2], word)


def _put(node: Node, key: str, value: Node) -> Node:
    keys = {**node.keys, **({key: value.place} if value.place is not None and key not in node.keys else {})}
    return Node({**node.mapping, key: value}, node.place, node.path, keys)


def _set(top: Node, path: list[str], value: Node, word: str) -> Node:
    head, *rest = path
    if head not in _TOP:
        options = [*_TOP, "unit.PARAM"]
        if head in _OF_RECIPES:
            raise BadInput(
                f"`{printable(word)}`: no key `{head}`; it is one of the recipe's: `recipe.{printable(word)}`"
            )
        near = did_you_mean(head, options) or "; a param of the network is `network.NAME`"
        raise BadInput(f"`{printable(word)}`: no key `{printable(head)}`; keys: {', '.join(options)}{near}")
    if not rest:
        return _put(top, head, value)
    if head not in _MAPPINGS:
        raise BadInput(f"`{printable(word)}`: `{head}` has no keys below it; write {head}=value")
    inner = top.mapping.get(head, Node("he2016_small") if head == "recipe" else Node({}))
    if isinstance(inner.value, str):  # `network: resnet_cifar` is `network: {use: resnet_cifar}`
        inner = Node({"use": inner}, inner.place, inner.path)
    return _put(top, head, _put(inner, ".".join(rest), value))


def _names(top: Node, library: Library) -> list[tuple[str, Node]]:
    """Return the entries of `units`, patterns resolved, with the bare name of each."""
    found: list[tuple[str, Node]] = []
    for item in top.mapping.get("units", Node(())).items:
        if isinstance(item.value, str) and "*" in item.value:
            names = library.glob("unit", item.value)
            found += [(name.rpartition("/")[2], Node(name, item.place, item.path)) for name in names]
        else:
            found.append((_bare(item.mapping.get("use", item).value), item))
    return found


def _bare(name: object) -> str:
    return str(name).rpartition("/")[2].removesuffix(".yaml")


def _units(top: Node, entries: list[Node]) -> Node:
    old = top.mapping.get("units", Node(()))
    return Node(tuple(entries), old.place, old.path)


def _add(top: Node, value: Node, library: Library) -> Node:
    added = value.items or (value,)
    return _units(top, [*top.mapping.get("units", Node(())).items, *added])


def _remove(top: Node, value: Node, library: Library) -> Node:
    entries = _names(top, library)
    for item in value.items or (value,):
        known = [name for name, _ in entries]
        given = _bare(item.value)
        if given not in known:
            raise BadInput(f"units-={item.shown()}: not among the units: {listed(known)}{did_you_mean(given, known)}")
        entries = [(name, entry) for name, entry in entries if name != given]
    return _units(top, [entry for _, entry in entries])


def _set_everywhere(top: Node, param: str, value: Node, library: Library) -> Node:
    """Set a param's value in every unit that has it."""
    entries: list[Node] = []
    params: set[str] = set()
    for _, entry in _names(top, library):
        use = entry.mapping.get("use", entry)
        if not isinstance(use.value, str):  # parse_study reports it
            entries.append(entry)
            continue
        own = library.unit(use.value).body.params
        params |= set(own)
        if param in own:
            entry = _put(Node({"use": use, **entry.mapping}, entry.place, entry.path, entry.keys), param, value)
        entries.append(entry)
    if param not in params:
        known = sorted(params)
        raise BadInput(
            f"unit.{printable(param)}: none of the study's units has such a param; "
            f"their params: {listed(known)}{did_you_mean(param, known)}"
        )
    return _units(top, entries)
