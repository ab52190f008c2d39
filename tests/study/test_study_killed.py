"""SIGKILL and Ctrl-C in the middle of a study: what was reported as saved is there, and the same command finishes."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import Database, Rb, one_core
from study_sample import trials

LONG = pytest.mark.long
SAVED = re.compile(r"\[(\d)/6\] (\w+), seed (\d): val error ([\d.]+) %")
WORDS = ("study", "run", "small.yaml", "seeds=3", "recipe.epochs=3", "recipe.batch=32")


def interrupt(folder: Path, by: signal.Signals) -> tuple[int, list[str]]:
    """Start the study, send the signal when the first run is told to be saved. Returns exit status and lines told."""
    if sys.platform == "win32":
        raise AssertionError("signals as here are POSIX")
    environment = {key: value for key, value in os.environ.items() if key != "RESBENCH_DB"}
    with one_core():
        process = subprocess.Popen(
            [sys.executable, "-m", "resbench", *WORDS], cwd=folder, env=environment, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
        )  # fmt: skip
    assert process.stderr is not None
    told: list[str] = []
    for line in process.stderr:
        told.append(line.rstrip("\n"))
        if line.startswith("[1/6]"):
            process.send_signal(by)
    process.stderr.close()
    return process.wait(60), told


@pytest.mark.long
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_study_stopped_in_the_middle_is_finished_by_the_same_command(
    by: signal.Signals, rb: Rb, small: Path, database: Database
) -> None:
    status, told = interrupt(small.parent, by)
    saved = [match.groups() for match in map(SAVED.match, told) if match]
    assert 1 <= len(saved) < 6
    if by == signal.SIGINT:
        assert status == 130
        stopped = re.fullmatch(
            r"stopped: (\d) of 6 new runs are saved; the same command goes on with the rest", told[-1]
        )
        assert stopped is not None
        assert len(saved) <= int(stopped[1]) <= database.one("SELECT COUNT(*) FROM rb_run")
        assert database.rows("SELECT * FROM rb_cell WHERE status = 'running'") == [], told
    else:
        assert status == -signal.SIGKILL

    kept = database.rows("SELECT run_id, unit, seed, val_error_pct, created_at FROM v_runs")
    found = {(unit, seed): f"{error:.2f}" for _, unit, seed, error, _ in kept}
    assert all(found[unit, int(seed)] == error for _, unit, seed, error in saved)

    finish = rb(*WORDS, "--json")
    assert finish.status == 0
    assert finish.err.startswith(f"{len(kept)} cached, {6 - len(kept)} new\n")
    rows = database.rows("SELECT run_id, unit, seed, val_error_pct, created_at FROM v_runs")
    assert set(kept) <= set(rows)
    assert sorted((unit, seed) for _, unit, seed, _, _ in rows) == [
        (u, s) for u in ("original", "plain") for s in range(3)
    ]
    assert database.one("SELECT COUNT(*) FROM rb_run") == 6
    assert database.rows("SELECT status FROM rb_cell WHERE status IN ('queued', 'running')") == []
    means = {row["unit"]: row["mean"] for row in finish.json}
    assert [(t.state.name, t.user_attrs["unit"]) for t in trials(database.path)] == [
        ("COMPLETE", "plain"),
        ("COMPLETE", "original"),
    ]
    assert [t.value for t in trials(database.path)] == [pytest.approx(means[unit]) for unit in ("plain", "original")]
    assert database.one("PRAGMA integrity_check") == "ok"


def test_a_study_cut_in_two_gives_the_numbers_of_one_in_a_piece(rb: Rb, small: Path, database: Database) -> None:
    numbers = "SELECT unit, seed, val_error_pct, val_loss, train_loss FROM v_runs ORDER BY unit, seed"
    for words in (["seeds=1"], []):
        assert rb("study", "run", "small.yaml", *words).status == 0
    in_two = database.rows(numbers)
    assert rb("study", "run", "small.yaml", "--db", "whole.db").status == 0
    assert Database(small.parent / "whole.db").rows(numbers) == in_two


@pytest.mark.parametrize(
    "plan",
    [
        "width: 3, workers: 0",
        pytest.param("width: 3, workers: 1", marks=LONG),
        pytest.param("width: 2, workers: 2", marks=LONG),
    ],
)
def test_a_run_that_is_killed_goes_on_at_its_checkpoint_to_the_last_bit(
    plan: str, rb: Rb, small: Path, database: Database
) -> None:
    """kill -9 as soon as a checkpoint of a random epoch lies there; the same command then finishes, and leaves no file."""
    if sys.platform == "win32":
        raise AssertionError("signals as here are POSIX")
    words = ["study", "run", "small.yaml", "units=[dropout_shortcut]", "seeds=3", "recipe.epochs=6"]
    words += ["recipe.batch=32", "recipe.checkpoint_every={epochs: 1}", f"recipe.plan={{{plan}, layout: contiguous}}"]
    assert rb(*words, "--db", "whole.db").status == 0
    folder = small.parent / "resbench.db.checkpoints"
    wanted = random.Random(plan).randint(2, 4)
    with one_core():
        process = subprocess.Popen(
            [sys.executable, "-m", "resbench", *words], cwd=small.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    while process.poll() is None:
        if folder.is_dir() and any(
            path.name.split(".")[1] in (str(wanted), str(wanted + 1)) for path in folder.iterdir()
        ):
            os.killpg(process.pid, signal.SIGKILL)
            break
        time.sleep(0.002)
    assert process.wait(60) == -signal.SIGKILL
    assert database.one("SELECT MAX(epoch) FROM rb_checkpoint") >= wanted - 1  # a file may have no row yet
    assert rb(*words).status == 0
    numbers = "SELECT unit, seed, epoch, train_loss, train_error_pct, val_loss, val_error_pct FROM v_epochs ORDER BY seed, epoch"
    assert database.rows(numbers) == Database(small.parent / "whole.db").rows(numbers)
    scores = "SELECT sealed FROM rb_test_score t JOIN rb_run r ON r.id = run_id ORDER BY seed"
    assert database.rows(scores) == Database(small.parent / "whole.db").rows(scores)
    assert not folder.exists()
    assert database.one("SELECT COUNT(*) FROM rb_checkpoint") == 0
