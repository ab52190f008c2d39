"""Searches that are charged for what they would have trained."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tabular_sample import WHERE, study

from resbench.errors import BadInput
from resbench.store.frozen.write import freeze
from resbench.store.records import EpochRecord, RecipeRecord, RunRecord, TrialRecord
from resbench.store.results.catalogue import put_environment, put_recipe
from resbench.store.results.runs import save_run
from resbench.store.results.studies import put_trial
from resbench.tabular import Bench, OutOfBudget, Simulation, load


def at_random(sim: Simulation) -> None:
    while True:
        sim.train(sim.random.choice(sim.units))


def test_a_run_costs_its_seconds_once_and_goes_on_where_it_stopped(bench: Bench) -> None:
    def search(sim: Simulation) -> None:
        sim.train("original", epoch=1, seed=1)
        sim.train("original", epoch=3, seed=1)
        sim.train("original", epoch=2, seed=1)  # is behind it
        sim.train("original", seed=1)
        sim.train("plain", seed=2)

    sim = bench.simulate(search, seconds=100)
    assert [step.seconds for step in sim.history] == pytest.approx([1.1, 3.3, 3.3, 4.4, 6.8])
    assert [step.epochs for step in sim.history] == [1, 3, 3, 4, 6]
    assert [step.record.status for step in sim.history] == ["running", "running", "running", "complete", "diverged"]


def test_one_network_by_two_recipes_is_two_units(tmp_path: Path) -> None:
    """Their digest is one; what is known of the one says nothing of the other."""
    engine = study(tmp_path / "two.db", units={"x": 20.0})
    put_recipe(engine, RecipeRecord("r2_b", "he2016_small", '{"lr":0.01}'))
    where = put_environment(engine, WHERE)
    trial = put_trial(engine, 1, TrialRecord(1, "x lr=0.01", "x", "resnet_cifar", {}, "a2_x", "r2_b", "d_a"))
    history = [EpochRecord(n, 0.1, 1.0, 1.0, 1.0, 5.0, 1.0) for n in range(1, 5)]
    record = RunRecord("a2_x", "r2_b", "d_a", 0, "complete", where, 5.0, epochs=4, train_s=4.0, history=history)
    save_run(engine, record, study_id=1, trial_id=trial)
    freeze(engine, "small", tmp_path / "two.frozen")
    engine.dispose()

    def search(sim: Simulation) -> None:
        sim.train("x", seed=0)
        sim.train("x lr=0.01", seed=0)

    with load(tmp_path / "two.frozen") as opened:
        sim = opened.simulate(search, seconds=100)
        assert (sim.epochs, sim.best(), sim.unseen("x").n) == (8, "x lr=0.01", 2)


def test_the_budget_is_exact(bench: Bench) -> None:
    def search(sim: Simulation) -> None:
        for seed in range(3):
            sim.train("original", seed=seed)

    assert len(bench.simulate(search, seconds=13.2).history) == 3
    sim = bench.simulate(search, seconds=13.1)
    assert (len(sim.history), sim.seconds) == (2, pytest.approx(8.4))
    assert len(bench.simulate(search, epochs=11).history) == 2
    assert len(bench.simulate(search, seconds=100, epochs=4).history) == 1


def test_a_search_that_goes_on_after_its_end_gets_nothing(bench: Bench) -> None:
    def search(sim: Simulation) -> None:
        for _ in range(10):
            try:
                sim.train("original")
            except OutOfBudget:
                with pytest.raises(OutOfBudget, match="the budget is spent"):
                    sim.train("plain", epoch=1)

    assert len(bench.simulate(search, epochs=9).history) == 2


def test_without_a_seed_those_that_have_not_run_come_first(bench: Bench) -> None:
    def search(sim: Simulation) -> None:
        for _ in range(3):
            sim.train("original")

    sim = bench.simulate(search, epochs=100)
    assert sorted(step.record.seed for step in sim.history) == [0, 1, 2]
    assert sim.unseen("original").n == 0
    assert (sim.unseen("plain").n, sim.unseen("plain").missing) == (3, 2)


def test_a_search_ends_when_there_is_nothing_left_to_train(bench: Bench) -> None:
    sim = bench.simulate(at_random, epochs=10_000)
    assert sim.epochs == 4 * 8 + 2, "every run once, one of them only to its end"
    assert sim.best() == "original"


def test_the_same_seed_searches_the_same(bench: Bench) -> None:
    first, second, other = (bench.simulate(at_random, epochs=20, seed=seed).history for seed in (3, 3, 4))
    assert first == second
    assert first != other


def test_what_was_chosen_is_judged_by_runs_that_were_not_seen(bench: Bench) -> None:
    def search(sim: Simulation) -> None:
        sim.train("original", seed=0)
        sim.train("plain", seed=2)
        sim.train("gated gate_bias=-6", epoch=2)  # not to its end, so it is not the best of anything

    sim = bench.simulate(search, epochs=100)
    assert sim.best() == "original"
    answer = sim.unseen("original")
    assert ([run.seed for run in answer.runs], answer.mean, answer.n) == ([1, 2], 8.5, 2)
    assert bench.simulate(lambda sim: sim.train("plain", seed=2), epochs=9).best() is None


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ({}, "budget: expected seconds=600, epochs=1000 or both, got none"),
        ({"seconds": 0}, r"seconds: expected a number above 0, got 0"),
        ({"epochs": -1}, r"epochs: expected a number above 0, got -1"),
        ({"seconds": float("nan")}, r"seconds: expected a number above 0, got nan"),
    ],
)
def test_a_budget_that_is_none(budget: dict[str, float], told: str, bench: Bench) -> None:
    with pytest.raises(BadInput, match=told):
        bench.simulate(at_random, **budget)  # type: ignore[arg-type]


def test_a_unit_and_a_seed_that_are_not_there(bench: Bench) -> None:
    with pytest.raises(BadInput, match="no unit or digest `orignal`"):
        bench.simulate(lambda sim: sim.train("orignal"), epochs=9)
    with pytest.raises(BadInput, match=r"bench\.db: plain: no run of seed 9; seeds: 0, 1, 2"):
        bench.simulate(lambda sim: sim.train("plain", seed=9), epochs=9)


def test_what_a_benchmark_does_not_hold_is_told_with_its_name(frozen_once: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(frozen_once.read_bytes())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE epoch SET train_s = NULL")
        connection.execute("UPDATE unit SET recipe = 'gone' WHERE name = 'original'")
    with load(path) as bench:
        with pytest.raises(BadInput, match=r"other\.db: plain, seed \d: its seconds were not recorded"):
            bench.simulate(lambda sim: sim.train("plain"), seconds=9)
        with pytest.raises(BadInput, match=r"other\.db: original: no run of it is finished"):
            bench.simulate(lambda sim: sim.train("original"), epochs=9)
