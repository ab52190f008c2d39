"""How a large database answers: 100 000 runs, 1 000 000 epochs -> seconds of each reading command, start-up included.

    python benchmarks/store_scale.py [--rounds 5] [--db FILE]

50 studies of 200 architectures x 10 seeds x 10 epochs, written through the real tables; each command in a process of its own, in
turns, medians with their range, and the CPU's own seconds, which other work on the machine disturbs less. Then a frozen file of
2 000 architectures x 5 seeds x 12 epochs: 10 000 random queries in one process.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median, quantiles
from typing import Any

from sqlalchemy import insert

from resbench.store.connection.transaction import writing
from resbench.store.open import Engine, open_store
from resbench.store.records import DataRecord, EnvironmentRecord, RecipeRecord, TestScore, canonical_json
from resbench.store.results.catalogue import put_data, put_environment, put_recipe
from resbench.store.results.studies import put_study
from resbench.store.schema.tables import (
    rb_architecture,
    rb_cost,
    rb_epoch,
    rb_run,
    rb_run_plan,
    rb_study_run,
    rb_test_score,
    rb_trial,
)

WHERE = EnvironmentRecord("0.1.0", None, None, "3.11.7", "2.15.0", "cpu", 1, True, False, {}, "Linux x86_64")
SPEC = canonical_json({"format": 1, "graphs": ["of a network of 56 layers " * 100]})  # 2.6 kB
WHEN = "2026-11-24T12:00:00Z"
AGGREGATE = "SELECT epoch, status, COUNT(*) AS n, AVG(val_error_pct) AS mean FROM v_epochs GROUP BY epoch, status"
PER_UNIT = "SELECT study, unit, MIN(val_error_pct) AS best FROM v_epochs GROUP BY study, unit"
Rows = list[dict[str, Any]]


def fill(engine: Engine, studies: int, units: int, seeds: int, epochs: int) -> None:
    """Studies of units of their own; a hundredth of the runs diverged."""
    draw = random.Random(0)
    put_recipe(engine, RecipeRecord("r2_made", "he2016_small", canonical_json({"fail_above": 20})))
    put_data(engine, DataRecord("d_made", "digits", "1x8x8", 10, 1117, 340, 340))
    where = put_environment(engine, WHERE)
    identity = {"recipe": "r2_made", "data": "d_made"}
    for study in range(studies):
        fixed = {
            "network": {"use": "resnet_cifar"},
            "data": "digits",
            "recipe": {},
            "limits": {},
            "data_digest": "d_made",
        }
        spec = {"fixed": fixed, "units": [], "seeds": list(range(seeds)), "doc": ""}
        study_id = put_study(engine, f"study{study}", canonical_json(spec), f"{study}")
        first = study * units
        digests = [f"a2_{draw.getrandbits(128):032x}" for _ in range(units)]
        trials = [
            {"id": first + i + 1, "study_id": study_id, "number": i, "name": f"unit{i}", "unit": f"unit{i}",
             "network": "resnet_cifar", "params": "{}", "architecture": digest, "active": True, **identity}
            for i, digest in enumerate(digests)
        ]  # fmt: skip
        architectures = [
            {"digest": d, "network": "resnet_cifar", "unit": f"unit{i}", "spec": SPEC, "params": 1000 + i, "created_at": WHEN}
            for i, d in enumerate(digests)
        ]  # fmt: skip
        costs = [{"architecture": d, "input_shape": "1x8x8", "macs": 10_000 + i} for i, d in enumerate(digests)]
        runs: Rows = []
        history: Rows = []
        for i, digest in enumerate(digests):
            for seed in range(seeds):
                run_id = first * seeds + i * seeds + seed + 1
                curve = list(_curve(draw, 3 + i / units, epochs))
                status = "diverged" if draw.random() < 0.01 else "complete"
                runs.append({
                    "id": run_id, "architecture": digest, **identity, "seed": seed, "status": status, "epochs": epochs,
                    "val_error_pct": curve[-1], "val_loss": curve[-1] / 30, "train_loss": curve[-1] / 40,
                    "train_s": 1.5 * epochs, "wall_s": 2.0 * epochs, "environment": where, "created_at": WHEN,
                })  # fmt: skip
                history += (
                    {"run_id": run_id, "epoch": epoch, "lr": 0.1, "train_loss": error / 40, "train_error_pct": error / 2,
                     "val_loss": error / 30, "val_error_pct": error, "train_s": 1.4 + draw.random() / 5}
                    for epoch, error in enumerate(curve, 1)
                )  # fmt: skip
        links = [
            {"study_id": study_id, "run_id": run["id"], "trial_id": first + (run["id"] - 1 - first * seeds) // seeds + 1}
            for run in runs
        ]  # fmt: skip
        scores = [{"run_id": run["id"], "sealed": TestScore(5.0, 0.1)} for run in runs]
        plans = [{"run_id": run["id"], "plan": '{"layout":"channels_last","threads":1,"width":10}'} for run in runs]
        with writing(engine) as connection:
            for table, rows in (
                (rb_architecture, architectures), (rb_cost, costs), (rb_trial, trials), (rb_run, runs), (rb_epoch, history),
                (rb_study_run, links), (rb_test_score, scores), (rb_run_plan, plans),
            ):  # fmt: skip
                connection.execute(insert(table), rows)


def _curve(draw: random.Random, end: float, epochs: int) -> Iterator[float]:
    """Validation errors in percent that fall towards `end`."""
    for epoch in range(1, epochs + 1):
        yield end + 60 / (epoch + 1) + draw.gauss(0, 0.3)


def seconds(db: Path, *words: str) -> tuple[float, float]:
    """One command in a process of its own: wall and CPU. Its output must be there."""
    command = [sys.executable, "-m", "resbench", *words, "--db", str(db)]
    began, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took, after = time.perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    if done.returncode or not done.stdout:
        raise SystemExit(f"{' '.join(words)}: status {done.returncode}: {done.stderr}")
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(db: Path, rounds: int) -> None:
    """Every command once a round, in turns; the first round warms up."""
    commands: dict[str, tuple[float | None, tuple[str, ...]]] = {
        "results top, 200 architectures x 10 seeds": (1, ("results", "top", "study25")),
        "results top --json": (1, ("results", "top", "study25", "--json")),
        "results compare of 5 units": (1, ("results", "compare", "study25", *(f"unit{i}" for i in range(0, 50, 10)))),
        "query, all epochs by epoch": (3, ("query", AGGREGATE)),
        "query, all epochs by unit": (3, ("query", PER_UNIT)),
        "query, one number (start-up)": (0.5, ("query", "SELECT 1")),
        "query, leaderboard of one study": (None, ("query", "SELECT * FROM v_leaderboard WHERE study = 'study25'")),
        "results list": (0.5, ("results", "list")),
        "results show": (0.5, ("results", "show", "50000")),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, (_, words) in commands.items():
            taken[name].append(seconds(db, *words))
        if not turn:
            taken = {name: [] for name in commands}
    for name, pairs in taken.items():
        times, cpu = [wall for wall, _ in pairs], median(cpu for _, cpu in pairs)
        target = commands[name][0]
        told = "" if target is None else f"  target {target} s: {'met' if median(times) < target else 'MISSED'}"
        print(
            f"{name:42} {median(times):6.2f} s  [{min(times):.2f}, {max(times):.2f}]  CPU {cpu:.2f} s  n = {rounds}{told}"
        )


def measure_frozen(folder: Path) -> None:
    """Queries of a unit by name or digest, of one seed or all, after any epoch."""
    from resbench.store.frozen.write import freeze
    from resbench.tabular import load

    engine = open_store(str(folder / "frozen_from.db"), create=True)
    fill(engine, 1, 2000, 5, 12)
    began = time.perf_counter()
    freeze(engine, "study0", folder / "bench.db")
    made = time.perf_counter() - began
    engine.dispose()
    began = time.perf_counter()
    with load(folder / "bench.db") as bench:
        opened = time.perf_counter() - began
        draw = random.Random(0)
        digests = {unit: bench.query(unit).digest for unit in bench.units}
        for words, seeds in (("one seed", range(5)), ("all five seeds", (None,))):
            taken = []
            for _ in range(10_000):
                unit, epoch, seed = draw.choice(list(digests)), draw.randint(1, 12), draw.choice(seeds)
                asked = digests[unit] if draw.random() < 0.5 else unit
                began = time.perf_counter()
                bench.query(asked, epoch=epoch, seed=seed)
                taken.append(1e3 * (time.perf_counter() - began))
            told = "met" if quantiles(taken, n=100)[98] < 1 else "MISSED"
            print(
                f"frozen, {words}: median {median(taken):.3f} ms, 99th percentile {quantiles(taken, n=100)[98]:.3f} ms, "
                f"largest {max(taken):.2f} ms, n = 10 000  target 1 ms: {told}"
            )
    size = (folder / "bench.db").stat().st_size / 1e6
    print(f"the frozen file: {size:.0f} MB, made in {made:.1f} s, opened in {1e3 * opened:.1f} ms (n = 1)")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--db", type=Path, help="made there, or was made before; else it is thrown away")
    options = parser.parse_args()
    os.environ.pop("RESBENCH_DB", None)
    with tempfile.TemporaryDirectory() as folder:
        db = options.db or Path(folder) / "large.db"
        if not db.exists():
            began = time.perf_counter()
            engine = open_store(str(db), create=True)
            fill(engine, 50, 200, 10, 10)
            engine.dispose()
            print(f"made in {time.perf_counter() - began:.0f} s")
        size = db.stat().st_size / 1e6
        print(f"{size:.0f} MB  target 250 MB: {'met' if size < 250 else 'MISSED'}")
        measure(db, options.rounds)
        measure_frozen(Path(folder))


if __name__ == "__main__":
    main()
