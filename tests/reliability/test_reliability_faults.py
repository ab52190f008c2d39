"""What is done to a study from outside, and to a cell from inside: the same command finishes it, and nothing is lost."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from harness import Running, Scene, Stage

from resbench.store.checkpoints.place import claim, own_place

LONG = pytest.mark.long  # `make test` keeps one of each kind of accident
EPOCHS = 6 * 4  # of a scene of three units, two blocks, four epochs
RUNNING = "SELECT id, claimed_by FROM rb_cell WHERE status = 'running'"


def in_the_middle(scene: Scene, running: Running, epochs: int = 5) -> None:
    """Until some epochs are trained."""
    deadline = time.monotonic() + 600
    while scene.epochs_trained() < epochs:
        assert running.status() is None, scene.told()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def pause(scene: Scene, running: Running) -> None:
    """Between two of its transactions: whoever is paused within one keeps SQLite's lock, and all others wait."""
    while True:
        running.pause()
        try:
            with closing(sqlite3.connect(scene.folder / "r.db", isolation_level=None, timeout=0.2)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
            return
        except sqlite3.OperationalError:
            running.send(signal.SIGCONT, group=True)
            time.sleep(0.05)


def attempts(scene: Scene, kind: str) -> int:
    return int(scene.rows(f"SELECT COUNT(*) FROM rb_attempt WHERE kind = '{kind}'")[0][0])


@pytest.fixture
def slow(stage: Stage) -> Scene:
    return stage(width=2, seeds=3, step_s=0.1)


def test_a_child_that_is_killed_is_replaced_and_its_cell_goes_on(slow: Scene) -> None:
    running = slow.start()
    in_the_middle(slow, running)
    os.kill(running.children()[0], signal.SIGKILL)
    assert running.wait() == 0
    slow.check()
    assert attempts(slow, "killed") == 1
    assert slow.rows("SELECT MAX(token) FROM rb_cell") == [(2,)]
    assert slow.epochs_trained() <= EPOCHS + 1


def test_sigterm_keeps_what_is_under_way_and_is_no_failure(slow: Scene) -> None:
    running = slow.start()
    in_the_middle(slow, running)
    running.send(signal.SIGTERM)
    assert running.wait() == 143
    assert slow.rows(RUNNING) == []
    assert attempts(slow, "stopped") == 2
    assert slow.rows("SELECT name FROM rb_worker WHERE ended_at IS NULL") == []
    assert slow.finish() == [0]
    slow.check()
    assert slow.epochs_trained() == EPOCHS  # nothing was trained twice


@pytest.mark.long
def test_ctrl_c_once_is_as_sigterm_for_all(slow: Scene) -> None:
    running = slow.start()
    in_the_middle(slow, running)
    running.send(signal.SIGINT, group=True)  # as a terminal does
    assert running.wait() == 130
    assert slow.rows(RUNNING) == []
    assert slow.finish() == [0]
    slow.check()
    assert slow.epochs_trained() == EPOCHS


@pytest.mark.long
def test_ctrl_c_twice_stops_at_once_and_gives_the_leases_back(stage: Stage) -> None:
    scene = stage(width=2, seeds=3, step_s=5)
    running = scene.start()
    scene.wait_for(RUNNING)
    running.send(signal.SIGINT, group=True)
    time.sleep(0.2)
    assert running.status() is None
    running.send(signal.SIGINT, group=True)
    assert running.wait(4) == 130  # long before an epoch is over
    assert scene.rows(RUNNING) == []
    assert running.children() == []
    assert scene.finish(step_s=0) == [0]
    scene.check()


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=LONG)], ids=["SIGTERM", "Ctrl-C"])
def test_a_hundred_signals_give_back_what_one_does(stage: Stage, number: signal.Signals) -> None:
    """As a scheduler and its script send them, within a second: none cuts what gives the cells back."""
    scene = stage(width=2, seeds=3, step_s=5)
    running = scene.start({"RESBENCH_FAILPOINTS": "cell.ending=sleep:0.2"})
    scene.wait_for(f"{RUNNING} LIMIT 1 OFFSET 1")
    while running.status() is None:
        running.send(number, group=True)
        time.sleep(0.01)
    assert running.status() in (128 + number, -number)  # by itself, or in its last steps, where nothing is held
    assert scene.rows(RUNNING) == []
    assert scene.rows("SELECT DISTINCT outcome, kind FROM rb_attempt") == [("given_back", "stopped")]
    assert scene.rows("SELECT name FROM rb_worker WHERE ended_at IS NULL") == []
    assert scene.finish(step_s=0) == [0]
    scene.check()
    assert attempts(scene, "lost") == 0


def test_a_machine_that_was_paused_overwrites_nothing(slow: Scene) -> None:
    """SIGSTOP for longer than the lease; a second `study run` takes over cells and role; the first wakes up."""
    first = slow.start(lease_s=1.0)
    in_the_middle(slow, first)
    pause(slow, first)
    second = slow.start(lease_s=1.0)
    slow.wait_for("SELECT cell_id FROM rb_attempt WHERE kind = 'lost'")
    slow.wait_for(
        "SELECT cell_id FROM rb_attempt WHERE token = 2 AND outcome = 'running' OR outcome = 'done' AND token = 2"
    )
    first.send(signal.SIGCONT, group=True)
    assert (second.wait(), first.wait()) == (0, 0)
    slow.check()
    assert slow.rows("SELECT COUNT(*) FROM rb_attempt WHERE kind = 'lost'") == [(2,)]


def test_children_end_with_their_supervisor(slow: Scene) -> None:
    running = slow.start()
    in_the_middle(slow, running)
    children = running.children()
    assert len(children) == 2
    running.send(signal.SIGKILL)
    deadline = time.monotonic() + 600
    while any(Path(f"/proc/{pid}").exists() for pid in children):
        assert time.monotonic() < deadline, "children live on"
        time.sleep(0.01)
    assert slow.finish() == [0]
    slow.check()
    assert slow.epochs_trained() <= EPOCHS + 2


@pytest.mark.long
def test_on_the_same_machine_nobody_waits_for_the_lease_of_the_dead(slow: Scene) -> None:
    """Cells and role are taken over at once, though their leases last for ten minutes."""
    running = slow.start(lease_s=600.0)
    in_the_middle(slow, running)
    running.send(signal.SIGKILL, group=True)
    running.wait()
    assert slow.finish(lease_s=600.0) == [0]
    slow.check()
    assert attempts(slow, "lost") == 2


@pytest.mark.long
def test_cells_longer_than_the_lease_keep_it(stage: Stage) -> None:
    """It is renewed for as long as they take, so a second `study run` takes none of them."""
    scene = stage(width=2, seeds=3, step_s=0.5, lease_s=0.9)
    runs = [scene.start(), scene.start()]
    assert [running.wait() for running in runs] == [0, 0]
    scene.check()
    assert scene.rows("SELECT MAX(token) FROM rb_cell") == [(1,)]


def test_a_second_study_run_adds_workers_and_takes_over(slow: Scene) -> None:
    first = slow.start()
    in_the_middle(slow, first, 2)
    second = slow.start()
    slow.wait_for(
        "SELECT claimed_by FROM rb_cell WHERE status = 'running' GROUP BY claimed_by HAVING COUNT(*) > 0 LIMIT 1 OFFSET 1"
    )
    first.send(signal.SIGKILL, group=True)
    assert second.wait() == 0
    assert "runs this study; this one trains beside it" in second.err.read_text()
    slow.check()
    assert slow.epochs_trained() <= EPOCHS + 2


def test_a_database_that_another_holds_is_a_delay_only(slow: Scene) -> None:
    running = slow.start()
    in_the_middle(slow, running, 3)
    with closing(sqlite3.connect(slow.folder / "r.db", isolation_level=None, timeout=300)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(3)
        connection.execute("ROLLBACK")
    assert running.wait() == 0
    slow.check()
    assert slow.rows("SELECT MAX(token) FROM rb_cell") == [(1,)]


def test_a_full_disc_that_stays_full_stops_the_study_and_burns_no_trial(slow: Scene) -> None:
    size = (slow.folder / "r.db").stat().st_size
    running = slow.start({"RESBENCH_PATIENCE_S": "1"}, fsize=size + 4096)
    assert running.wait() == 5
    assert "the disc is full or fails" in running.err.read_text()
    with closing(sqlite3.connect(slow.folder / "r.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert slow.rows("SELECT id FROM rb_cell WHERE status = 'failed' AND error <> 'given up: planned again'") == []
    assert slow.finish() == [0]
    slow.check()


@pytest.mark.long
def test_a_full_disc_that_gets_room_again_is_a_delay_only(slow: Scene) -> None:
    size = (slow.folder / "r.db").stat().st_size
    running = slow.start({"RESBENCH_PATIENCE_S": "60"}, fsize=size + 4096)
    deadline = time.monotonic() + 600
    while "waiting up to 60 s" not in running.err.read_text():
        assert running.status() is None, slow.told()
        assert time.monotonic() < deadline, slow.told()
        time.sleep(0.05)
    for pid in (running.pid, *running.children()):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert running.wait() == 0
    slow.check()


@pytest.mark.parametrize(
    ("fault", "kind", "tries"),
    [
        ("segfault", "crash", 2),
        pytest.param("error", "error", 1, marks=LONG),
        pytest.param("oom", "oom", 2, marks=LONG),
        pytest.param("exit", "crash", 2, marks=LONG),
        pytest.param("kill", "killed", 5, marks=LONG),
    ],
)
def test_a_cell_that_fails_stops_no_other_and_says_how(stage: Stage, fault: str, kind: str, tries: int) -> None:
    scene = stage(units=("original", "plain"), faults={"1": fault})
    assert scene.start().wait() == 1
    failed = scene.rows("SELECT c.id, c.status, a.kind, a.token FROM rb_cell c JOIN rb_attempt a ON a.cell_id = c.id "
                        "AND a.token = c.token WHERE c.status = 'failed' ORDER BY c.id")  # fmt: skip
    assert [row[1:] for row in failed] == [("failed", kind, tries)] * 2
    assert scene.rows("SELECT DISTINCT seed FROM rb_run") == [(0,)]
    assert scene.told().count("FAILED ") == 2
    assert scene.finish(faults={}) == [0]  # the same command tries again
    scene.check()


@pytest.mark.parametrize(
    ("fault", "kind", "limits"),
    [
        ("hang", "stalled", {"stall_s": 0.5}),
        pytest.param("hang", "over_time", {"cell_s": 0.7}, marks=LONG),
        pytest.param("grow", "oom", {"memory_mib": 300}, marks=LONG),
    ],
)
def test_a_cell_over_its_limits_is_ended(stage: Stage, fault: str, kind: str, limits: dict[str, float]) -> None:
    scene = stage(units=("original",), faults={"1": fault}, cell=limits)
    assert scene.start().wait() == 1
    ((_, told),) = scene.rows("SELECT outcome, error FROM rb_attempt WHERE outcome = 'failed'")
    assert attempts(scene, kind) == (1 if kind == "over_time" else 2)
    assert f"plan.{next(iter(limits))}" in told
    assert scene.rows("SELECT seed FROM rb_run") == [(0,)]
    assert scene.finish(faults={}) == [0]
    scene.check()


def test_a_fault_that_passes_costs_an_attempt_and_no_run(stage: Stage) -> None:
    scene = stage(faults={"0": "once:oom", "1": "once:segfault"}, units=("original",))
    assert scene.finish() == [0]
    scene.check()
    assert (attempts(scene, "oom"), attempts(scene, "crash")) == (1, 1)


@pytest.mark.long
def test_checkpoints_that_cannot_be_written_are_told_of_and_the_study_goes_on(stage: Stage) -> None:
    scene = stage(units=("original",))
    Path(scene.fake.folder).write_text("a file, where the folder should be")
    assert scene.finish() == [0]
    assert "no checkpoint could be written" in scene.told()
    Path(scene.fake.folder).unlink()
    scene.check()


@pytest.mark.long
def test_what_a_kill_left_in_the_folder_of_checkpoints_is_swept(stage: Stage) -> None:
    scene = stage(units=("original",))
    folder = Path(scene.fake.folder)
    claim(scene.engine, folder)
    own_place(scene.engine, folder, make=True)
    for name in (f"{'0' * 32}.3.1.99.tmp", f"{'1' * 32}.3.1", f"{'2' * 32}.3.99.tmp"):
        (folder / name).write_bytes(b"half")
    assert scene.finish() == [0]
    scene.check()


def test_a_folder_of_somebody_else_is_refused_before_anything_is_trained(stage: Stage) -> None:
    scene = stage(units=("original",))
    folder = Path(scene.fake.folder)
    folder.mkdir()
    (folder / "thesis.v2.tex").write_text("years")
    assert scene.start().wait() == 2
    assert "expected a new or an empty folder for checkpoints, got one that holds thesis.v2.tex" in scene.told()
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("thesis.v2.tex", "years")]
    assert scene.rows("SELECT COUNT(*) FROM rb_cell") == [(0,)]


def test_a_corrupt_database_is_left_as_it_is(slow: Scene) -> None:
    assert slow.finish(step_s=0) == [0]
    slow.engine.dispose()
    path = slow.folder / "r.db"
    content = bytearray(path.read_bytes())
    for page in range(8, len(content) // 4096, 2):
        content[page * 4096 : page * 4096 + 2000] = b"\xa5" * 2000
    path.write_bytes(content)
    running = slow.start()
    assert running.wait() == 4
    assert "resbench db backup" in running.err.read_text()
    assert path.read_bytes() == bytes(content)


@pytest.mark.long
def test_a_database_that_vanishes_stops_the_study(slow: Scene) -> None:
    running = slow.start({"RESBENCH_PATIENCE_S": "1"})
    in_the_middle(slow, running, 3)
    slow.engine.dispose()
    (slow.folder / "r.db").rename(slow.folder / "elsewhere.db")
    assert running.wait() == 4
    (slow.folder / "elsewhere.db").rename(slow.folder / "r.db")
    assert slow.finish() == [0]
    slow.check()


def test_failpoints_are_silent_without_the_variable_and_loud_with_a_wrong_one() -> None:
    command = [sys.executable, "-c", "from resbench.failpoints import Failpoint, reach; [reach(p) for p in Failpoint]"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RESBENCH_")}
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    wrong = subprocess.run(
        command, env=environment | {"RESBENCH_FAILPOINTS": "beat=explode"}, capture_output=True, text=True, check=False
    )
    assert "RESBENCH_FAILPOINTS" in wrong.stderr
    killed = subprocess.run(command, env=environment | {"RESBENCH_FAILPOINTS": "beat=kill"}, check=False)
    assert killed.returncode == -signal.SIGKILL
