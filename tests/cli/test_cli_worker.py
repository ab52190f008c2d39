"""`resbench worker` and `study status`: beside a coordinator that trains nothing, and every wrong word."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from command_line import Database, Rb, one_core

from resbench.workers.shutdown import Shutdown, Stopped


@pytest.mark.long
def test_workers_train_what_a_coordinator_only_queues(rb: Rb, small: Path, database: Database) -> None:
    """The coordinator has no worker; cells with a tag go to the worker that has it."""
    words = [sys.executable, "-m", "resbench"]
    study = ["study", "run", "small.yaml", "--workers", "0", "recipe.plan={tags: [big], threads: 1}"]
    with one_core():
        coordinator = subprocess.Popen(
            [*words, *study], cwd=small.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        while not (database.path.exists() and _queued(database)):
            assert coordinator.poll() is None, coordinator.stderr and coordinator.stderr.read()
            time.sleep(0.05)
        status = rb("study", "status", "small", "--json").json
        assert status["cells"] == {"queued": 2, "running": 0, "done": 0, "failed": 0}
        assert status["coordinator"].split(":")[1] == str(coordinator.pid)
        assert (status["runs"], status["runs_left"], status["left_s"]) == (0, 4, None)
        told = rb("study", "status", "small").out
        assert "small: 0 runs; cells: 2 queued" in told
        assert "left: 4 runs; the time per run is not known yet" in told
        worker = subprocess.run(
            [*words, "worker", "--study", "small", "--tags", "big,fast", "--device", "cpu"], cwd=small.parent, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        assert worker.returncode == 0, worker.stderr
        out, err = coordinator.communicate(timeout=600)
    assert coordinator.returncode == 0, err
    assert b"small: val error in percent" in out
    assert err.decode().count("val error") == 4  # the coordinator tells what others have trained
    asked = "2 of 2 cells ask for the tags big, which no worker of this process has; they wait for `resbench worker --study NAME"
    assert err.decode().count(f"{asked} --tags big`") == 1
    assert f"process {coordinator.pid} on " in worker.stderr
    assert "4 runs saved; no cell is left to train" in worker.stderr
    assert database.rows("SELECT DISTINCT status, tags FROM rb_cell") == [("done", '["big"]')]
    done = rb("study", "status", "small")
    assert "small: 4 runs; cells: 2 done" in done.out
    assert "coordinator: none\n" in done.out


def _queued(database: Database) -> bool:
    import sqlite3

    try:
        return bool(database.rows("SELECT 1 FROM rb_cell WHERE status = 'queued' LIMIT 1 OFFSET 1"))
    except sqlite3.OperationalError:
        return False


@pytest.mark.usefixtures("ran")
def test_a_worker_with_nothing_to_do_leaves(rb: Rb) -> None:
    said = rb("worker", "--study", "small")
    assert (said.status, said.err) == (0, "0 runs saved; no cell is left to train\n")


@pytest.mark.usefixtures("ran")
def test_a_worker_at_its_time_limit_says_that_there_is_more(rb: Rb, database: Database) -> None:
    """A scheduler starts it again by the status."""
    database.change("UPDATE rb_cell SET status = 'queued'")
    said = rb("worker", "--study", "small", "--time-limit", "0.001")
    more = "0 runs saved; --time-limit 0.001 ended this worker, and the study has more to train\n"
    assert (said.status, said.err) == (6, more)
    database.change("UPDATE rb_cell SET status = 'done'")
    said = rb("worker", "--study", "small", "--time-limit", "0.001")
    assert (said.status, said.err) == (0, "0 runs saved; no cell is left to train\n")


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    ("limit", "status", "told"),
    [
        ("signal", 6, "a signal of --drain-on ended this worker, and the study has more to train"),
        ("cells", 0, "--max-cells 3 ended this worker, and the study has more to train"),
        (None, 0, "no cell is left to train"),
    ],
)
def test_each_end_has_its_status(
    rb: Rb, monkeypatch: pytest.MonkeyPatch, limit: str | None, status: int, told: str
) -> None:
    monkeypatch.setattr("resbench.workers.assist.run_worker", lambda *_: limit)
    said = rb("worker", "--study", "small", "--max-cells", "3")
    assert (said.status, said.err) == (status, f"0 runs saved; {told}\n")


@pytest.mark.usefixtures("ran")
def test_what_could_not_be_given_back_is_said(rb: Rb, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*words: object) -> None:
        stop = words[-1]
        assert isinstance(stop, Shutdown)
        stop.unreturned = 2
        raise Stopped(15)

    monkeypatch.setattr("resbench.workers.assist.run_worker", stopped)
    said = rb("worker", "--study", "small")
    assert said.status == 143
    assert "2 cells could not be given back and are queued again when their leases expire" in said.err


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--study", "smal"), "no study 'smal' in "),
        (
            ("--study", "small", "--tags", "a b"),
            "--tags: expected letters, digits, `_`, `.` and `-`, at most 64, got 'a b'",
        ),
        (("--study", "small", "--tags", ",".join("abcdefghi")), "--tags: expected at most 8 tags, got 9"),
        (
            ("--study", "small", "--time-limit", "4x"),
            "--time-limit: expected a time such as 90s, 45m, 12h or 2d, got 4x",
        ),
        (
            ("--study", "small", "--time-limit", "-1"),
            "--time-limit: expected a time such as 90s, 45m, 12h or 2d, got -1",
        ),
        (("--study", "small", "--drain-on", "KILL"), "--drain-on: expected USR1, USR2, HUP, got KILL"),
    ],
)
def test_wrong_words(rb: Rb, words: tuple[str, ...], told: str) -> None:
    said = rb("worker", *words)
    assert said.status == 2
    assert told in said.err


def test_a_worker_makes_no_database(rb: Rb, tmp_path: Path) -> None:
    said = rb("worker", "--study", "small")
    assert said.status == 4
    assert not (tmp_path / "resbench.db").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--executor", "rey"), "--executor: expected local or ray, got rey; did you mean `ray`?"),
        (("--address", "here:1"), "--address and --gpus-per-worker apply only to `--executor ray`"),
    ],
)
def test_wrong_executors(rb: Rb, small: Path, words: tuple[str, ...], told: str) -> None:
    said = rb("study", "run", "small.yaml", *words)
    assert said.status == 2
    assert told in said.err
    assert not (small.parent / "resbench.db").exists()


@pytest.mark.usefixtures("ran")
def test_failures_are_told_with_their_kind(rb: Rb, database: Database) -> None:
    database.change(
        "UPDATE rb_cell SET status = 'failed', error = 'Traceback\n  x\nValueError: [/red] no' WHERE id = 1"
    )
    database.change("UPDATE rb_attempt SET outcome = 'failed', kind = 'error' WHERE cell_id = 1")
    said = rb("study", "status", "small")
    assert "FAILED plain, seeds 0–1 (error): ValueError: [/red] no" in said.out
    assert rb("study", "status", "small", "--json").json["failed"][0]["attempts"] == 1


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize("limit", [(), ("--time-limit", "1s")])
def test_a_worker_whose_tags_fit_no_cell_says_which_are_asked_for_and_leaves(
    limit: tuple[str, ...], rb: Rb, database: Database
) -> None:
    """Nobody coordinates the study, so no other cell will come: a scheduler is not to start it again."""
    database.change("UPDATE rb_cell SET status = 'queued', tags = '[\"big\",\"fast\"]'")
    said = rb("worker", "--study", "small", "--tags", "gpu,fast", *limit)
    assert said.status == 0
    assert said.err == (
        "--tags: expected big,fast, which the 2 cells that are left ask for, got gpu, fast; this worker trains none of them: "
        "start one with these tags\n0 runs saved; no cell is left to train\n"
    )
    assert database.rows("SELECT DISTINCT status FROM rb_cell") == [("queued",)]


@pytest.mark.usefixtures("ran")
def test_a_worker_that_waits_beside_a_coordinator_is_not_started_again_for_cells_of_others(
    rb: Rb, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resbench.workers import assist

    beside = SimpleNamespace(worker=SimpleNamespace(pid=1, host="there"))
    monkeypatch.setattr(assist, "find_coordinator", lambda *_: beside)
    database.change("UPDATE rb_cell SET status = 'queued', tags = '[\"big\"]'")
    said = rb("worker", "--study", "small", "--time-limit", "0.001")
    assert said.status == 0
    assert said.err.count("--tags: expected big, which the 2 cells that are left ask for, got no tags") == 1
    assert said.err.endswith("0 runs saved; the remaining cells require tags that this worker does not have\n")
    said = rb("worker", "--study", "small", "--time-limit", "0.001", "--tags", "big")
    assert (said.status, "expected" in said.err) == (6, False)
