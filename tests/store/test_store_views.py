"""The numbers of the views against numpy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from store_sample import Sample

from resbench.store.connection.transaction import reading
from resbench.store.records import ArchitectureRecord, TrialRecord
from resbench.store.results.catalogue import put_architecture
from resbench.store.results.studies import put_study, put_trial


def ask(sample: Sample, sql: str) -> list[dict[str, Any]]:
    with reading(sample.engine) as connection:
        return [dict(row) for row in connection.execute(text(sql)).mappings()]


def board(sample: Sample) -> dict[str, Any]:
    [row] = ask(sample, "SELECT * FROM v_leaderboard")
    return row


@pytest.mark.parametrize("scores", [[5.0], [5.0, 7.0], [6.61, 6.37, 6.5, 7.0, 6.2], [0.1, 0.2, 0.30000001, 90.0]])
def test_the_leaderboard_gives_the_moments(sample: Sample, scores: list[float]) -> None:
    for seed, score in enumerate(scores):
        sample.add(sample.record(seed, val_error_pct=score))
    row = board(sample)
    assert (row["n"], row["converged"], row["diverged"]) == (len(scores), len(scores), 0)
    assert row["mean"] == pytest.approx(np.mean(scores), rel=1e-14)
    assert row["median"] == pytest.approx(np.median(scores), rel=1e-14)
    assert (row["min"], row["max"]) == (min(scores), max(scores))
    if len(scores) > 1:
        assert row["std"] == pytest.approx(np.std(scores, ddof=1), rel=1e-12)
    else:
        assert row["std"] is None


def test_std_is_right_where_the_one_pass_formula_is_not(sample: Sample) -> None:
    scores = [50 + 1e-7 * k for k in range(8)]
    for seed, score in enumerate(scores):
        sample.add(sample.record(seed, val_error_pct=score))
    assert board(sample)["std"] == pytest.approx(np.std(scores, ddof=1), rel=1e-6)


def test_diverged_runs_are_counted_and_never_averaged(sample: Sample) -> None:
    for seed, score in enumerate([4.0, 6.0, 5.0]):
        sample.add(sample.record(seed, val_error_pct=score))
    sample.add(sample.record(3, status="diverged", val_error_pct=1.0))
    sample.add(sample.record(4, status="diverged", val_error_pct=None))
    sample.add(sample.record(5, status="stopped", val_error_pct=0.5))
    sample.add(sample.record(6, status="failed", val_error_pct=None))
    row = board(sample)
    assert [row[k] for k in ("n", "converged", "diverged", "stopped", "failed")] == [5, 3, 2, 1, 1]
    assert (row["mean"], row["std"], row["min"], row["max"]) == (5.0, 1.0, 4.0, 6.0)
    assert row["median"] == 6.0  # of 4, 5, 6, diverged, diverged


@pytest.mark.parametrize("diverged", [3, 4])
def test_a_median_that_falls_on_a_diverged_run_is_no_number(sample: Sample, diverged: int) -> None:
    for seed in range(3):
        sample.add(sample.record(seed))
    for seed in range(3, 3 + diverged):
        sample.add(sample.record(seed, status="diverged", val_error_pct=1.0))
    assert board(sample)["median"] is None


def test_where_nothing_converged_there_is_a_row_without_numbers(sample: Sample) -> None:
    sample.add(sample.record(0, status="diverged", val_error_pct=90.0))
    row = board(sample)
    assert (row["n"], row["converged"], row["mean"], row["std"], row["train_s"]) == (1, 0, None, None, None)


def test_costs_are_those_of_the_data_set(sample: Sample) -> None:
    sample.add(sample.record(0))
    assert [(row["params"], row["macs"]) for row in ask(sample, "SELECT * FROM v_runs")] == [(1000, 5000)]
    assert (board(sample)["params"], board(sample)["macs"], board(sample)["train_s"]) == (1000, 5000, 1.0)


def test_an_architecture_without_a_cost_is_still_shown(sample: Sample) -> None:
    trial = sample.trial(1, "other", "unpriced")
    sample.add(sample.record(0, architecture="unpriced"), trial)
    assert [row["macs"] for row in ask(sample, "SELECT * FROM v_runs")] == [None]


def test_one_architecture_under_two_names_has_two_rows_of_one_digest(sample: Sample) -> None:
    trial = sample.trial(1, "mine")
    run_id = sample.add(sample.record(0))
    assert sample.add(sample.record(0), trial) == run_id
    rows = ask(sample, "SELECT unit, digest, n FROM v_leaderboard ORDER BY unit")
    assert [tuple(row.values()) for row in rows] == [("mine", "arch", 1), ("pre", "arch", 1)]


def test_a_point_drawn_twice_is_counted_once(sample: Sample) -> None:
    again = sample.trial(1, "pre")
    sample.add(sample.record(0))
    sample.add(sample.record(0), again)
    assert [(row["unit"], row["trial"]) for row in ask(sample, "SELECT * FROM v_runs")] == [("pre", 0)]
    assert board(sample)["n"] == 1
    assert len(ask(sample, "SELECT * FROM v_epochs")) == 2


def test_studies_are_apart(sample: Sample) -> None:
    sample.add(sample.record(0))
    put_study(sample.engine, "empty", "{}", "d")
    assert ask(sample, "SELECT * FROM v_leaderboard WHERE study = 'empty'") == []


def test_epochs_carry_their_study_and_unit(sample: Sample) -> None:
    sample.add(sample.record(4))
    rows = ask(sample, "SELECT study, unit, seed, epoch, lr, val_error_pct FROM v_epochs ORDER BY epoch")
    assert [tuple(row.values()) for row in rows] == [("s", "pre", 4, 1, 0.1, 10.0), ("s", "pre", 4, 2, 0.05, 5.0)]


def test_a_unit_no_longer_wanted_is_marked(sample: Sample) -> None:
    trial = sample.trial(1, "left", "b", active=False)
    sample.add(sample.record(0, architecture="b"), trial)
    sample.add(sample.record(0))
    rows = ask(sample, "SELECT unit, active FROM v_leaderboard ORDER BY unit")
    assert [tuple(row.values()) for row in rows] == [("left", 0), ("pre", 1)]


def units(sample: Sample) -> list[dict[str, Any]]:
    return ask(sample, "SELECT * FROM v_units ORDER BY digest, input_shape")


def test_an_architecture_has_a_row_for_each_shape_that_it_has_met(sample: Sample) -> None:
    sample.add(sample.record(0))
    sample.add(sample.record(1, status="diverged", val_error_pct=None))
    sample.add(sample.record(2, status="failed", val_error_pct=None))
    small, large = units(sample)
    named = {key: small[key] for key in ("digest", "unit", "aliases", "network", "depth", "params", "memory_mib")}
    assert named == {"digest": "arch", "unit": "pre", "aliases": None, "network": "resnet20", "depth": 20, "params": 1000,
                     "memory_mib": None}  # fmt: skip
    counted = ("input_shape", "macs", "studies", "runs", "converged", "diverged")
    assert tuple(small[key] for key in counted) == ("1x8x8", 5000, 1, 2, 1, 1)
    assert tuple(large[key] for key in counted) == ("3x32x32", 80000, 0, 0, 0, 0)


def test_two_names_of_one_digest_are_aliases_in_whichever_study(sample: Sample) -> None:
    sample.trial(1, "mine")
    sample.trial(2, "mine")
    sample.trial(3, "a third")
    study = put_study(sample.engine, "other", "{}", "d")
    put_trial(sample.engine, study, TrialRecord(0, "pre", "pre", "resnet20", {}, "arch", "rec", "dat"))
    (row,) = [row for row in units(sample) if row["input_shape"] == "1x8x8"]
    assert (row["unit"], row["aliases"], row["studies"]) == ("a third", "mine, pre", 2)


def test_an_architecture_in_no_study_and_without_a_cost_is_there(sample: Sample) -> None:
    put_architecture(sample.engine, ArchitectureRecord("zzz", "net", "file", "{}", 7))
    row = units(sample)[-1]
    assert (row["digest"], row["unit"], row["input_shape"], row["macs"], row["runs"]) == ("zzz", "file", None, None, 0)
