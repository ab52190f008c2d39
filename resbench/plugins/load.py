"""Imports the modules of a group, so that their decorators register; failures are recorded with their plugin and skipped."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from types import ModuleType

from resbench.errors import PluginError, Reason
from resbench.plugins.active import Active, active, cause
from resbench.plugins.plugin import Gift, Plugin


def load(group: str) -> None:
    """Import the modules of a group from the active plugins, each once."""
    state = active()
    if group in state.loaded:
        return
    state.loaded.add(group)  # set first, since an imported module may load the same group
    wanted = [(plugin, gift) for plugin in state.plugins for gift in plugin.gives if gift.group == group]
    for plugin, gift in (
        wanted if group != "ops" else ()
    ):  # names of ops were read from their source, and are claimed already
        state.claim(plugin, gift, group, gift.name)
    for plugin, gift in wanted:
        if (group, gift.name) not in state.clashes:
            module_of(state, plugin, gift)


def module_of(state: Active, plugin: Plugin, gift: Gift) -> ModuleType | None:
    """Import and return the module of an entry; None if that fails, which is recorded."""
    key = (plugin.name, gift.module)
    if key in state.broken:
        return None
    if key not in state.modules:
        state.modules[key] = None  # a module that imports itself recursively is not tried twice
        try:
            state.modules[key] = _import(plugin, gift)
        except (Exception, SystemExit) as error:  # a failing plugin must not stop the others
            state.fail(plugin, gift, entry_label(plugin, gift), error)
    return state.modules[key]


def entry_label(plugin: Plugin, gift: Gift) -> str:
    """Return an entry as messages name it: the file of a plain folder, else the module."""
    return gift.path.name if plugin.package and gift.path is not None else f"module {gift.module}"


def _import(plugin: Plugin, gift: Gift) -> ModuleType:
    if plugin.package and plugin.package not in sys.modules:
        package = ModuleType(plugin.package, f"The plain folder {plugin.folder}.")
        package.__path__ = [str(plugin.folder)]
        sys.modules[plugin.package] = package
    if plugin.search is not None and str(plugin.search) not in sys.path:
        sys.path.insert(0, str(plugin.search))
    with redirect_stdout(sys.stderr):  # stdout is for data
        module = import_module(gift.module)
    file = module.__file__
    if file is not None and plugin.code and not _lies_in(Path(file).resolve(), plugin):
        raise Reason(f"another package of that name is already imported, from {file}")
    return module


def _lies_in(file: Path, plugin: Plugin) -> bool:
    return any(file == code or code in file.parents for code in plugin.code)


def owner_of_file(file: str) -> Plugin | None:
    """Return the active plugin that a source file belongs to."""
    path = Path(file).resolve()
    return next((plugin for plugin in active().plugins if _lies_in(path, plugin)), None)


def owner_of(thing: type | Callable[..., object]) -> Plugin | None:
    """Return the active plugin whose file defines a class or function."""
    module = sys.modules.get(thing.__module__)
    file = module.__file__ if module is not None else None
    return None if file is None else owner_of_file(file)


def blamed(error: BaseException) -> PluginError | None:
    """Return the error as a PluginError of the innermost plugin in its traceback; None if no plugin is in it."""
    frames = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    owners = (owner_of_file(file) for file in reversed(frames) if not file.startswith("<"))
    plugin = next((owner for owner in owners if owner is not None), None)
    return None if plugin is None else PluginError(f"{plugin.label}: {cause(error)}")


def blocked(group: str, name: str) -> PluginError | None:
    """Return why a plugin's name cannot be used; None if it can, or if no plugin provides it."""
    state = active()
    if (group, name) in state.clashes:
        return PluginError(state.clashes[group, name])
    if (group, name) not in state.owners:
        return None
    plugin, gift = state.owners[group, name]
    failure = state.broken.get((plugin.name, gift.target))
    if failure is None:
        return None
    return PluginError(f"`{name}` cannot be used: {failure}; {plugin.hint}")
