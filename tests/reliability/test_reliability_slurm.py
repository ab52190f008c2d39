"""docs/clusters/slurm.sbatch on a real Slurm of one node: time limit, requeue, preemption, finish; training is arithmetic."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
from harness import Scene, Stage
from slurm_cluster import Slurm, serve

pytestmark = pytest.mark.long
REPOSITORY = Path(__file__).parents[2]
TEMPLATE = REPOSITORY / "docs" / "clusters" / "slurm.sbatch"


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    with serve() as made:
        yield made


def submit(slurm: Slurm, folder: Path, resbench: str, *options: str, env: Mapping[str, str]) -> str:
    """The template, unchanged, with a `resbench` of the test's on the PATH, which the job inherits. Returns the job's number."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / "resbench").write_text(f"#!/bin/bash\n{resbench}\n")
    (folder / "bin" / "resbench").chmod(0o755)
    path = f"{folder / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    told = slurm.run(
        "sbatch", "--parsable", f"--output={folder}/out-%a", f"--chdir={folder}", *options, str(TEMPLATE),
        env={"PATH": path, "HOME": str(folder), "PYTHONPATH": str(REPOSITORY), **env},
    )  # fmt: skip
    return told.strip()


def told(folder: Path) -> str:
    return "".join(f"--- {path.name}\n{path.read_text()}" for path in sorted(folder.glob("out-*")))


def test_it_listens_on_loopback_alone(slurm: Slurm) -> None:
    numbers = {str(daemon.pid) for daemon in slurm.daemons}
    tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    listening = {line.split()[9]: line.split()[1] for table in tables for line in table if line.split()[3] == "0A"}
    found = []
    for number in numbers:
        for descriptor in Path(f"/proc/{number}/fd").iterdir():
            inode = str(descriptor.readlink()).removeprefix("socket:[").rstrip("]")
            if inode in listening:
                found.append(listening[inode].partition(":")[0])
    assert found == ["0100007F"] * 2  # 127.0.0.1, of slurmctld and slurmd


# Tasks 1 and 2 end; 3, the last one, whose job number is the array's own, is stopped once.
LAST = """echo "$SLURM_ARRAY_TASK_ID" >> calls
[ "$SLURM_ARRAY_TASK_ID" = 1 ] && exit 0
[ "$SLURM_ARRAY_TASK_ID" = 3 ] && [ ! -e stopped ] && touch stopped && exit {status}
while [ ! -e finish ]; do sleep 0.1; done"""


@pytest.mark.parametrize("status", [6, 143])
def test_the_last_task_is_requeued_alone(slurm: Slurm, tmp_path: Path, status: int) -> None:
    """The first, which has ended, does not run again, and the second is not killed in mid-work."""
    env = {"RESBENCH_DB": "postgresql://nobody@localhost/none", "STUDY": "none"}
    job = submit(slurm, tmp_path, LAST.format(status=status), "--array=1-3", "--cpus-per-task=1", env=env)
    slurm.wait_for(lambda: (tmp_path / "calls").exists() and (tmp_path / "calls").read_text().count("3") == 2)
    assert (slurm.task(f"{job}_2")["JobState"], slurm.task(f"{job}_2")["Restarts"]) == ("RUNNING", "0")
    (tmp_path / "finish").touch()
    slurm.wait_for(lambda: not slurm.run("squeue", "-h"), lambda: told(tmp_path))
    assert [slurm.task(f"{job}_{number}")["Restarts"] for number in (1, 2, 3)] == ["0", "0", "1"]
    assert {slurm.task(f"{job}_{number}")["JobState"] for number in (1, 2, 3)} == {"COMPLETED"}
    assert sorted((tmp_path / "calls").read_text().split()) == ["1", "2", "3", "3"]


def queued(stage: Stage, url: str, **settings: object) -> Scene:
    """A study whose coordinator was killed when it had queued its cells."""
    scene = stage(url=url, width=2, seeds=4, **settings)
    assert scene.start({"RESBENCH_FAILPOINTS": "cells.queued=kill"}).wait() == -signal.SIGKILL
    assert scene.rows("SELECT DISTINCT status FROM rb_cell") == [("queued",)]
    return scene


def test_a_study_through_time_limit_preemption_and_finish(
    slurm: Slurm, stage: Stage, server: object, tmp_path: Path
) -> None:
    """While `hold` is there an epoch takes half a second, and a cell longer than a job may run."""
    hold = tmp_path / "hold"
    hold.touch()
    url = server.new()  # type: ignore[attr-defined]
    scene = queued(stage, url, epochs=240, hold=str(hold), lease_s=60.0)
    (tmp_path / "fake.json").write_text(json.dumps(asdict(scene.fake)))
    worker = f'exec {sys.executable} {REPOSITORY}/tests/reliability/slurm_worker.py "$@"'
    env = {"RESBENCH_DB": url, "STUDY": "fake", "FAKE": str(tmp_path / "fake.json"),
           "RESBENCH_CHECKPOINTS": scene.fake.folder}  # fmt: skip
    job = submit(slurm, tmp_path, worker, "--array=1-2", "--time=1", env=env)
    tasks = [f"{job}_1", f"{job}_2"]

    def restarts(least: int) -> bool:
        return all(int(slurm.task(task)["Restarts"]) >= least for task in tasks)

    def epochs() -> int:
        return scene.epochs_trained()

    # The time limit: Slurm signals the script, the worker gives back, the script requeues.
    slurm.wait_for(lambda: restarts(1), lambda: told(tmp_path) + scene.told())
    kinds = "SELECT DISTINCT outcome, kind FROM rb_attempt WHERE outcome <> 'running'"
    assert scene.rows(kinds) == [("given_back", "stopped")], told(tmp_path)
    for task in tasks:
        slurm.run("scontrol", "update", f"JobId={task}", "TimeLimit=600")
    before = epochs()
    slurm.wait_for(lambda: epochs() > before + 4, lambda: told(tmp_path))
    slurm.wait_for(lambda: all(slurm.task(task)["JobState"] == "RUNNING" for task in tasks))
    # Preemption: Slurm signals every process of the job, and the script its worker once more.
    before_it = [int(slurm.task(task)["Restarts"]) for task in tasks]
    other = slurm.run(
        "sbatch", "--parsable", "--partition=high", "--cpus-per-task=4", "--output=/dev/null", "--wrap",
        f"while [ ! -e {tmp_path}/over ]; do sleep 0.2; done",
    ).strip()  # fmt: skip
    slurm.wait_for(lambda: slurm.task(other)["JobState"] == "RUNNING", lambda: told(tmp_path))
    assert [int(slurm.task(task)["Restarts"]) for task in tasks] == [number + 1 for number in before_it]
    assert scene.rows("SELECT id FROM rb_cell WHERE status = 'running'") == [], told(tmp_path)
    assert scene.rows(kinds) == [("given_back", "stopped")], told(tmp_path)
    # The finish: both start again by themselves, and leave when nothing is left.
    hold.unlink()
    (tmp_path / "over").touch()
    slurm.wait_for(lambda: not slurm.run("squeue", "-h"), lambda: told(tmp_path))
    assert {slurm.task(task)["JobState"] for task in tasks} == {"COMPLETED"}
    assert "no cell is left to train" in told(tmp_path)
    assert scene.rows("SELECT cell_id FROM rb_attempt WHERE kind = 'lost'") == []
    scene.finish()
    scene.check()
    print(f"{scene.epochs_trained()} epochs trained of {3 * 2 * 240}, restarts: "
          f"{[slurm.task(task)['Restarts'] for task in tasks]}")  # fmt: skip
