"""How many workers one database and one coordinator serve: simulated workers on a real Postgres server, and the cost of an ask.

python benchmarks/scale.py cells [--workers 200] [--cells 4000]     cells/s claimed, saved and finished; fsync and
                                                                     synchronous_commit on
python benchmarks/scale.py asks                                      the coordinator's cost of a trial at 100 and at 10 000
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import text

from resbench.store.connection.transaction import reading
from resbench.store.open import open_store
from resbench.store.queue.cells import claim_cell, end_attempt, enqueue_cell
from resbench.store.queue.leases import renew_leases
from resbench.store.records import Ending
from resbench.store.results.runs import save_runs_of

TESTS = Path(__file__).parents[1] / "tests"


def cells(workers: int, count: int, processes: int) -> None:
    """Each worker has connections of its own, claims, saves one run of two epochs, ends the cell, and beats every 10 s."""
    sys.path[:0] = [str(TESTS), str(TESTS / "store")]
    from postgres_server import serve
    from store_sample import fill

    safe = (
        "fsync=on",
        "synchronous_commit=on",
        "full_page_writes=on",
        "autovacuum=on",
        f"max_connections={2 * workers + 20}",
    )
    with serve(*safe) as server:
        url = server.new()
        sample = fill(open_store(url, create=True))
        began = time.perf_counter()
        for seed in range(count):
            enqueue_cell(sample.engine, sample.trial_id, [seed])
        print(f"enqueued: {count / (time.perf_counter() - began):.0f} cells/s")
        context = multiprocessing.get_context("spawn")
        ready, answers = context.Barrier(processes + 1), context.SimpleQueue()
        crews = [
            context.Process(target=crew, args=(url, workers // processes, number, ready, answers))
            for number in range(processes)
        ]
        for each in crews:
            each.start()
        ready.wait()
        began = time.perf_counter()
        told = [answers.get() for _ in crews]
        took = time.perf_counter() - began
        for each in crews:
            each.join()
        with reading(sample.engine) as connection:
            runs = connection.execute(text("SELECT COUNT(*) FROM rb_run")).scalar()
            twice = connection.execute(
                text("SELECT COUNT(*) FROM rb_cell WHERE token <> 1 OR status <> 'done'")
            ).scalar()
        done, errors = [n for some, _ in told for n in some], [error for _, some in told for error in some]
        print(f"{len(done)} workers: {count / took:.0f} cells/s claimed, saved and finished ({count} in {took:.1f} s)")
        print(
            f"runs {runs}, claimed twice or open {twice}, errors {errors[:3] or 'none'}, of a worker {min(done)} to {max(done)}"
        )
        sample.engine.dispose()


def crew(url: str, workers: int, number: int, ready: Any, answers: Any) -> None:
    """Threads, each a worker."""
    sys.path[:0] = [str(TESTS / "store")]
    from store_sample import Sample

    errors: list[str] = []
    done = [0] * workers
    start = threading.Barrier(workers + 1)

    def work(which: int) -> None:
        engine, name = open_store(url, create=False), f"w{number}-{which}"
        with reading(engine) as connection:
            environment = str(connection.execute(text("SELECT digest FROM rb_environment")).scalar())
        sample = Sample(engine, 1, 1, environment)
        start.wait()
        beaten = time.monotonic()
        try:
            while (cell := claim_cell(engine, 1, name)) is not None:
                save_runs_of(engine, [sample.record(cell.seeds[0])], cell, 1, "key")
                if not end_attempt(engine, cell, Ending("done", reached=2)):
                    errors.append("lost a cell")
                done[which] += 1
                if time.monotonic() - beaten > 10:
                    renew_leases(engine, name, 60.0)
                    beaten = time.monotonic()
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
        engine.dispose()

    threads = [threading.Thread(target=work, args=(which,)) for which in range(workers)]
    for thread in threads:
        thread.start()
    ready.wait()
    start.wait()
    for thread in threads:
        thread.join()
    answers.put((done, errors))


def asks() -> None:
    """Median of 30 asks after so many trials that are under way, on SQLite; and of TPE's own ask after so many that are done."""
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution
    from optuna.trial import TrialState, create_trial

    from resbench.study.optuna_mirror import add, open_optuna

    choice = {f"unit.u.p{i}": CategoricalDistribution(("a", "b", "c")) for i in range(3)}
    with tempfile.TemporaryDirectory() as name:
        for kind in ("grid or random", "TPE"):
            seconds: dict[int, float] = {}
            searching = open_optuna(f"sqlite:///{name}/{kind[:3]}.db", "s")
            study = searching.study
            space = FloatDistribution(0, 1)
            for size in (100, 10_000):
                have = len(study.get_trials(deepcopy=False))
                if kind == "TPE":
                    study.add_trials([
                        create_trial(value=(x := (i * 0.37) % 1), params={"x": x}, distributions={"x": space})
                        for i in range(have, size)
                    ])  # fmt: skip
                else:
                    study.add_trials([create_trial(state=TrialState.RUNNING) for _ in range(have, size)])
                times = []
                if kind == "TPE":
                    study.sampler = optuna.samplers.TPESampler(seed=0)
                for _ in range(30):
                    began = time.perf_counter()
                    if kind == "TPE":
                        trial = study.ask({"x": space})
                        times.append(time.perf_counter() - began)
                        study.tell(trial, 0.5)
                    else:
                        add(searching, dict.fromkeys(choice, "a"), choice, {"unit": "u"})
                        times.append(time.perf_counter() - began)
                seconds[size] = median(times)
            told = ", ".join(f"{1000 * s:.1f} ms at trial {size}" for size, s in seconds.items())
            print(f"{kind}: {told}; ratio {seconds[10_000] / seconds[100]:.2f} (n = 30 each)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("cells", "asks"))
    parser.add_argument("--workers", type=int, default=200)
    parser.add_argument("--cells", type=int, default=4000)
    parser.add_argument("--processes", type=int, default=4, help="that the threads are spread over: one has one lock")
    options = parser.parse_args()
    if options.what == "cells":
        cells(options.workers, options.cells, options.processes)
    else:
        asks()


if __name__ == "__main__":
    main()
