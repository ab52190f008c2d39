"""The active plugins -> name and version of each, as stored in a run's environment.

A folder may change while its version does not, so the start of a digest of its source is added: `0.1.0+3f2a9c1b`.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from resbench.plugins.active import active
from resbench.plugins.plugin import Plugin


def in_use() -> dict[str, str]:
    """Return every active plugin, also those that were not used: they could have been."""
    return {plugin.name: plugin.version if plugin.installed else _with_digest(plugin) for plugin in active().plugins}


def _with_digest(plugin: Plugin) -> str:
    hashed = sha256()
    for path in sorted(_sources(plugin)):
        hashed.update(f"{path.relative_to(plugin.folder).as_posix()}\n{path.stat().st_size}\n".encode())
        hashed.update(path.read_bytes())
    return f"{plugin.version or 'folder'}+{hashed.hexdigest()[:8]}"


def _sources(plugin: Plugin) -> set[Path]:
    """Return the Python and YAML files of the plugin itself, not all files in its folder."""
    found = {path for path in plugin.code if path.is_file()}
    folders = [path for path in plugin.code if path.is_dir()]
    folders += [gift.path for gift in plugin.gives if gift.path is not None and gift.path.is_dir()]
    for folder in folders:
        found |= {path for path in folder.rglob("*") if path.suffix in (".py", ".yaml") and path.is_file()}
    return {path for path in found if path.is_relative_to(plugin.folder)}
