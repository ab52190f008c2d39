"""Plain Optuna on SQLite hands one waiting trial to several processes; cells are claimed once.

python benchmarks/duplicates.py [--processes 3] [--trials 120]
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1] / "tests"


def of_optuna(path: str, answers: Any) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{path}")
    taken = []
    for _ in range(10_000):
        trial = study.ask()
        if "number" not in trial.user_attrs:  # one that nobody enqueued: there are no more
            break
        taken.append(trial.number)
        time.sleep(0.001)
    answers.put(taken)


def of_ours(path: str, answers: Any) -> None:
    from resbench.store.open import open_store
    from resbench.store.queue.cells import claim_cell

    engine = open_store(path, create=False)
    taken = []
    while (cell := claim_cell(engine, 1, multiprocessing.current_process().name)) is not None:
        taken.append(cell.id)
        time.sleep(0.001)
    answers.put(taken)


def measure(worker: Any, path: str, processes: int) -> list[int]:
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    crew = [context.Process(target=worker, args=(path, answers)) for _ in range(processes)]
    for each in crew:
        each.start()
    taken = [number for _ in crew for number in answers.get()]
    for each in crew:
        each.join()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--trials", type=int, default=120)
    options = parser.parse_args()
    import optuna

    from resbench.store.open import open_store
    from resbench.store.queue.cells import enqueue_cell

    sys.path[:0] = [str(TESTS / "store")]
    from store_sample import fill

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as name:
        theirs, ours = f"{name}/theirs.db", f"{name}/ours.db"
        study = optuna.create_study(storage=f"sqlite:///{theirs}", study_name="s")
        for number in range(options.trials):
            study.enqueue_trial({"x": number}, user_attrs={"number": number})
        sample = fill(open_store(ours, create=True))
        for seed in range(options.trials):
            enqueue_cell(sample.engine, sample.trial_id, [seed])
        for what, worker, path in (("Optuna", of_optuna, theirs), ("cells", of_ours, ours)):
            taken = measure(worker, path, options.processes)
            twice = sum(count > 1 for count in Counter(taken).values())
            print(
                f"{what}: {len(taken)} claims for {options.trials} by {options.processes} processes; {twice} taken more than once"
            )


if __name__ == "__main__":
    main()
