"""A data set's name and its settings -> DatasetInfo (without torch) or Dataset (pixels).

    @dataset(DatasetInfo(name="mine", input_shape=(1, 8, 8), n_classes=10, ...))
    def mine() -> Dataset: ...        # imports torch inside, and raises Reason if it cannot load

    @configured("drawn", Settings, about)  # settings: a frozen pydantic model; about(settings) -> DatasetInfo
    def drawn(settings: Settings) -> Dataset: ...

The files in `sets/` are registered at the first query; plugins use the same decorators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from resbench.data import sets
from resbench.data.info import DatasetInfo
from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput, PluginError, Reason, ResbenchError, SpecError
from resbench.language.yaml.models import Model, validate
from resbench.language.yaml.node import Node, Plain, from_plain
from resbench.plugins import load as plugins

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

Loader = Callable[..., Any]  # -> Dataset; called with the settings if it has any
Absent = Callable[[], str | None]  # returns why the data are not on this machine; it downloads nothing
NO_SETTINGS: Mapping[str, Plain] = {}


@dataclass(frozen=True, slots=True)
class _Entry:
    about: Callable[[Any], DatasetInfo]
    settings: type[Model]
    loader: Callable[[Any], Dataset]
    code: Loader
    absent: Absent
    settled: bool

    @property
    def origin(self) -> str:
        place = self.code.__code__
        return f"{self.code.__module__}.{self.code.__qualname__} ({place.co_filename}:{place.co_firstlineno})"


class _None(Model):
    """The settings of a data set without settings."""


_entries: dict[str, _Entry] = {}


def _never() -> None:
    """Return None: the data come with their loader."""


def dataset(info: DatasetInfo, absent: Absent = _never, *, settled: bool = False) -> Callable[[Loader], Loader]:
    """Register a loader under `info.name`. Raises PluginError, naming both origins, where the name is taken.

    `absent`: returns why the data are not on this machine, if they may be missing. `settled`: whether they are the same on every
    machine, so that there is nothing to inspect and `study check` does not load them.
    """

    def register(loader: Loader) -> Loader:
        return _register(info.name, _Entry(lambda _: info, _None, lambda _: loader(), loader, absent, settled))

    return register


def configured(
    name: str, settings: type[Model], about: Callable[[Any], DatasetInfo], *, settled: bool = False
) -> Callable[[Callable[[Any], Dataset]], Callable[[Any], Dataset]]:
    """Register a loader that is called with `settings`, given beside the name in YAML. Raises as `dataset` does.

    `about` may raise Reason; if all settings have defaults, the list of data sets shows what it returns for them.
    """

    def register(loader: Callable[[Any], Dataset]) -> Callable[[Any], Dataset]:
        return _register(name, _Entry(about, settings, loader, loader, _never, settled))

    return register


def _register(name: str, entry: _Entry) -> Loader:
    _fill_own()  # resbench's own come first, so that a clash is reported for the plugin
    if name in _entries:
        taken = _entries[name].origin
        raise PluginError(f"data set `{name}` is registered twice: by {taken} and by {entry.origin}; rename one")
    _entries[name] = entry
    return entry.code


def names() -> tuple[str, ...]:
    """Return every registered data set, in alphabetical order.

    >>> {"digits", "fashion_mini"} <= set(names())
    True
    """
    _fill_own()
    plugins.load("datasets")
    return tuple(sorted(_entries))


def own_names() -> tuple[str, ...]:
    """Return the data sets of resbench itself; no plugin is loaded."""
    _fill_own()
    return tuple(sorted(_entries))


def settings(name: str) -> type[Model]:
    """Return the model of the settings that may be given beside the name."""
    return _entry(name).settings


def listed(name: str) -> DatasetInfo | None:
    """Return the info for default settings; None if a setting is required."""
    entry = _entry(name)
    if any(field.is_required() for field in entry.settings.model_fields.values()):
        return None
    return entry.about(entry.settings())


def info(name: str, given: Mapping[str, Plain] | Node = NO_SETTINGS) -> DatasetInfo:
    """Return shapes, sizes, source and licence; reads no pixels. Raises BadInput; SpecError with the places of a Node's
    settings.

    >>> info("digits").input_shape
    (1, 8, 8)
    """
    entry = _entry(name)
    try:
        return entry.about(_settings(entry, name, given))
    except Reason as fact:
        raise BadInput(f"data set `{name}`: {fact}") from None


def is_settled(name: str) -> bool:
    """Return whether the data are the same on every machine that has them."""
    return _entry(name).settled


def absent(name: str) -> str | None:
    """Return why the data set is not on this machine, if it must be downloaded and was not; nothing is downloaded."""
    return _entry(name).absent()


def load(name: str, given: Mapping[str, Plain] = NO_SETTINGS) -> Dataset:
    """Load the data, checked against the registered info. Raises BadInput: unknown name, file missing or altered."""
    entry = _entry(name)
    settings = _settings(entry, name, given)
    try:
        loaded = entry.loader(settings)
        _check(loaded, entry.about(settings))
    except Reason as fact:
        raise BadInput(f"data set `{name}`: {fact}. {_still_works(name)}") from None
    except ResbenchError:
        raise
    except Exception as error:  # a plugin's loader may raise anything; the message names its owner
        owner = plugins.owner_of(entry.code)
        whose = f"{owner.label}, " if owner is not None else ""
        raise PluginError(f"data set `{name}`, {whose}{entry.origin}: {type(error).__name__}: {error}") from error
    return loaded


def _entry(name: str) -> _Entry:
    known = names()
    if (error := plugins.blocked("datasets", name)) is not None:
        raise error
    if name not in known:
        listed = ", ".join(f"`{one}`" for one in known)
        raise BadInput(f"no data set is called `{name}`; there are {listed}{did_you_mean(name, known)}")
    return _entries[name]


def _settings(entry: _Entry, name: str, given: Mapping[str, Plain] | Node) -> Model:
    node = given if isinstance(given, Node) else from_plain(dict(given), "data")
    if entry.settings is _None and node.mapping:
        key = next(iter(node.mapping))
        raise SpecError([node.key_problem(key, f"data set {name} has no settings, so there is no `{key}`")])
    return validate(entry.settings, node)


def _check(loaded: Dataset, expected: DatasetInfo) -> None:
    from resbench.data.dataset import describe

    found = describe(loaded)
    pairs = {
        field.name: (getattr(found, field.name), getattr(expected, field.name))
        for field in fields(expected)
        if field.name != "offline"
    }
    wrong = [
        f"{key} is {actual!r}, registered as {stated!r}" for key, (actual, stated) in pairs.items() if actual != stated
    ]
    if wrong:
        raise Reason(f"the loaded data differ from what is registered: {'; '.join(wrong)}")


def _still_works(name: str) -> str:
    """Return the sentence about what still works while one data set cannot be loaded."""
    others = ", ".join(f"`{one}`" for one in names() if one != name and (about := listed(one)) and about.offline)
    return "Still available: checking, compiling and measuring networks, reading results" + (
        f", and the other data sets ({others})" if others else ""
    )


@cache
def _modules() -> tuple[str, ...]:
    return tuple(f"{sets.__name__}.{module.name}" for module in iter_modules(sets.__path__))


def _fill_own() -> None:
    """Import every file in `sets/`; a file that is imported, or being imported, is not imported again."""
    for module in _modules():
        import_module(module)
