"""What a study costs over bare training: wall time of `run_study` over that of the loop alone, for cells of ten seconds or more.

    python benchmarks/overhead.py [PAIRS] [--epochs 12]

Both in this process, in turns, on the same two units, seeds, data and plan (one worker, one thread, the seeds as one network).
The study has what a user's has: an SQLite file, checkpoints, Optuna, every epoch told. Imports, building and measuring are told
apart.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from resbench.api.study.prepare import prepare

STUDY = """study: overhead
network: {{use: resnet_cifar, depth: 56, width: 4}}
units: [original, full_preactivation]
data: digits
recipe: {{use: he2016_small, epochs: {epochs}{plan}}}
seeds: 4
"""
PLAN = ", plan: {workers: 1, width: 4, layout: channels_last, threads: 1}"


class Quiet:
    """Nobody looks on."""

    def planned(self, cached: int, new: int) -> None: ...
    def epoch(self, unit: str, seed: int, of: int, epoch: int, error_pct: float | None) -> None: ...
    def saved(self, unit: str, seed: int, of: int, epochs: int, error_pct: float | None) -> None: ...
    def cell_failed(self, unit: str, error: str) -> None:
        raise SystemExit(error)

    def note(self, text: str) -> None: ...


def main() -> None:
    import torch

    from resbench.compiler.modules.stack import initialize_stack, stack
    from resbench.data.registry import load
    from resbench.store.open import open_store
    from resbench.study.request import RunOptions, StudyRequest
    from resbench.study.resources.local import LocalResources, data_record
    from resbench.study.run import run_study
    from resbench.train.execution.layout import ExecutionOptions
    from resbench.train.fit import Hooks, fit
    from resbench.workers.shutdown import handle_signals

    parser = argparse.ArgumentParser()
    parser.add_argument("pairs", nargs="?", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    cpu, data, seeds = torch.device("cpu"), load("digits"), (0, 1, 2, 3)

    def study(folder: Path, plan: str) -> float:
        (folder / "s.yaml").write_text(STUDY.format(epochs=options.epochs, plan=plan), "utf-8")
        prepared = prepare(str(folder / "s.yaml"), (), None)
        spec, points = prepared.spec, prepared.points
        began = time.perf_counter()
        url = f"sqlite:///{folder / 'x.db'}"
        engine = open_store(url, create=True)
        resources = LocalResources(data_record(spec), cpu, folder / "kept")
        with handle_signals() as shutdown:
            run = RunOptions(url=url)
            run_study(engine, StudyRequest(spec, points), resources, run, progress=Quiet(), shutdown=shutdown)
        engine.dispose()
        return time.perf_counter() - began

    def bare(folder: Path) -> tuple[float, float]:
        (folder / "s.yaml").write_text(STUDY.format(epochs=options.epochs, plan=PLAN), "utf-8")
        points = prepare(str(folder / "s.yaml"), (), None).points
        torch.set_num_threads(1)
        built, began = 0.0, time.perf_counter()
        for point in points:
            start = time.perf_counter()
            stacked = stack(point.bound, len(seeds))
            initialize_stack(stacked, seeds, point.recipe.init)
            built += time.perf_counter() - start
            fit(
                stacked,
                point.recipe,
                data,
                seeds,
                Hooks(lambda seed, epoch: None),
                way=ExecutionOptions("channels_last"),
            )
        return time.perf_counter() - began, built

    studies, loops, builds = [], [], []
    for pair in range(options.pairs + 1):
        for who in ("study", "bare") if pair % 2 else ("bare", "study"):
            with tempfile.TemporaryDirectory() as name:
                if who == "study":
                    studies.append(study(Path(name), PLAN))
                else:
                    seconds, built = bare(Path(name))
                    loops.append(seconds)
                    builds.append(built)
    ratios = [a / b for a, b in zip(studies[1:], loops[1:], strict=True)]  # the first warms up
    print(f"cells of {median(loops) / 2:.1f} s: study / bare loop, median {median(ratios):.3f}, "
          f"range {min(ratios):.3f} to {max(ratios):.3f}, n = {len(ratios)} pairs")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        print(
            f"with its plan measured, on all cores: {study(Path(name), ''):.1f} s (the bare loop {median(loops):.1f} s)"
        )
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "import resbench.study.resources.local, resbench.workers.train_cell"], check=True
    )
    print(f"apart: imports {time.perf_counter() - began:.1f} s, building the networks {median(builds):.2f} s")


if __name__ == "__main__":
    main()
