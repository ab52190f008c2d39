"""Made-up studies in a database, without training: many units, long names, runs that diverged; for pictures and the report."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resbench.store.open import Engine, open_store
from resbench.store.records import (
    ArchitectureRecord,
    DataRecord,
    EnvironmentRecord,
    EpochRecord,
    RecipeRecord,
    RunRecord,
    TrialRecord,
)
from resbench.store.results.catalogue import put_architecture, put_cost, put_data, put_environment, put_recipe
from resbench.store.results.runs import save_run
from resbench.store.results.studies import put_study, put_trial

ENVIRONMENT = EnvironmentRecord(
    "0.1.0", "abc", True, "3.11.7", "2.6.0", "cpu", 1, True, False, {"mine": "1.0"}, "Linux"
)
LONG = tuple(f"shortcut_{'very_' * (i % 7)}gated_number_{i} gate_bias=-{i} branch_scale=0.{i}" for i in range(20))
HOSTILE = (
    "<script>alert(1)</script>", "[/red] $x^2$ & \"quotes\" 'too'", "a" * 200, "</title><img src=x onerror=alert(2)>",
    "`tick` | pipe **bold**", "\x1b[31mred\x1b[0m\nnew line",
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A unit of a made-up study. `errors`: of each seed, None where it diverged. `depth` may be unknown."""

    name: str
    errors: tuple[float | None, ...]
    params: int = 54_000
    depth: int | None = 56
    spec: str = "{}"


def made(names: Sequence[str], *, seeds: int = 5, diverging: Mapping[int, int] | None = None) -> list[Made]:
    """Ever worse from the first on; of unit i, `diverging[i]` seeds diverged. Every third has the same cost."""
    draw = random.Random(0)
    units = []
    for i, name in enumerate(names):
        lost = (diverging or {}).get(i, 0)
        errors = [None if seed < lost else 2.0 * 1.2**i + draw.gauss(0, 0.3) for seed in range(seeds)]
        units.append(Made(name, tuple(errors), 54_000 + 1000 * (i % 3)))
    return units


def store(path: Path, units: Sequence[Made], *, doc: str = "A study", epochs: int = 4, **more: Any) -> Engine:
    """The study `s` of these units in a new database. `more`: what it says beside, such as `paired=True`."""
    engine = open_store(str(path), create=True)
    put_recipe(engine, RecipeRecord("r2_rec", "paper", json.dumps({"recipe": "paper", "epochs": epochs, "doc": doc})))
    put_data(engine, DataRecord("d1_dat", "digits", "1x8x8", 10, 1117, 340, 340))
    environment = put_environment(engine, ENVIRONMENT)
    seeds = list(range(max(len(unit.errors) for unit in units)))
    fixed = {"network": {"depth": 56, "use": "resnet_cifar"}, "data": "digits", "recipe": {"epochs": epochs}, **more}
    row = {"fixed": fixed, "units": [unit.name for unit in units], "seeds": seeds, "doc": doc}
    study_id = put_study(engine, "s", json.dumps(row), "digest of s")
    for i, unit in enumerate(units):
        digest = f"a2_{i:04d}"
        put_architecture(engine, ArchitectureRecord(digest, "resnet_cifar", "unit", unit.spec, unit.params, unit.depth))
        put_cost(engine, digest, "1x8x8", 10 * unit.params)
        trial = TrialRecord(i, unit.name, "unit", "resnet_cifar", {}, digest, "r2_rec", "d1_dat")
        trial_id = put_trial(engine, study_id, trial)
        for seed, error in enumerate(unit.errors):
            save_run(engine, _run(digest, seed, error, environment, epochs), study_id=study_id, trial_id=trial_id)
    return engine


def _run(digest: str, seed: int, error: float | None, environment: str, epochs: int) -> RunRecord:
    last = 90.0 if error is None else error
    history = tuple(
        EpochRecord(e, 0.1, 1.0, min(100.0, last * epochs / e + 1), 1.0, min(100.0, last * epochs / e), 0.5)
        for e in range(1, epochs + 1)
    )
    status = "diverged" if error is None else "complete"
    return RunRecord(
        digest, "r2_rec", "d1_dat", seed, status, environment, error, 1.0, 1.0, epochs, 2.0, 3.0, history=history
    )  # fmt: skip
