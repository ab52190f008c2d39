"""A study as its row keeps it: one record, read from the row's JSON and written back with the same keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from resbench.errors import DatabaseError, DatabaseUnavailable
from resbench.store.open import Engine, open_store
from resbench.store.results.studies import study_names, study_spec

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredStudy:
    """A study in the database, without its trials and runs.

    Attributes:
        fixed: What its results are about, which may not change: network, data, recipe, limits, objectives, search.
        units: Names of the points that it has named, in their order.
        seeds: Seeds that it has named, in their order.
        doc: The author's sentence.
        keep: Which weights are kept, as language/study/keep.py writes it.
        budget_runs: Runs that it may spend; None: any number.
        looks: Counts of seeds at which the ranking was looked at before more seeds were added without a plan.
        plugins: Folders of plugins that it ran with, as seen from the workspace.
        words: The study as it was written, where its units and trials alone would not repeat it.
        written: Units that the study wrote itself, by name.
        memory_bytes: Memory of the device by which its search refuses points.
        latencies: Measured, by device and digest.
    """

    fixed: Mapping[str, Any] = field(default_factory=dict)
    units: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    doc: str | None = None
    keep: Mapping[str, Any] | None = None
    budget_runs: int | None = None
    looks: tuple[int, ...] = ()
    plugins: tuple[str, ...] = ()
    words: Mapping[str, Any] | None = None
    written: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    memory_bytes: int | None = None
    latencies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def search(self) -> Mapping[str, Any] | None:
        """How its points were chosen; None: it is a grid."""
        return self.fixed.get("search")

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> StoredStudy:
        """Read the object that store/results/spec_parts.py has checked; a key that is not there has its default."""
        found = {_ATTRIBUTES.get(key, key): value for key, value in row.items()}
        given: dict[str, Any] = {key: found[key] for key in cls.__slots__ if key in found}
        for key in ("units", "seeds", "looks", "plugins"):
            given[key] = tuple(given.get(key, ()))
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """Return the row's object; what is empty has no key, but for what every study has."""
        always = ("fixed", "units", "seeds", "doc", "keep")
        values = {name: getattr(self, name) for name in self.__slots__}
        lists = {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
        some = {name: value for name, value in (values | lists).items() if name in always or value or value == 0}
        return {_KEYS.get(name, name): value for name, value in some.items()}


_KEYS = {"written": "wrote"}  # attribute -> the key of the row, where it is another
_ATTRIBUTES = {key: name for name, key in _KEYS.items()}


def stored_study(engine: Engine, study: str) -> StoredStudy | None:
    """Read a study; None where there is none of that name yet."""
    return StoredStudy.from_json(study_spec(engine, study)) if study in study_names(engine) else None


def from_database(url: str, read: Callable[[Engine], T], missing: T) -> T:
    """Read from a database that may not be there yet: then `missing`. Raises DatabaseUnavailable where it does not answer."""
    try:
        engine = open_store(url, create=False)
    except DatabaseUnavailable:
        raise
    except DatabaseError:  # it is made later, or its fault is reported then
        return missing
    try:
        return read(engine)
    finally:
        engine.dispose()
