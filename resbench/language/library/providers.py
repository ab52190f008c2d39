"""Define how plugins provide spec files to the library: folders of files, and files that a function generates.

The plugins' package, which may import this one, sets the provider; without it there are no such files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from resbench.language.yaml.node import Node


class Provider(Protocol):
    """A provider of spec files; a root is a plugin's folder, or its name in messages where it has no folder."""

    def roots(self) -> Sequence[Path]: ...

    def files(self, root: Path, kind: str) -> Mapping[str, list[Path]]:
        """Return the files of a kind by name."""
        ...

    def node(self, path: Path) -> Node | None:
        """Return the data that a function generated for a path that is not a file."""
        ...

    def refuse(self, root: Path, name: str, reason: str) -> None:
        """Record that a file of a root cannot have its name."""
        ...

    def yields(self, op: str, block: str) -> bool:
        """Return whether an op is a plugin's: then the block of that name in the file replaces it, which is recorded."""
        ...

    def check(self, group: str, name: str) -> None:
        """Raise PluginError for a plugin's name (in `ops`, `units`, ...) that cannot be used."""
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
