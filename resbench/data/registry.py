"""A data set's name -> DatasetInfo (without torch) or Dataset (pixels).

    @dataset(DatasetInfo(name="mine", input_shape=(1, 8, 8), n_classes=10, ...))
    def mine() -> Dataset: ...        # imports torch inside, and raises Fact for what keeps it from loading

The files in `sets/` are registered when a question is first asked; plugins use the same decorator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from resbench.data import sets
from resbench.data.info import DatasetInfo
from resbench.errors import BadInput, Fact, PluginError, ResbenchError, did_you_mean
from resbench.plugins import load as plugins

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

    Loader = Callable[[], Dataset]


@dataclass(frozen=True, slots=True)
class _Entry:
    info: DatasetInfo
    loader: Loader
    origin: str


_entries: dict[str, _Entry] = {}


def dataset(info: DatasetInfo) -> Callable[[Loader], Loader]:
    """Register a loader under `info.name`. Raises PluginError, naming both origins, where the name is taken."""

    def register(loader: Loader) -> Loader:
        _fill_own()  # first come resbench's own, so that it is the plugin that is refused
        code = loader.__code__
        origin = f"{loader.__module__}.{loader.__qualname__} ({code.co_filename}:{code.co_firstlineno})"
        if info.name in _entries:
            taken = _entries[info.name].origin
            raise PluginError(f"data set `{info.name}` is registered twice: by {taken} and by {origin}; rename one")
        _entries[info.name] = _Entry(info, loader, origin)
        return loader

    return register


def names() -> tuple[str, ...]:
    """Every registered data set, in alphabetical order.

    >>> {"digits", "fashion_mini"} <= set(names())
    True
    """
    _fill_own()
    plugins.load("datasets")
    return tuple(sorted(_entries))


def info(name: str) -> DatasetInfo:
    """Shapes, sizes, source and licence; reads no pixels.

    >>> info("digits").input_shape
    (1, 8, 8)
    """
    return _entry(name).info


def load(name: str) -> Dataset:
    """The pixels, checked against what is registered. Raises BadInput: unknown name, file missing or altered."""
    entry = _entry(name)
    try:
        loaded = entry.loader()
        _check(loaded, entry.info)
    except Fact as fact:
        raise BadInput(f"data set `{name}`: {fact}. {_without(name)}") from None
    except ResbenchError:
        raise
    except Exception as error:  # whatever a plugin's loader does, the user learns whose it is
        owner = plugins.owner_of(entry.loader)
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


def _check(loaded: Dataset, expected: DatasetInfo) -> None:
    from resbench.data.dataset import describe

    found = describe(loaded)
    pairs = {
        field.name: (getattr(found, field.name), getattr(expected, field.name))
        for field in fields(expected)
        if field.name != "offline"
    }
    wrong = [f"{key} is {was!r}, registered as {said!r}" for key, (was, said) in pairs.items() if was != said]
    if wrong:
        raise Fact(f"the data loaded are not those registered: {'; '.join(wrong)}")


def _without(name: str) -> str:
    """What a user can do while one data set cannot be loaded."""
    others = ", ".join(f"`{one}`" for one in names() if one != name and info(one).offline)
    return "Without it still work: checking, compiling and measuring networks, reading results" + (
        f", and the other data sets ({others})" if others else ""
    )


@cache
def _modules() -> tuple[str, ...]:
    return tuple(f"{sets.__name__}.{module.name}" for module in iter_modules(sets.__path__))


def _fill_own() -> None:
    """Import every file in `sets/`; for those imported already, or just being imported, this does nothing."""
    for module in _modules():
        import_module(module)
