"""Shell completion of the names of units, networks, studies and data sets.

The user waits for it: torch is not imported, a database has two seconds, and an error completes nothing. The shell copies a
completion into the command line unquoted, so names with special characters are excluded.
"""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import typer

from resbench.cli.options import database

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_WAIT_S = 2.0
_STUDIES = "SELECT name FROM rb_study ORDER BY name LIMIT 1000"
_KINDS = ("unit", "block", "network", "recipe", "study")


def complete_units() -> list[str]:
    return _offered(lambda: _library("unit"))


def complete_networks() -> list[str]:
    return _offered(lambda: _library("network"))


def complete_study_files() -> list[str]:
    """Return the studies of the library; if none matches, the shell completes files."""
    return _offered(lambda: _library("study"))


def complete_datasets() -> list[str]:
    return _offered(_datasets)


def complete_kinds() -> list[str]:
    return list(_KINDS)


def complete_studies(ctx: typer.Context) -> list[str]:
    """Return the studies of the command's database, which is that of `--db` if it comes before the cursor."""
    given = ctx.params.get("db")
    return _offered(lambda: _in_database(database(given)))


def complete_settings(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete values after `unit=`, `network=` and `data=`. Bash splits words at `=`, other shells do not."""
    lists = (list(words) for words in ctx.params.values() if isinstance(words, list | tuple))
    divided = [words[-2] for words in lists if len(words) > 1 and words[-1] == "="]
    key = divided[0] if divided else incomplete.partition("=")[0]
    names = _SETTINGS.get(key)
    if names is None or not (divided or "=" in incomplete):
        return []
    return [name if divided else f"{key}={name}" for name in _offered(names)]


def complete_units_and_settings(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete settings, and units for a command that takes several."""
    return complete_settings(ctx, incomplete) or complete_units()


def _offered(names: Callable[[], list[str]]) -> list[str]:
    try:
        with _within(_WAIT_S):
            return [name for name in names() if _PLAIN.fullmatch(name)]
    except Exception:  # the command itself will report the error
        return []


def _library(kind: str) -> list[str]:
    from resbench.language.library.lookup import SearchPath
    from resbench.language.library.providers import provided
    from resbench.plugins.active import activate

    activate((), lambda failure: None)
    return SearchPath.around(None, provided()).names(kind)


def _datasets() -> list[str]:
    """Return resbench's data sets and those that the sources of plugins declare; no plugin code is run."""
    from resbench.data.registry import own_names
    from resbench.plugins.active import activate, active

    activate((), lambda failure: None)
    gifts = [gift.name for plugin in active().plugins for gift in plugin.gives if gift.group == "datasets"]
    return sorted({*own_names(), *gifts})


def _in_database(url: str) -> list[str]:
    """Return the studies through the read-only connections of `resbench query`; importing SQLAlchemy would take too long."""
    from resbench.store.connection.location import locate

    location = locate(url)
    if location.path is not None:
        from resbench.store.query.sqlite import rows

        return [str(name) for (name,) in list(rows(location, _STUDIES, _WAIT_S))[1:]]
    from resbench.store.query import postgres as readonly_postgres

    return [str(name) for (name,) in list(readonly_postgres.rows(location, _STUDIES, 1000, _WAIT_S))[1:]]


_SETTINGS: Mapping[str, Callable[[], list[str]]] = {
    "unit": lambda: _library("unit"), "network": lambda: _library("network"), "data": _datasets,
}  # fmt: skip


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise TimeoutError if the body takes longer, such as a server that does not answer. Windows has no such limit."""
    if sys.platform == "win32":
        yield
        return

    def late(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
