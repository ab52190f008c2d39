"""A name, a digest or a unit's file -> Entry: the architecture, recipe and data that it identifies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput, Reason
from resbench.escape import printable
from resbench.store.results.spec_parts import parse_study
from resbench.tabular.file import FrozenFile

Asked = str | Path | Mapping[str, Any]
_ENTRIES = """
SELECT u.study, u.name, u.architecture, u.recipe, u.data, a.params, c.macs, c.memory_mib
FROM unit u JOIN data d ON d.digest = u.data JOIN architecture a ON a.digest = u.architecture
LEFT JOIN cost c ON c.architecture = u.architecture AND c.input_shape = d.input_shape
WHERE u.{by} = ? AND (? IS NULL OR u.study = ?) ORDER BY u.study, u.number
"""
_BY_NAME, _BY_DIGEST = _ENTRIES.format(by="name"), _ENTRIES.format(by="architecture")


@dataclass(frozen=True, slots=True)
class Entry:
    """A named unit of the file, its identity and its costs."""

    study: str
    name: str
    architecture: str
    recipe: str
    data: str
    params: int
    macs: int | None
    memory_mib: float | None

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.architecture, self.recipe, self.data


@dataclass(frozen=True, slots=True)
class Index:
    """The names and digests of an open file, or of one of its studies."""

    file: FrozenFile
    study: str | None

    def find(self, asked: Asked) -> Entry:
        """Return the entry. Raises BadInput if it is not in the file, or is ambiguous."""
        if not isinstance(asked, str | Path | Mapping):
            raise BadInput(f"unit: expected a name, a digest, a file or the content of such a file, got {asked!r}")
        if isinstance(asked, str) and not is_file(asked):
            return self._one(asked, self._entries(_BY_NAME, asked) or self._entries(_BY_DIGEST, asked))
        from resbench.tabular.bound import bound_digest  # imports torch

        name = printable(str(asked.get("unit")) if isinstance(asked, Mapping) else str(asked), 200)
        digests = list(dict.fromkeys(bound_digest(asked, *place) for place in self._places()))
        found = [entry for digest in digests for entry in self._entries(_BY_DIGEST, digest)]
        if not found:
            raise BadInput(
                f"{self.file.shown}: {name} is not an architecture of this file (its digest: {', '.join(digests)})"
            )
        return self._one(name, found)

    def units(self) -> tuple[str, ...]:
        sql = "SELECT name FROM unit WHERE ? IS NULL OR study = ? ORDER BY study, number"
        return tuple(dict.fromkeys(name for (name,) in self.file.select(sql, (self.study, self.study))))

    def _entries(self, sql: str, key: str) -> list[Entry]:
        return [Entry(*row) for row in self.file.select(sql, (key, self.study, self.study))]

    def _one(self, asked: str, found: list[Entry]) -> Entry:
        if not found:
            units = self.units()
            some = ", ".join(units[:20]) + (f" and {len(units) - 20} more" if len(units) > 20 else "")
            raise BadInput(
                f"{self.file.shown}: no unit or digest `{printable(asked, 200)}`{did_you_mean(asked, units)}; units: {some}; "
                "or a path ending in .yaml, which is bound in the study's network"
            )
        if any(entry.identity != found[0].identity for entry in found):
            ways = "; ".join(f"`{entry.name}` of study {entry.study}" for entry in found[:10])
            raise BadInput(
                f"{self.file.shown}: `{printable(asked, 200)}` is ambiguous: {ways}; give a name, or "
                "load(.., study=NAME)"
            )
        return found[0]

    def _places(self) -> list[tuple[Mapping[str, Any], str, int]]:
        """Return the networks in which a unit may be bound: each study's network with its parameters, image shape, classes."""
        sql = (
            "SELECT DISTINCT s.spec, d.input_shape, d.classes FROM study s JOIN unit u ON u.study = s.name "
            "JOIN data d ON d.digest = u.data WHERE ? IS NULL OR s.name = ?"
        )
        rows = self.file.select(sql, (self.study, self.study))
        with self.file.explained():
            return [(_network(spec), shape, classes) for spec, shape, classes in rows]


def _network(spec: str) -> Mapping[str, Any]:
    network = parse_study(spec, "study: spec").get("fixed", {}).get("network")
    if network is None:
        raise Reason("study: spec: fixed: network is missing")
    return dict(network)


def is_file(asked: str) -> bool:
    """Return whether a text names a unit's file, optionally followed by values, rather than a unit of the benchmark.

    >>> is_file("units/mine.yaml gate_bias=-6"), is_file("exclusive_gating gate_bias=-6")
    (True, False)
    """
    return asked.partition(" ")[0].endswith((".yaml", ".yml"))
