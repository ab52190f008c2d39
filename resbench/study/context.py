"""Where a coordinator works: what it coordinates, with which means, under which lease."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from resbench.language.study.study import StudySpec
from resbench.search.latencies import Latencies
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine
from resbench.store.optuna.storage import optuna_explained
from resbench.store.records import Lease
from resbench.study.resources.resources import Means
from resbench.workers.events import Watcher

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """`role` is the lease under which everything is written. `limit`: bytes of memory by which a search refuses points."""

    engine: Engine
    spec: StudySpec
    means: Means
    watch: Watcher
    role: Lease
    patience: Patience
    latencies: Latencies = field(default_factory=Latencies)
    limit: int | None = None
    noted: set[str] = field(default_factory=set)

    def note_once(self, text: str) -> None:
        """Tell what may be found again at the next stage."""
        if text and text not in self.noted:
            self.noted.add(text)
            self.watch.note(text)

    def do(self, step: Callable[[], T]) -> T:
        """A step that no crash in its middle would harm, so it may be done again: it is, where the database does not answer."""

        def explained() -> T:
            with optuna_explained(self.engine):
                return step()

        return self.patience.do(explained)
