"""A Ray cluster of three nodes on this machine: one dies in the middle, the driver dies, and who has no token gets nothing."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from command_line import Database, one_core

pytestmark = pytest.mark.long
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
STUDY = """\
study: far
network: {use: resnet_cifar, depth: 8, width: 2}
units: [plain, original]
data: digits
recipe:
  use: he2016_small
  epochs: 24
  batch: 32
  lr: 0.1
  checkpoint_every: {epochs: 1}
  plan: {width: 1, threads: 1, layout: contiguous}
seeds: 3
"""
NUMBERS = "SELECT unit, seed, epoch, train_loss, val_loss, val_error_pct FROM v_epochs ORDER BY unit, seed, epoch"
LOOP = """
import sys
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
print(cluster.address, flush=True)
for line in sys.stdin:
    if line == "remove\\n":
        cluster.remove_node(nodes.pop(0), allow_graceful=False)
        nodes.append(cluster.add_node(num_cpus=1))
        print("removed", flush=True)
cluster.shutdown()
"""


class Cluster:
    """In a process of its own, since Ray is one thing in a process."""

    def __init__(self, folder: Path) -> None:
        with (folder / "ray.log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", LOOP], env=os.environ | TOKEN, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        self.address = self.line()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def remove_a_node(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("remove\n")
        self.process.stdin.flush()
        assert self.line() == "removed"

    def close(self) -> None:
        self.process.communicate(timeout=600)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """What comes of the study in one piece, on this machine."""
    folder = tmp_path_factory.mktemp("quiet")
    (folder / "far.yaml").write_text(STUDY, "utf-8")
    with one_core():
        assert start(folder, {}, "recipe.plan.workers=0").wait(900) == 0
    return Database(folder / "resbench.db").rows(NUMBERS)


def start(folder: Path, env: Mapping[str, str], *words: str) -> subprocess.Popen[bytes]:
    (folder / "far.yaml").write_text(STUDY, "utf-8")
    environment = {key: value for key, value in os.environ.items() if key != "RESBENCH_DB"} | dict(env)
    with (folder / "err").open("a") as err:
        return subprocess.Popen(
            [sys.executable, "-m", "resbench", "study", "run", "far.yaml", *words], cwd=folder, env=environment,
            stdout=subprocess.DEVNULL, stderr=err, start_new_session=True,
        )  # fmt: skip


def wait_for(database: Database, sql: str, process: subprocess.Popen[bytes]) -> None:
    """Until the query has a row."""
    deadline = time.monotonic() + 600
    while not (database.path.exists() and database.path.stat().st_size and _ask(database, sql)):
        assert process.poll() is None, (database.path.parent / "err").read_text()
        assert time.monotonic() < deadline, (database.path.parent / "err").read_text()
        time.sleep(0.05)


def _ask(database: Database, sql: str) -> list[tuple[Any, ...]]:
    import sqlite3

    try:
        return database.rows(sql)
    except sqlite3.OperationalError:  # the schema is being made
        return []


def check(database: Database, quiet: list[tuple[Any, ...]]) -> None:
    assert database.rows(NUMBERS) == quiet
    assert database.rows("SELECT id FROM rb_cell WHERE status IN ('queued', 'running')") == []
    assert database.rows("SELECT cell_id FROM rb_attempt WHERE outcome = 'running'") == []
    assert database.one("SELECT COUNT(*) FROM rb_run") == 6
    assert database.one("PRAGMA integrity_check") == "ok"


BOTH = "SELECT 1 FROM rb_cell WHERE status = 'running' GROUP BY status HAVING COUNT(*) = 2"


def test_a_node_that_dies_costs_an_attempt_and_no_run(
    cluster: Cluster, quiet: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    database = Database(tmp_path / "resbench.db")
    process = start(tmp_path, TOKEN, "--executor", "ray", "--address", cluster.address)
    wait_for(database, BOTH, process)
    wait_for(database, "SELECT 1 FROM rb_checkpoint WHERE epoch > 2", process)
    cluster.remove_a_node()
    assert process.wait(900) == 0, (tmp_path / "err").read_text()
    check(database, quiet)
    assert database.one("SELECT COUNT(*) FROM rb_attempt WHERE kind = 'lost'") == 1
    assert "a slot of the cluster is gone" in (tmp_path / "err").read_text()
    assert database.one("SELECT COUNT(*) FROM rb_worker WHERE name LIKE 'ray:%'") >= 3


def test_a_driver_that_dies_is_started_again(cluster: Cluster, quiet: list[tuple[Any, ...]], tmp_path: Path) -> None:
    database = Database(tmp_path / "resbench.db")
    words = ("--executor", "ray", "--address", cluster.address)
    process = start(tmp_path, TOKEN, *words)
    wait_for(database, "SELECT 1 FROM rb_checkpoint WHERE epoch > 2", process)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    again = start(tmp_path, TOKEN, *words)
    assert again.wait(900) == 0, (tmp_path / "err").read_text()
    check(database, quiet)


def test_a_search_promotes_over_the_cluster(cluster: Cluster, tmp_path: Path) -> None:
    """Survivors of a rung train on from their checkpoints, wherever they were trained before."""
    words = ("search={use: halving, from: 1, eta: 2, finalists: 1}", "recipe.epochs=4", "units+=full_preactivation")
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    with one_core():
        assert start(here, {}, "recipe.plan.workers=0", *words).wait(900) == 0, (here / "err").read_text()
    process = start(there, TOKEN, "--executor", "ray", "--address", cluster.address, *words)
    assert process.wait(900) == 0, (there / "err").read_text()
    assert Database(there / "resbench.db").rows(NUMBERS) == Database(here / "resbench.db").rows(NUMBERS)
    assert Database(there / "resbench.db").one("SELECT COUNT(*) FROM rb_worker WHERE name LIKE 'ray:%'") >= 2


def test_sigterm_gives_the_cells_back(cluster: Cluster, quiet: list[tuple[Any, ...]], tmp_path: Path) -> None:
    database = Database(tmp_path / "resbench.db")
    words = ("--executor", "ray", "--address", cluster.address)
    process = start(tmp_path, TOKEN, *words)
    wait_for(database, BOTH, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    assert database.rows("SELECT id FROM rb_cell WHERE status = 'running'") == []
    assert {kind for (kind,) in database.rows("SELECT DISTINCT kind FROM rb_attempt")} <= {"stopped", None}
    assert start(tmp_path, TOKEN, *words).wait(900) == 0
    check(database, quiet)


def test_whoever_has_no_token_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    wrong = TOKEN | {"RAY_AUTH_TOKEN": "0" * 64}
    process = start(tmp_path, wrong, "--executor", "ray", "--address", cluster.address)
    assert process.wait(900) == 2
    assert f"--address {cluster.address}: " in (tmp_path / "err").read_text()
    assert Database(tmp_path / "resbench.db").rows("SELECT id FROM rb_run") == []
