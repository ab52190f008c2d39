"""What a plugin says of itself -> Plugin(name, version, gives); nothing of it is imported to know this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from resbench.escape import shell_line

CODE = ("ops", "initialisers", "datasets", "metrics", "trackers")  # modules with decorators
SPECS = {"units": "unit", "blocks": "block", "networks": "network", "recipes": "recipe"}
GROUPS = (*CODE, *SPECS)
PREFIX = "resbench."  # of the entry points' groups


@dataclass(frozen=True, slots=True)
class Gift:
    """One entry of a plugin.

    A group of code: `module` is imported, `path` is its source. A group of spec files: `path` is their folder, or, with
    `function`, the source of the module whose function returns what such a file holds.
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
    """`folder`: where it was found. `code`: the folders and files its code lies in. `search`: goes on sys.path to import it.

    `package`: of a plain folder, the name under which its files are imported. `version` is empty where nobody gave one.
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
        """As messages call it."""
        return f"plugin {self.name} {self.version or '(a folder)'}"

    @property
    def where(self) -> str:
        """`installed`, or its folder as it is called from here."""
        here = Path.cwd()
        near = self.folder.relative_to(here) if self.folder.is_relative_to(here) else self.folder
        return "installed" if self.installed else str(near)

    @property
    def hint(self) -> str:
        command = shell_line(["resbench", "plugins", "check", self.name if self.installed else self.where])
        return f"`{command}` tells more"


@dataclass(frozen=True, slots=True)
class Failure:
    """What of a plugin cannot be used: `what` names the part, `cause` says why in one line, `trace` is the whole of it.

    Without a trace: what resbench itself finds wrong.
    """

    plugin: Plugin
    what: str
    cause: str
    trace: str = ""

    def __str__(self) -> str:
        return f"{self.plugin.label}: {self.what}: {self.cause}"


def parse_entry(group: str, name: str, value: str) -> Gift:
    """`resbench.ops`, `gain`, `package.module:function` -> Gift, its file not looked for yet."""
    module, _, function = value.partition("[")[0].strip().partition(":")
    return Gift(group.removeprefix(PREFIX), name, module.strip(), function.strip())


def entries(groups: Mapping[str, Mapping[str, str]]) -> tuple[Gift, ...]:
    """`[project.entry-points]` of a pyproject.toml, those of resbench."""
    return tuple(
        parse_entry(group, name, value)
        for group, names in groups.items()
        if group.startswith(PREFIX)
        for name, value in names.items()
    )
