"""Spec files that plugins give, as the library sees them: folders of files, and files that a function writes.

Set by the room of the plugins, which stands to the right of this one; without it there are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from resbench.language.yaml.node import Node


class Provider(Protocol):
    """A root is a plugin's folder, or what stands for it in messages where it has none of its own."""

    def roots(self) -> Sequence[Path]: ...

    def files(self, root: Path, kind: str) -> Mapping[str, list[Path]]:
        """Return the files of a kind by name."""
        ...

    def node(self, path: Path) -> Node | None:
        """Return what a function wrote, for a path that is no file."""
        ...

    def refuse(self, root: Path, name: str, reason: str) -> None:
        """Note that a file of a root may not bear its name."""
        ...

    def yields(self, op: str, block: str) -> bool:
        """Return whether an op is a plugin's: then it gives way to the block of that name in the file, which is noted."""
        ...

    def check(self, group: str, name: str) -> None:
        """Raises PluginError for a name of a plugin (in `ops`, `units`, ...) that cannot be used."""
        ...


class _Nothing:
    def roots(self) -> Sequence[Path]:
        return ()

    def files(self, root: Path, kind: str) -> Mapping[str, list[Path]]:
        return {}

    def node(self, path: Path) -> Node | None:
        return None

    def refuse(self, root: Path, name: str, reason: str) -> None:
        pass

    def yields(self, op: str, block: str) -> bool:
        return False

    def check(self, group: str, name: str) -> None:
        pass


_provider: list[Provider] = [_Nothing()]


def provide(provider: Provider) -> None:
    _provider[0] = provider


def provided() -> Provider:
    return _provider[0]
