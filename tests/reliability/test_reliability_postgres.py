"""The same on a real Postgres server, which restarts, crashes, goes away, and has no connection left."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
from harness import Running, Scene, Stage
from postgres_server import Server, serve
from test_reliability_faults import EPOCHS, attempts, in_the_middle

from resbench.store.open import open_store
from resbench.store.optuna.storage import optuna_storage

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def crashing() -> Iterator[Server]:
    """A server of this module's own, since it is restarted."""
    with serve("max_connections=40") as server:
        yield server


@pytest.fixture
def slow(crashing: Server, stage: Stage) -> Iterator[Scene]:
    url = crashing.new()
    open_store(url, create=True).dispose()
    optuna_storage(url).engine.dispose()
    scene = stage(url=url, width=2, seeds=3, step_s=0.1)
    yield scene
    scene.engine.dispose()


@pytest.mark.long
def test_a_quiet_run(slow: Scene) -> None:
    assert slow.finish() == [0]
    slow.check()
    assert slow.epochs_trained() == EPOCHS


@pytest.mark.long
def test_a_child_that_is_killed(slow: Scene) -> None:
    running = slow.start()
    in_the_middle(slow, running)
    os.kill(running.children()[0], signal.SIGKILL)
    assert running.wait() == 0, running.err.read_text()
    slow.check()
    assert attempts(slow, "killed") == 1


def pause(scene: Scene, running: Running) -> None:
    """Between two of its transactions: the server ends whoever is paused within one after 20 s, and others wait so long."""
    inside = "SELECT pid FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
    while True:
        running.pause()
        time.sleep(0.1)  # until the server has read what was sent
        if not scene.rows(inside):
            return
        running.send(signal.SIGCONT, group=True)
        time.sleep(0.05)


@pytest.mark.long
def test_a_machine_that_was_paused(slow: Scene) -> None:
    first = slow.start(lease_s=1.0)
    in_the_middle(slow, first)
    pause(slow, first)
    second = slow.start(lease_s=1.0)
    slow.wait_for("SELECT cell_id FROM rb_attempt WHERE kind = 'lost'")
    slow.wait_for("SELECT cell_id FROM rb_attempt WHERE token = 2")
    first.send(signal.SIGCONT, group=True)
    assert (second.wait(), first.wait()) == (0, 0)
    slow.check()


@pytest.mark.parametrize(
    "by", [pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGQUIT], ids=["fast", "immediate"]
)
def test_a_server_that_restarts_in_the_middle(slow: Scene, crashing: Server, by: signal.Signals) -> None:
    running = slow.start()
    in_the_middle(slow, running)
    crashing.stop(by)
    time.sleep(1)
    crashing.start()
    assert running.wait() == 0, running.err.read_text()
    slow.check()
    assert slow.rows("SELECT cell_id FROM rb_attempt WHERE outcome IN ('failed', 'retry')") == []


@pytest.mark.long
def test_a_server_that_is_away_at_the_finish_for_longer_than_the_lease(slow: Scene, crashing: Server) -> None:
    running = slow.start(lease_s=1.0)
    in_the_middle(slow, running, EPOCHS - 1)
    crashing.stop()
    time.sleep(4)
    assert running.status() is None
    crashing.start()
    assert running.wait() == 0, running.err.read_text()
    slow.check()
    assert slow.rows("SELECT MAX(token) FROM rb_cell") == [(1,)]


@pytest.mark.long
def test_a_server_that_stays_away(slow: Scene, crashing: Server) -> None:
    running = slow.start({"RESBENCH_PATIENCE_S": "1"})
    in_the_middle(slow, running)
    crashing.stop()
    try:
        assert running.wait() == 4
        assert "does not answer" in running.err.read_text()
        assert "postgresql://" in running.err.read_text()  # which database
    finally:
        crashing.start()
    assert slow.finish() == [0]
    slow.check()


@pytest.mark.long
def test_no_connection_left_is_a_delay_only(slow: Scene, crashing: Server) -> None:
    import psycopg

    running = slow.start()
    in_the_middle(slow, running, 3)
    taken = []
    try:
        while True:
            taken.append(psycopg.connect(slow.fake.url))
    except psycopg.OperationalError:
        crashing.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = '' AND state = 'idle' AND pid NOT IN (SELECT pid FROM pg_stat_activity WHERE query = '')",
            database=slow.fake.url.partition("@/")[2].partition("?")[0],
        )
    time.sleep(2)
    for connection in taken:
        connection.close()
    assert running.wait() == 0, running.err.read_text()
    slow.check()


@pytest.mark.long
def test_two_that_start_at_once(slow: Scene) -> None:
    runs = [slow.start() for _ in range(2)]
    assert [running.wait() for running in runs] == [0, 0]
    slow.check()
    assert slow.epochs_trained() == EPOCHS
