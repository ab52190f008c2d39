"""What a frozen file answers, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from math import inf
from pathlib import Path

import pytest
from tabular_sample import study

from resbench.errors import BadInput
from resbench.store.frozen.write import freeze
from resbench.tabular import Bench, load


def test_one_run_after_an_epoch(bench: Bench) -> None:
    run = bench.query("original", epoch=2, seed=1)
    assert (run.val_error_pct, run.train_error_pct, run.lr) == (28.0, 29.0, 0.1)
    assert (run.epoch, run.epochs, run.status) == (2, 4, "running")
    assert run.train_s == pytest.approx(2.2)
    assert (run.unit, run.digest, run.seed, run.params) == ("original", "a2_original", 1, 1001)
    assert (run.macs, run.memory_mib) == (5000, 0.25)
    assert bench.query("original", epoch=4, seed=1).status == "complete"
    assert bench.query("original", seed=1) == bench.query("original", epoch=4, seed=1)


def test_all_seeds_have_their_n_and_spread(bench: Bench) -> None:
    answer = bench.query("original")
    assert (answer.mean, answer.median, answer.std) == (8.0, 8.0, 1.0)
    assert (answer.n, answer.converged, answer.diverged, answer.missing) == (3, 3, 0, 2)
    assert [run.seed for run in answer.runs] == [0, 1, 2]
    assert answer.train_s == pytest.approx(4.4)
    assert str(answer) == (
        "original: val error 8.00 % (sd 1.00, n = 3, 0 diverged, 2 missing), 1,001 params, 5,000 MACs, 4.4 s of training"
    )
    assert bench.query("original", epoch=1).mean == 38.0


def test_a_run_that_diverged_is_counted_and_never_averaged_in(bench: Bench) -> None:
    answer = bench.query("plain")
    assert (answer.n, answer.converged, answer.diverged) == (3, 2, 1)
    assert (answer.mean, answer.median) == (9.5, 10.0)
    run = bench.query("plain", seed=2)
    assert (run.status, run.epoch, run.epochs, run.score) == ("diverged", 2, 2, inf)
    assert run.train_s == pytest.approx(2.4)
    early = bench.query("plain", epoch=1)
    assert (early.converged, early.diverged) == (3, 0), "before it diverged nobody knew"
    assert bench.query("plain", epoch=3, seed=2) == run, "it has nothing more to tell"


def test_names_and_digests(bench: Bench) -> None:
    assert bench.units == ("plain", "original", "gated gate_bias=-6")
    assert bench.query("a2_gated", seed=0) == bench.query("gated gate_bias=-6", seed=0)
    assert bench.studies == ("small",)
    assert bench.seeds("plain") == (0, 1, 2)
    assert bench.architecture("plain") == '{"n":1}'
    assert bench.count() == 9


def test_the_file_says_where_it_comes_from(bench: Bench) -> None:
    about = bench.about
    assert about["made_by"].startswith("resbench ")
    assert about["study"][0]["spec"]["doc"] == "Which?"
    assert about["data"][0]["settings"] == {"noise": 0.5}
    assert (about["environment"][0]["torch"], about["environment"][0]["plugins"]) == ("2.15.0", {})


@pytest.mark.parametrize(
    ("unit", "asked", "told"),
    [
        ("orignal", {}, "no unit or digest `orignal`; did you mean `original`?; units: plain, original, gated"),
        ("a2_", {}, "no unit or digest `a2_`"),
        ("plain", {"seed": 7}, "plain: no run of seed 7; seeds: 0, 1, 2"),
        ("original", {"epoch": 5}, "original: no run has an epoch 5; the longest has 4"),
        ("original", {"epoch": 5, "seed": 0}, "original, seed 0: no epoch 5; this run has 4"),
        ("plain", {"epoch": 0}, "epoch: expected a whole number from 1 to 9223372036854775807, got 0"),
        ("plain", {"epoch": 1.5}, "epoch: expected a whole number from 1 to 9223372036854775807, got 1.5"),
        ("plain", {"seed": "0"}, "seed: expected a whole number from 0 to 9223372036854775807, got '0'"),
        ("plain", {"seed": -1}, "seed: expected a whole number from 0 to 9223372036854775807, got -1"),
        (
            "plain",
            {"seed": 2**63},
            "seed: expected a whole number from 0 to 9223372036854775807, got 9223372036854775808",
        ),
        (
            "plain",
            {"epoch": 2**63},
            "epoch: expected a whole number from 1 to 9223372036854775807, got 9223372036854775808",
        ),
        ("\x1b[31m", {}, "no unit or digest `\\x1b[31m`"),
        (None, {}, "unit: expected a name, a digest, a file or the content of such a file, got None"),
    ],
)
def test_what_is_not_there(unit: str, asked: dict[str, int], told: str, bench: Bench) -> None:
    with pytest.raises(BadInput) as caught:
        bench.query(unit, **asked)  # type: ignore[call-overload]
    assert told in str(caught.value)


def test_whole_numbers_of_numpy_are_whole_numbers(bench: Bench) -> None:
    import numpy as np

    assert bench.query("plain", epoch=np.int64(1), seed=np.int32(1)) == bench.query("plain", epoch=1, seed=1)


def test_a_run_that_a_rung_stopped_tells_of_the_epochs_it_has(tmp_path: Path) -> None:
    engine = study(tmp_path / "results.db")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE rb_run SET status = 'stopped', epochs = 2 WHERE architecture = 'a2_gated' AND seed = 1"
        )
        connection.exec_driver_sql(
            "DELETE FROM rb_epoch WHERE epoch > 2 AND run_id = (SELECT id FROM rb_run WHERE status = 'stopped')"
        )
    freeze(engine, "small", tmp_path / "bench.db")
    engine.dispose()
    with load(tmp_path / "bench.db") as bench:
        answer = bench.query("a2_gated")
        assert ([run.seed for run in answer.runs], answer.mean, answer.missing) == ([0, 2], 9.0, 1)
        assert bench.query("a2_gated", epoch=2).n == 3
        assert (bench.query("a2_gated", seed=1).status, bench.query("a2_gated", seed=1).epoch) == ("stopped", 2)
        with pytest.raises(BadInput, match="seed 1: no epoch 3; this run has 2"):
            bench.query("a2_gated", epoch=3, seed=1)


def test_a_study_that_is_not_there(frozen_once: Path) -> None:
    with pytest.raises(BadInput, match=r"no study smll; did you mean `small`\?; it holds: small"):
        load(frozen_once, study="smll")
    with load(frozen_once, study="small") as bench:
        assert bench.query("plain").n == 3


def test_two_ways_of_training_one_digest_are_told_apart(tmp_path: Path) -> None:
    engine = study(tmp_path / "results.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO rb_recipe VALUES ('r2_b', 'other', '{}')")
        connection.exec_driver_sql("UPDATE rb_trial SET recipe = 'r2_b', architecture = 'a2_original' WHERE number = 2")
        connection.exec_driver_sql(
            "UPDATE rb_run SET recipe = 'r2_b', architecture = 'a2_original' WHERE architecture = 'a2_gated'"
        )
    freeze(engine, "small", tmp_path / "bench.db")
    engine.dispose()
    with load(tmp_path / "bench.db") as bench:
        assert bench.query("original").mean == 8.0
        assert bench.query("gated gate_bias=-6").mean == 9.0
        with pytest.raises(
            BadInput, match="`a2_original` is ambiguous: `original` of study small; `gated gate_bias=-6`"
        ):
            bench.query("a2_original")


def test_test_scores_are_not_in_the_file_and_no_query_has_them(bench: Bench) -> None:
    with pytest.raises(
        BadInput, match="holds no test scores; `resbench results freeze STUDY --with-test` includes them"
    ):
        bench.test("plain")
    assert not [
        name for name in (*bench.query("plain").__slots__, *bench.query("plain", seed=0).__slots__) if "test" in name
    ]


def test_test_scores_that_were_asked_for_stand_apart_and_the_look_is_recorded(tmp_path: Path) -> None:
    engine = study(tmp_path / "results.db")
    freeze(engine, "small", tmp_path / "bench.db", test_for="ann: a test")
    with engine.connect() as connection:
        looks = connection.exec_driver_sql("SELECT study_id, revealed_by FROM rb_reveal").fetchall()
    engine.dispose()
    assert looks == [(1, "ann: a test")]
    with load(tmp_path / "bench.db") as bench:
        answer = bench.test("plain")
        assert (answer.scores, answer.n, answer.mean, answer.std) == (((0, 10.0), (1, 10.0)), 2, 10.0, 0.0)
        assert bench.about["test_scores"] == "yes"


def test_names_are_looked_up_without_torch(frozen_once: Path) -> None:
    script = (
        "import sys, resbench\n"
        f"bench = resbench.tabular.load({str(frozen_once)!r})\n"
        "bench.query('plain'); bench.query('a2_plain', epoch=1, seed=0)\n"
        "bench.simulate(lambda sim: sim.train('plain'), epochs=9)\n"
        "print([name for name in ('torch', 'numpy', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_closed_benchmark_is_not_called_damaged(bench: Bench) -> None:
    unit = bench.units[0]
    bench.close()
    with pytest.raises(BadInput, match=r"the benchmark is closed; load it again$"):
        bench.query(unit)
