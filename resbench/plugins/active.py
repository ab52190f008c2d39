"""Which plugins this process uses, and what of them failed: the one place that keeps it, set by `activate`.

They are the installed ones, those of the project (`[tool.resbench] plugins`) and the folders of `activate`. Looked for when
something is first asked of them, imported by load.py later still.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

from resbench.errors import BadInput, PluginError, Reason, ResbenchError
from resbench.language.graph.signature import Signature
from resbench.language.library.project import project_plugins
from resbench.plugins.folder import read_folder
from resbench.plugins.installed import installed
from resbench.plugins.plugin import Failure, Gift, Plugin

Tell = Callable[[Failure], None]
Name = tuple[str, str]  # group, name


@dataclass(slots=True)
class Active:
    """`owners`: who gives a name, and by which entry. `clashes`: names that two give, with both. `broken`: failures by plugin
    and module. `modules`: what was imported, None where that failed; `loaded`: groups of which all was tried.
    `signatures`: of all ops, resbench's too, once ops/schema.py has read them.
    """

    plugins: tuple[Plugin, ...]
    tell: Tell
    failures: list[Failure] = field(default_factory=list)
    owners: dict[Name, tuple[Plugin, Gift]] = field(default_factory=dict)
    clashes: dict[Name, str] = field(default_factory=dict)
    modules: dict[tuple[str, str], ModuleType | None] = field(default_factory=dict)
    broken: dict[tuple[str, str], Failure] = field(default_factory=dict)
    loaded: set[str] = field(default_factory=set)
    signatures: dict[str, Signature] | None = None

    def fail(self, plugin: Plugin, gift: Gift | None, what: str, error: BaseException) -> Failure:
        """Note that something of a plugin cannot be used, and tell it once."""
        failure = Failure(plugin, what, cause(error), trace(error))
        if gift is not None:
            self.broken.setdefault((plugin.name, gift.target), failure)
        if str(failure) not in map(str, self.failures):
            self.failures.append(failure)
            self.tell(failure)
        return failure

    def claim(self, plugin: Plugin, gift: Gift, group: str, name: str) -> bool:
        """Return whether the name is free; else both lose it, since nobody can know which of the two a spec means."""
        holder, other = self.owners.setdefault((group, name), (plugin, gift))
        if holder == plugin and other.target == gift.target:
            return True
        both = f"{place_of(holder, other)} and {place_of(plugin, gift)}"
        self.clashes[group, name] = f"{group}: `{name}` is given twice: by {both}; leave one out"
        failure = self.fail(plugin, None, f"{group}: `{name}`", Reason(f"is given twice: by {both}; leave one out"))
        if holder != plugin:  # it is the other's too, but told once
            self.failures.append(replace(failure, plugin=holder))
        return False


def cause(error: BaseException) -> str:
    """Return an error in one line."""
    text = str(error).split("\n")[0]
    return text if isinstance(error, Reason | ResbenchError) else f"{type(error).__name__}: {text}"


def trace(error: BaseException) -> str:
    """Return the whole of an error; nothing where resbench says in its own words what is wrong, and shows no code for it."""
    return "" if isinstance(error, Reason | ResbenchError) else "".join(traceback.format_exception(error))


def place_of(plugin: Plugin, gift: Gift) -> str:
    return f"{plugin.label} ({gift.path or gift.target})"


@dataclass(slots=True)
class _Process:
    """`elsewhere`: folders that a study used and that only who runs it may name."""

    folders: tuple[Path, ...] = ()
    elsewhere: tuple[str, ...] = ()
    tell: Tell = lambda failure: None
    active: Active | None = None


_process = _Process()


def activate(folders: Iterable[Path], tell: Tell | None = None) -> None:
    """From now on: the installed plugins, the project's and those in the folders. `tell` hears of each failure once."""
    _process.folders = tuple(dict.fromkeys(folder.resolve() for folder in folders))
    _process.elsewhere = ()
    _process.tell = tell or _process.tell
    _process.active = None


def activate_also(folders: Iterable[Path]) -> None:
    """The same, the folders of before kept: those that a study names."""
    activate((*_process.folders, *folders))


def activate_found(folders: Iterable[Path], elsewhere: Iterable[str]) -> None:
    """Those that a study's record names, where no other folder stands in for the plugin of that name. `elsewhere` as above."""
    named = {plugin.name for plugin in active().plugins if not plugin.installed}
    more = [folder for folder in folders if folder not in named_folders() and read_folder(folder).name not in named]
    if more:
        activate_also(more)
    _process.elsewhere = tuple(elsewhere)


def absent(op: str) -> PluginError:
    """Of an op that no plugin in use gives: a network from a database may have one."""
    there = f"; the study was run with --plugins {' --plugins '.join(_process.elsewhere)}" if _process.elsewhere else ""
    return PluginError(
        f"op `{op}`: expected an op of resbench or of a plugin in use, got one that none gives; install its package, or name its "
        f"folder with --plugins or in `[tool.resbench] plugins`{there}"
    )


def named_folders() -> tuple[Path, ...]:
    """Return the project's and those that were activated: what another process needs to use the same. Raises as `active`."""
    project = (folder.resolve() for folder in project_plugins())
    return tuple(dict.fromkeys((*project, *_process.folders)))


def active() -> Active:
    """Raises BadInput for a folder that is none, and for a project file that names none."""
    if _process.active is None:
        _process.active = _find(named_folders(), _process.tell)
    return _process.active


def _find(folders: tuple[Path, ...], tell: Tell) -> Active:
    """Return a named folder stands in for what is installed under its name: it is what its author works on."""
    named: dict[str, Plugin] = {}
    for folder in folders:
        plugin = read_folder(folder)
        other = named.setdefault(plugin.name, plugin)
        if other is not plugin:
            raise BadInput(f"plugins: two are called `{plugin.name}`: {other.folder} and {plugin.folder}")
    rest = [plugin for plugin in installed() if plugin.name not in named]
    return Active((*rest, *named.values()), tell)
