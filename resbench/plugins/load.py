"""A group -> its modules imported, so that their decorators register; what cannot be is noted with its plugin and left out."""

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
    """Import what the active plugins name for a group, each module once."""
    state = active()
    if group in state.loaded:
        return
    state.loaded.add(group)  # at once, since what is imported may ask for the same group
    wanted = [(plugin, gift) for plugin in state.plugins for gift in plugin.gives if gift.group == group]
    for plugin, gift in wanted if group != "ops" else ():  # those of ops are in their source, and claimed already
        state.claim(plugin, gift, group, gift.name)
    for plugin, gift in wanted:
        if (group, gift.name) not in state.clashes:
            module_of(state, plugin, gift)


def module_of(state: Active, plugin: Plugin, gift: Gift) -> ModuleType | None:
    """Return the gift's module, imported; None where that fails, which is noted."""
    key = (plugin.name, gift.module)
    if key in state.broken:
        return None
    if key not in state.modules:
        state.modules[key] = None  # a module that asks for itself while it is imported gets no second try
        try:
            state.modules[key] = _import(plugin, gift)
        except (Exception, SystemExit) as error:  # whatever it does, the others go on
            state.fail(plugin, gift, said(plugin, gift), error)
    return state.modules[key]


def said(plugin: Plugin, gift: Gift) -> str:
    """Return a gift in a message: the file of a plain folder, else the module."""
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
        raise Reason(f"another package of that name is imported already, from {file}")
    return module


def _lies_in(file: Path, plugin: Plugin) -> bool:
    return any(file == code or code in file.parents for code in plugin.code)


def owner_of_file(file: str) -> Plugin | None:
    """Return the active plugin that a source file belongs to."""
    path = Path(file).resolve()
    return next((plugin for plugin in active().plugins if _lies_in(path, plugin)), None)


def owner_of(thing: type | Callable[..., object]) -> Plugin | None:
    """Return the active plugin in whose file a class or function is written."""
    module = sys.modules.get(thing.__module__)
    file = module.__file__ if module is not None else None
    return None if file is None else owner_of_file(file)


def blamed(error: BaseException) -> PluginError | None:
    """Return the error as the plugin's in whose code it arose or passed through, the innermost one; None where none had
    part in it.
    """
    frames = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    owners = (owner_of_file(file) for file in reversed(frames) if not file.startswith("<"))
    plugin = next((owner for owner in owners if owner is not None), None)
    return None if plugin is None else PluginError(f"{plugin.label}: {cause(error)}")


def blocked(group: str, name: str) -> PluginError | None:
    """Return why a name that a plugin gives cannot be used; None where nothing keeps it, or no plugin has it."""
    state = active()
    if (group, name) in state.clashes:
        return PluginError(state.clashes[group, name])
    if (group, name) not in state.owners:
        return None
    plugin, gift = state.owners[group, name]
    failure = state.broken.get((plugin.name, gift.target))
    if failure is None:
        return None
    return PluginError(f"`{name}` is of {failure}; {plugin.hint}")
