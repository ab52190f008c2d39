"""`@tracker("name")` on a class -> what `track: name` makes, with its arguments checked.  Plugins use the same decorator."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput, PluginError
from resbench.plugins.active import cause
from resbench.plugins.load import blocked, load
from resbench.study.trackers.tracked import Scalar, Tracker

OWN = ("tensorboard", "mlflow", "wandb")
_METHODS = ("begin", "has", "record", "finish", "close")
T = TypeVar("T", bound=type)


@dataclass(frozen=True, slots=True)
class TrackerKind:
    """A tracker's class. `by_user`: arguments that no study may give, only who runs it, with `--track`."""

    name: str
    make: Callable[..., Tracker]
    arguments: Mapping[str, type]
    by_user: frozenset[str]


_KINDS: dict[str, TrackerKind] = {}


def tracker(name: str, *, by_user: tuple[str, ...] = ()) -> Callable[[T], T]:
    """Register a class under a name; its keyword-only arguments, each with a default, are those of `track`.

    Raises ValueError where the name is taken, and where it is no tracker.
    """

    def register(made: T) -> T:
        if name in _KINDS:
            raise ValueError(f"tracker `{name}` is registered twice")
        lacking = [method for method in _METHODS if not callable(getattr(made, method, None))]
        if lacking:
            raise ValueError(
                f"tracker `{name}`: expected the methods {', '.join(_METHODS)}, it lacks {', '.join(lacking)}"
            )
        _KINDS[name] = TrackerKind(name, made, _arguments(name, made), frozenset(by_user))
        return made

    return register


def _arguments(name: str, made: type) -> dict[str, type]:
    found: dict[str, type] = {}
    for argument in inspect.signature(made, eval_str=True).parameters.values():
        kind = argument.annotation
        if argument.kind is not argument.KEYWORD_ONLY or argument.default is argument.empty:
            raise ValueError(f"tracker `{name}`: {argument.name}: expected a keyword-only argument with a default")
        if kind not in (str, int, float, bool):
            raise ValueError(f"tracker `{name}`: {argument.name}: expected str, int, float or bool, got {kind}")
        found[argument.name] = kind
    return found


def trackers() -> dict[str, TrackerKind]:
    """Return every tracker by name, resbench's own first; none of the tools is imported."""
    for name in OWN:
        import_module(f"resbench.study.trackers.{name}")
    load("trackers")
    return {name: _KINDS[name] for name in (*OWN, *(other for other in _KINDS if other not in OWN))}


def kind_of(name: str, given: Mapping[str, Any], *, trusted: bool = True) -> TrackerKind:
    """Return the tracker of that name, its arguments looked at. Raises BadInput; PluginError for what a plugin gives in
    vain.
    """
    known = trackers()
    if name not in known:
        error = blocked("trackers", name)
        if error is not None:
            raise error
        raise BadInput(f"track: expected one of {', '.join(known)}, got `{name}`{did_you_mean(name, list(known))}")
    kind = known[name]
    for argument, value in given.items():
        if argument not in kind.arguments:
            options = ", ".join(kind.arguments) or "none"
            near = did_you_mean(argument, list(kind.arguments))
            raise BadInput(f"track: {name}: expected the arguments {options}, got `{argument}`{near}")
        wanted = kind.arguments[argument]
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            raise BadInput(f"track: {name}: {argument}: expected {wanted.__name__}, got {value!r}")
        if argument in kind.by_user and not trusted:
            raise BadInput(f"track: {name}: {argument}: a study may not say it; who runs it may, with --track")
    return kind


def make(name: str, given: Mapping[str, Scalar]) -> Tracker:
    """Raises BadInput for what it does not take, PluginError where it cannot be made."""
    kind = kind_of(name, given)
    try:
        return kind.make(**given)
    except BadInput:
        raise
    except Exception as error:
        raise PluginError(f"tracker `{name}`: {cause(error)}") from error
