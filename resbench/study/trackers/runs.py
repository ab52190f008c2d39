"""A study in the database -> its runs as trackers take them.  Test scores are not read: they are sealed."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

from resbench.store.open import Engine
from resbench.store.records import TERMINAL_STATUSES, TRAINED_STATUSES, EpochRecord
from resbench.store.results.reading import RunDetail, StudyRun, run_detail, runs_of_study
from resbench.store.results.studies import get_study, trials_of_study
from resbench.study.trackers.tracked import Scalar, TrackedRun

_CURVES = tuple(name for name in EpochRecord.__slots__ if name != "epoch")
_ROW = ("val_error_pct", "val_loss", "train_loss", "epochs", "train_s", "wall_s", "params", "macs")


def tracked_runs(
    engine: Engine, study: str, seen: Collection[str], *, stopped: bool
) -> Iterator[tuple[str, Callable[[], TrackedRun]]]:
    """Yield runs that ended, by key, each with what reads the rest of it. `stopped`: also those that a search has
    stopped so far.
    """
    labels = {row.trial.number: row.trial.params for row in trials_of_study(engine, get_study(engine, study).id)}
    for run in runs_of_study(engine, study):
        if run.active and run.status in (TRAINED_STATUSES if stopped else TERMINAL_STATUSES):
            key = key_of(run)
            if key not in seen:
                yield key, partial(_read, engine, key, run, labels.get(run.trial, {}))


def key_of(run: StudyRun) -> str:
    """Return the key of a run under a unit's name, as far as it was trained: one trained further or again has another."""
    network = run.digest, run.recipe_digest, run.data_digest
    identity = (run.study, run.unit, *network, run.seed, run.epochs, run.created_at)
    return sha256(json.dumps(identity).encode()).hexdigest()[:16]


def _read(engine: Engine, key: str, run: StudyRun, labels: Mapping[str, Any]) -> TrackedRun:
    return _tracked(key, run, run_detail(engine, run.run_id), labels)


def _tracked(key: str, run: StudyRun, detail: RunDetail, labels: Mapping[str, Any]) -> TrackedRun:
    ended = datetime.strptime(run.created_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    own: dict[str, Scalar] = {
        "unit": run.unit, "network": run.network, "data": run.data, "recipe": run.recipe, "seed": run.seed,
        "architecture": run.digest, "recipe_digest": run.recipe_digest, "data_digest": run.data_digest,
        "chooses": not run.judges,
    }  # fmt: skip
    where = detail.environment
    tags = {"resbench": where.package_version, "torch": where.torch, "device": where.device, "platform": where.platform}
    if where.git_commit:
        tags["git_commit"] = where.git_commit
    if run.error:
        tags["error"] = run.error
    return TrackedRun(
        key=key,
        study=run.study,
        unit=run.unit,
        seed=run.seed,
        status=run.status,
        params=own
        | {str(name): str(label) for name, label in labels.items()}
        | _flat("recipe", json.loads(detail.recipe.spec)),
        curves=_curves(detail),
        row={name: float(value) for name in _ROW if (value := getattr(run, name)) is not None},
        tags=tags,
        began=ended - timedelta(seconds=run.wall_s or 0.0),
        ended=ended,
    )


def _curves(detail: RunDetail) -> dict[str, dict[int, float]]:
    curves: dict[str, dict[int, float]] = {}
    for epoch in detail.epochs:
        for name in _CURVES:
            value = getattr(epoch, name)
            if value is not None:
                curves.setdefault(name, {})[epoch.epoch] = float(value)
    return curves


def _flat(path: str, value: Any) -> dict[str, Scalar]:
    """Return every value below mappings by its dotted path; lists as text, and nothing of what is not set."""
    if isinstance(value, dict):
        return {name: scalar for key, item in value.items() for name, scalar in _flat(f"{path}.{key}", item).items()}
    if value is None:
        return {}
    return {path: value if isinstance(value, str | bool | int | float) else json.dumps(value)}
