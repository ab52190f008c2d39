"""The plugins that this process uses, and their failures: the only such state, set by `activate`.

They are the installed plugins, those of the project (`[tool.resbench] plugins`) and the folders of `activate`. They are located
at their first use; load.py imports them later.
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

OnFailure = Callable[[Failure], None]
Name = tuple[str, str]  # group, name


@dataclass(slots=True)
class Active:
    """The state of the plugins. `owners`: the plugin and entry that provide a name. `clashes`: names that two plugins provide.
    `broken`: failures by plugin and module. `modules`: imported modules, None if the import failed; `loaded`: groups that were
    imported. `signatures`: of all ops, also resbench's, once ops/schema.py has read them.
    """

    plugins: tuple[Plugin, ...]
    report: OnFailure
    failures: list[Failure] = field(default_factory=list)
    owners: dict[Name, tuple[Plugin, Gift]] = field(default_factory=dict)
    clashes: dict[Name, str] = field(default_factory=dict)
    modules: dict[tuple[str, str], ModuleType | None] = field(default_factory=dict)
    broken: dict[tuple[str, str], Failure] = field(default_factory=dict)
    loaded: set[str] = field(default_factory=set)
    signatures: dict[str, Signature] | None = None

    def fail(self, plugin: Plugin, gift: Gift | None, what: str, error: BaseException) -> Failure:
        """Record that a part of a plugin cannot be used, and report it once."""
        failure = Failure(plugin, what, cause(error), trace(error))
        if gift is not None:
            self.broken.setdefault((plugin.name, gift.target), failure)
        if str(failure) not in map(str, self.failures):
            self.failures.append(failure)
            self.report(failure)
        return failure

    def claim(self, plugin: Plugin, gift: Gift, group: str, name: str) -> bool:
        """Return whether the name is free; if not, neither plugin gets it, since a spec could mean either."""
        holder, other = self.owners.setdefault((group, name), (plugin, gift))
        if holder == plugin and other.target == gift.target:
            return True
        both = f"{place_of(holder, other)} and {place_of(plugin, gift)}"
        self.clashes[group, name] = f"{group}: `{name}` is provided twice: by {both}; remove one"
        failure = self.fail(plugin, None, f"{group}: `{name}`", Reason(f"is provided twice: by {both}; remove one"))
        if holder != plugin:  # it is a failure of both, but reported once
            self.failures.append(replace(failure, plugin=holder))
        return False


def cause(error: BaseException) -> str:
    """Return an error in one line."""
    text = str(error).split("\n")[0]
    return text if isinstance(error, Reason | ResbenchError) else f"{type(error).__name__}: {text}"


def trace(error: BaseException) -> str:
    """Return the traceback of an error; empty for errors of resbench, whose message suffices."""
    return "" if isinstance(error, Reason | ResbenchError) else "".join(traceback.format_exception(error))


def place_of(plugin: Plugin, gift: Gift) -> str:
    return f"{plugin.label} ({gift.path or gift.target})"


@dataclass(slots=True)
class _Process:
    """The settings of `activate`. `elsewhere`: folders that a study used, which only the user may name."""

    folders: tuple[Path, ...] = ()
    elsewhere: tuple[str, ...] = ()
    report: OnFailure = lambda failure: None
    active: Active | None = None


_process = _Process()


def activate(folders: Iterable[Path], report: OnFailure | None = None) -> None:
    """Use the installed plugins, the project's and those in the folders. `report` is called once for each failure."""
    _process.folders = tuple(dict.fromkeys(folder.resolve() for folder in folders))
    _process.elsewhere = ()
    _process.report = report or _process.report
    _process.active = None


def activate_also(folders: Iterable[Path]) -> None:
    """Use further folders in addition to those in use: the ones that a study names."""
    activate((*_process.folders, *folders))


def activate_found(folders: Iterable[Path], elsewhere: Iterable[str]) -> None:
    """Use the folders of a study's record, unless another folder already replaces the plugin of that name."""
    named = {plugin.name for plugin in active().plugins if not plugin.installed}
    more = [folder for folder in folders if folder not in named_folders() and read_folder(folder).name not in named]
    if more:
        activate_also(more)
    _process.elsewhere = tuple(elsewhere)


def absent(op: str) -> PluginError:
    """Return the error about an op that no plugin in use provides, as a network from a database may contain."""
    elsewhere = (
        f"; the study was run with --plugins {' --plugins '.join(_process.elsewhere)}" if _process.elsewhere else ""
    )
    return PluginError(
        f"op `{op}`: expected an op of resbench or of a plugin in use, got an unknown one; install its package, or name its "
        f"folder with --plugins or in `[tool.resbench] plugins`{elsewhere}"
    )


def named_folders() -> tuple[Path, ...]:
    """Return the folders of the project and of `activate`: another process needs them to use the same plugins."""
    project = (folder.resolve() for folder in project_plugins())
    return tuple(dict.fromkeys((*project, *_process.folders)))


def active() -> Active:
    """Return the plugins in use. Raises BadInput for a folder that is not a plugin, in the project file too."""
    if _process.active is None:
        _process.active = _find(named_folders(), _process.report)
    return _process.active


def _find(folders: tuple[Path, ...], report: OnFailure) -> Active:
    """Locate the plugins. A named folder replaces the installed plugin of its name: its author works on it."""
    named: dict[str, Plugin] = {}
    for folder in folders:
        plugin = read_folder(folder)
        other = named.setdefault(plugin.name, plugin)
        if other is not plugin:
            raise BadInput(f"plugins: two are called `{plugin.name}`: {other.folder} and {plugin.folder}")
    rest = [plugin for plugin in installed() if plugin.name not in named]
    return Active((*rest, *named.values()), report)
