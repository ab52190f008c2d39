"""A frozen file -> Bench: an answer needs one or two index look-ups, so only what is requested is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import index
from pathlib import Path
from types import TracebackType
from typing import Any, Self, overload

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput, Reason
from resbench.escape import printable
from resbench.random_streams import LARGEST
from resbench.store.results.spec_parts import parse_study
from resbench.tabular.answer import Answer, Record, TestAnswer
from resbench.tabular.entry import Asked, Entry, Index
from resbench.tabular.file import TABLES, FrozenFile, open_frozen
from resbench.tabular.simulation import Budget, Simulation

_RUNS = """
SELECT r.seed, r.epochs, r.status, e.epoch, e.val_error_pct, e.val_loss, e.train_error_pct, e.train_loss, e.lr,
    (SELECT CASE WHEN COUNT(p.train_s) = COUNT(*) THEN SUM(p.train_s) END
        FROM epoch p WHERE p.run_id = r.id AND p.epoch <= e.epoch) AS train_s
FROM run r JOIN epoch e ON e.run_id = r.id AND e.epoch = min(?, r.epochs)
WHERE r.architecture = ? AND r.recipe = ? AND r.data = ?
"""
_OF_SEED = _RUNS + " AND r.seed = ?"
_LAST = 2**62  # an epoch that no run has


class Bench:
    """An open frozen benchmark. Close it, or use it in a `with`; `load` opens one."""

    def __init__(self, file: FrozenFile, study: str | None) -> None:
        self._file, self._shown = file, file.shown
        self._index = Index(file, study)
        self._wanted: dict[str, frozenset[int]] = {}  # seeds, by study
        if study is not None and study not in self.studies:
            raise BadInput(
                f"{file.shown}: no study {printable(study)}{did_you_mean(study, self.studies)}; it holds: "
                f"{', '.join(map(printable, self.studies))}"
            )

    @property
    def studies(self) -> tuple[str, ...]:
        return tuple(name for name, *_ in self._file.table("study", "name"))

    @property
    def units(self) -> tuple[str, ...]:
        """The names of the units, in the order of the studies."""
        return self._index.units()

    def count(self) -> int:
        """Return the number of runs in the file."""
        return int(self._file.select("SELECT COUNT(*) FROM run")[0][0])

    @property
    def about(self) -> dict[str, Any]:
        """The origin of the file: studies, recipes, data and the environment of training, as plain data."""
        facts: dict[str, Any] = dict(self._file.table("meta"))
        for table in ("study", "recipe", "data", "environment"):
            names = TABLES[table]
            facts[table] = [_plain(dict(zip(names, row, strict=True))) for row in self._file.table(table)]
        return facts

    @overload
    def query(self, unit: Asked, *, epoch: int | None = None, seed: None = None) -> Answer: ...
    @overload
    def query(self, unit: Asked, *, epoch: int | None = None, seed: int) -> Record: ...
    def query(self, unit: Asked, *, epoch: int | None = None, seed: int | None = None) -> Answer | Record:
        """Return the answer for a unit, given by name, digest, or YAML file (or the content of such a file), which is bound in
        the study's network first.

        Without a seed it is over all seeds; without an epoch, after the last one. Raises BadInput for what is not in the file.
        """
        entry = self._index.find(unit)
        epoch = None if epoch is None else _whole(epoch, "epoch", 1)
        key = (_LAST if epoch is None else epoch, *entry.identity)
        if seed is None:
            runs = tuple(_record(entry, row) for row in self._file.select(_RUNS + " ORDER BY r.seed", key))
            known = tuple(run for run in runs if _counts(run, epoch))
            if epoch is not None and runs and not known:
                longest = max(run.epochs for run in runs)
                raise BadInput(f"{self._shown}: {entry.name}: no run has an epoch {epoch}; the longest has {longest}")
            missing = len(self._seeds_of(entry.study) - {run.seed for run in known})
            return Answer(
                entry.name, entry.architecture, epoch, known, missing, entry.params, entry.macs, entry.memory_mib,
                entry.recipe, entry.data,
            )  # fmt: skip
        seed = _whole(seed, "seed", 0)
        row = self._file.first(_OF_SEED, (*key, seed))
        if row is None:
            there = ", ".join(map(str, self.seeds(unit)))
            raise BadInput(f"{self._shown}: {entry.name}: no run of seed {seed!r}; seeds: {there}")
        run = _record(entry, row)
        if epoch is not None and not _counts(run, epoch):
            raise BadInput(f"{self._shown}: {entry.name}, seed {seed}: no epoch {epoch}; this run has {run.epochs}")
        return run

    def seeds(self, unit: Asked) -> tuple[int, ...]:
        """Return the seeds of a unit that have a run."""
        sql = "SELECT seed FROM run WHERE architecture = ? AND recipe = ? AND data = ? ORDER BY seed"
        return tuple(seed for (seed,) in self._file.select(sql, self._index.find(unit).identity))

    def architecture(self, unit: Asked) -> str:
        """Return the canonical network, JSON: `resbench.compiler.identity.serialize.from_json` makes it a network again."""
        sql = "SELECT spec FROM architecture WHERE digest = ?"
        return str(self._file.select(sql, (self._index.find(unit).architecture,))[0][0])

    def test(self, unit: Asked) -> TestAnswer:
        """Return test errors, to judge a selected unit. Raises BadInput if the file was frozen without them."""
        entry = self._index.find(unit)
        if not self._file.select("SELECT 1 FROM test_score LIMIT 1"):
            raise BadInput(
                f"{self._shown}: holds no test scores; `resbench results freeze STUDY --with-test` includes them"
            )
        sql = (
            "SELECT r.seed, t.test_error_pct FROM run r JOIN test_score t ON t.run_id = r.id WHERE r.architecture = ? "
            "AND r.recipe = ? AND r.data = ? AND r.status = 'complete' AND t.test_error_pct IS NOT NULL ORDER BY r.seed"
        )
        return TestAnswer(entry.name, entry.architecture, tuple(self._file.select(sql, entry.identity)))

    def simulate(
        self,
        search: Callable[[Simulation], object],
        *,
        seconds: float | None = None,
        epochs: int | None = None,
        seed: int = 0,
    ) -> Simulation:
        """Run a search on the recorded runs until it or its budget ends. `seed`: seeds everything that the search draws."""
        simulation = Simulation(
            self.units, lambda unit, epoch: self.query(unit, epoch=epoch), Budget(seconds, epochs), seed, self._shown
        )
        simulation.run(search)
        return simulation

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _seeds_of(self, study: str) -> frozenset[int]:
        """Return the seeds that the study requires. A spec with many units is long, so it is read once."""
        if study not in self._wanted:
            row = self._file.first("SELECT spec FROM study WHERE name = ?", (study,))
            with self._file.explained():
                if row is None:
                    raise Reason(f"a unit belongs to the study {printable(study)}, which is not in the file")
                self._wanted[study] = frozenset(parse_study(row[0], f"study {printable(study)}: spec").get("seeds", ()))
        return self._wanted[study]


def load(path: str | Path, *, study: str | None = None) -> Bench:
    """Open a frozen benchmark, or one study of a merged one. Raises DatabaseError for any other file."""
    path = Path(path)
    return Bench(open_frozen(path), study)


def _record(entry: Entry, row: tuple[Any, ...]) -> Record:
    seed, epochs, status, epoch, val_error_pct, val_loss, train_error_pct, train_loss, lr, train_s = row
    return Record(
        unit=entry.name, digest=entry.architecture, seed=seed, epoch=epoch, epochs=epochs,
        status=status if epoch == epochs else "running", val_error_pct=val_error_pct, val_loss=val_loss,
        train_error_pct=train_error_pct, train_loss=train_loss, lr=lr, train_s=train_s, params=entry.params, macs=entry.macs,
        memory_mib=entry.memory_mib,
    )  # fmt: skip


def _counts(run: Record, epoch: int | None) -> bool:
    """Return whether a run has a value for an epoch, or for the end. A run that diverged before is reported at its end; a run
    that a rung stopped has no end.
    """
    return run.status in ("complete", "diverged") if epoch is None else run.epoch == epoch or run.status == "diverged"


def _whole(value: int, name: str, low: int) -> int:
    """Return a value as int, also one of numpy's integers, which SQLite would store as bytes."""
    try:
        number = index(value)
    except TypeError:
        number = low - 1
    if not low <= number <= LARGEST:
        raise BadInput(f"{name}: expected a whole number from {low} to {LARGEST}, got {value!r}")
    return number


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its JSON columns parsed."""
    return {
        key: json.loads(value) if key in ("spec", "settings", "plugins") and value else value
        for key, value in row.items()
    }
