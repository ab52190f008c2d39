"""Spec files of the active plugins -> the files that the library searches: YAML in their folders, and what their functions
return.

A function returns the mapping that a YAML file would hold, or a list of them. It is serialised and read like any file, so it
passes the same checks and gets the same messages.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from resbench.errors import Reason
from resbench.escape import printable
from resbench.language.library.lookup import kind_of
from resbench.language.names import why_not
from resbench.language.yaml.node import Node
from resbench.language.yaml.reader import read_text
from resbench.plugins.active import Active
from resbench.plugins.load import blocked, module_of
from resbench.plugins.locate import folder_of
from resbench.plugins.plugin import SPECS, Gift, Plugin


@dataclass(slots=True)
class SpecFiles:
    """The Provider of language/library/providers.py."""

    state: Active
    nodes: dict[Path, Node] = field(default_factory=dict)

    def roots(self) -> Sequence[Path]:
        """Return the roots of the plugins: the folder of a plain one, the name of a package."""
        return [root_of(plugin) for plugin in self.state.plugins if any(gift.group in SPECS for gift in plugin.gives)]

    def files(self, root: Path, kind: str) -> Mapping[str, list[Path]]:
        """Return the files of a kind by name; a plugin's function is called at the first search for its kind."""
        found: dict[str, list[Path]] = {}
        plugin = self._plugin(root)
        for gift in plugin.gives:
            if SPECS.get(gift.group) != kind:
                continue
            try:
                paths = self._written(plugin, gift, kind) if gift.function else _folder(plugin, gift, kind)
            except (Exception, SystemExit) as error:  # a failing function must not stop the others
                self.state.fail(plugin, gift, f"{gift.group}: {gift.name}", error)
                paths = {}
            self.state.owners.setdefault((gift.group, gift.name), (plugin, gift))
            for name, path in paths.items():
                found.setdefault(name, []).append(path)
        return found

    def node(self, path: Path) -> Node | None:
        return self.nodes.get(path)

    def refuse(self, root: Path, name: str, reason: str) -> None:
        self.state.fail(self._plugin(root), None, f"blocks: `{name}`", Reason(reason))

    def yields(self, op: str, block: str) -> bool:
        if ("ops", op) not in self.state.owners:
            return False
        plugin, gift = self.state.owners["ops", op]
        self.state.fail(
            plugin, gift, f"ops: `{op}`", Reason(f"is also the name of the block {block}, which takes precedence")
        )
        return True

    def check(self, group: str, name: str) -> None:
        error = blocked(group, name)
        if error is not None:
            raise error

    def _plugin(self, root: Path) -> Plugin:
        return next(plugin for plugin in self.state.plugins if root_of(plugin) == root)

    def _written(self, plugin: Plugin, gift: Gift, kind: str) -> dict[str, Path]:
        """Return what a function returns, by name. Raises Reason if it is not data of that kind."""
        module = module_of(self.state, plugin, gift)
        if module is None:
            return {}  # recorded already
        with redirect_stdout(sys.stderr):
            result = getattr(module, gift.function)()
        paths: dict[str, Path] = {}
        for item in result if isinstance(result, list | tuple) else [result]:
            if not isinstance(item, dict):
                raise Reason(f"{gift.target} must return a mapping or a list of them, got {type(item).__name__}")
            where = f"{plugin.label}: {gift.target}"
            node = read_text(json.dumps(item, indent=1, allow_nan=False, ensure_ascii=False), where)
            first, value = next(iter(node.mapping.items()))
            name = str(value.value)
            reason = f"its first key is `{printable(first)}`" if first != kind else why_not(name)
            if reason is None and name in paths:
                reason = f"`{name}` is there twice"
            if reason is not None:
                raise Reason(f"{gift.target} must return {gift.group}: {reason}")
            paths[name] = Path(f"{where} {name}")
            self.nodes[paths[name]] = node
        return paths


def root_of(plugin: Plugin) -> Path:
    return plugin.folder if plugin.package else Path(plugin.label)


def _folder(plugin: Plugin, gift: Gift, kind: str) -> dict[str, Path]:
    """Return the YAML files of a kind in `units/`, ... below a package's folder, or else in it. Raises Reason if
    there are none.
    """
    base = gift.path or folder_of(gift.module, plugin.search)
    inner = base / gift.group
    found: dict[str, Path] = {}
    for path in sorted((inner if inner.is_dir() else base).rglob("*.yaml")):
        if why_not(path.stem) is None and kind_of(path) == kind:
            if path.stem in found:
                raise Reason(f"`{path.stem}` is there twice: {found[path.stem]} and {path}")
            found[path.stem] = path
    if not found:
        raise Reason(f"no YAML file of a {kind} in {base}")
    return found
