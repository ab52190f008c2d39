"""A plugin's metadata -> Plugin(name, version, gives); nothing of it is imported for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from resbench.escape import shell_line

CODE = ("ops", "initialisers", "datasets", "metrics", "trackers")  # modules with decorators
SPECS = {"units": "unit", "blocks": "block", "networks": "network", "recipes": "recipe"}
GROUPS = (*CODE, *SPECS)
PREFIX = "resbench."  # prefix of the entry-point groups


@dataclass(frozen=True, slots=True)
class Gift:
    """One entry of a plugin.

    In a group of code, `module` is imported and `path` is its source. In a group of spec files, `path` is their folder or, with
    `function`, the source of the module whose function returns the content of such a file.
    """

    group: str
    name: str
    module: str
    function: str = ""
    path: Path | None = None

    @property
    def target(self) -> str:
        return f"{self.module}:{self.function}" if self.function else self.module


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin. `folder`: where it was found. `code`: the folders and files with its code. `search`: added to sys.path for
    imports.

    `package`: of a plain folder, the name under which its files are imported. `version` is empty if there is none.
    """

    name: str
    version: str
    folder: Path
    gives: tuple[Gift, ...]
    code: tuple[Path, ...] = ()
    search: Path | None = None
    package: str = ""
    installed: bool = False

    @property
    def label(self) -> str:
        """The plugin's name in messages."""
        return f"plugin {self.name} {self.version or '(a folder)'}"

    @property
    def where(self) -> str:
        """`installed`, or its folder relative to the current one."""
        here = Path.cwd()
        near = self.folder.relative_to(here) if self.folder.is_relative_to(here) else self.folder
        return "installed" if self.installed else str(near)

    @property
    def hint(self) -> str:
        command = shell_line(["resbench", "plugins", "check", self.name if self.installed else self.where])
        return f"`{command}` shows details"


@dataclass(frozen=True, slots=True)
class Failure:
    """A part of a plugin that cannot be used: `what` names it, `cause` is the reason in one line, `trace` the traceback.

    The trace is empty if resbench itself found the fault.
    """

    plugin: Plugin
    what: str
    cause: str
    trace: str = ""

    def __str__(self) -> str:
        return f"{self.plugin.label}: {self.what}: {self.cause}"


def parse_entry(group: str, name: str, value: str) -> Gift:
    """`resbench.ops`, `gain`, `package.module:function` -> Gift, whose file is not located yet."""
    module, _, function = value.partition("[")[0].strip().partition(":")
    return Gift(group.removeprefix(PREFIX), name, module.strip(), function.strip())


def entries(groups: Mapping[str, Mapping[str, str]]) -> tuple[Gift, ...]:
    """Return the entries of `[project.entry-points]` of a pyproject.toml that are for resbench."""
    return tuple(
        parse_entry(group, name, value)
        for group, names in groups.items()
        if group.startswith(PREFIX)
        for name, value in names.items()
    )
