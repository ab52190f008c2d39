"""The templates for schedulers parse, their commands exist, and the Slurm one requeues what was stopped."""

from __future__ import annotations

import configparser
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from docs_text import problem

CLUSTERS = Path(__file__).parents[1] / "docs" / "clusters"
SLURM = CLUSTERS / "slurm.sbatch"


def test_kubernetes() -> None:
    secret, claim, job = yaml.safe_load_all((CLUSTERS / "kubernetes.yaml").read_text("utf-8"))
    assert [one["kind"] for one in (secret, claim, job)] == ["Secret", "PersistentVolumeClaim", "Job"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert problem(container["command"][1:]) is None
    rules = job["spec"]["podFailurePolicy"]["rules"]
    assert rules[0]["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert {value for rule in rules for value in rule.get("onExitCodes", {}).get("values", ())} == {143, 6, 2, 3}


@pytest.mark.long
@pytest.mark.parametrize("version", ["1.26", "1.29", "1.31", "1.34", "1.35"])
def test_kubernetes_takes_it(version: str) -> None:
    import kubernetes_validate

    for one in yaml.safe_load_all((CLUSTERS / "kubernetes.yaml").read_text("utf-8")):
        kubernetes_validate.validate(one, version, strict=True)


def test_systemd() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(CLUSTERS / "resbench-worker@.service")
    command = shlex.split(unit["Service"]["ExecStart"].replace("%i", "my_study"))
    assert problem(command[1:]) is None
    assert unit["Service"]["KillMode"] == "mixed"
    assert int(unit["Service"]["TimeoutStopSec"]) > 30


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """An environment in which `resbench` and `scontrol` write down how they were called; the worker stops as a real one does."""
    (tmp_path / "resbench").write_text(
        '#!/bin/bash\necho "$@" >> calls\ntrap "echo stopped >> calls; exit 143" TERM\n'
        'for _ in $(seq 100); do sleep 0.05; [ -f finish ] && exit 0; done\n'
    )  # fmt: skip
    (tmp_path / "scontrol").write_text('#!/bin/bash\necho "scontrol $@" >> calls\n')
    for name in ("resbench", "scontrol"):
        (tmp_path / name).chmod(0o755)
    own = {"RESBENCH_DB": "postgresql://host/x", "STUDY": "s", "SLURM_JOB_ID": "77", "HOME": str(tmp_path)}
    return os.environ | own | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}


def start(folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(["bash", str(SLURM)], cwd=folder, env=environment)
    while process.poll() is None and not ((folder / "calls").exists() and catches(process.pid, signal.SIGTERM)):
        time.sleep(0.02)
    return process


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    words = Path(f"/proc/{pid}/status").read_text().split()
    return bool(int(words[words.index("SigCgt:") + 1], 16) >> (number - 1) & 1)


def test_slurm_requeues_what_was_stopped(tmp_path: Path, slurm: dict[str, str]) -> None:
    process = start(tmp_path, slurm)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143
    first, *rest = (tmp_path / "calls").read_text().splitlines()
    assert problem(shlex.split(first)) is None
    assert rest == ["stopped", "scontrol requeue 77"]


def test_slurm_requeues_one_task_of_an_array_and_passes_a_signal_on_once(tmp_path: Path, slurm: dict[str, str]) -> None:
    """The job number of an array's last task is that of the array, which `requeue` would take as all of it."""
    (tmp_path / "resbench").write_text(
        '#!/bin/bash\ntrap "echo told >> calls" TERM\necho "$@" >> calls\n'
        'for _ in $(seq 200); do sleep 0.05; [ -f finish ] && exit 143; done\n'
    )  # fmt: skip
    process = start(tmp_path, slurm | {"SLURM_ARRAY_JOB_ID": "77", "SLURM_ARRAY_TASK_ID": "3"})
    for _ in range(20):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.01)
    (tmp_path / "finish").touch()
    assert process.wait(60) == 143
    assert (tmp_path / "calls").read_text().splitlines()[1:] == ["told", "scontrol requeue 77_3"]


def test_slurm_requeues_what_came_to_its_time_limit(tmp_path: Path, slurm: dict[str, str]) -> None:
    (tmp_path / "resbench").write_text('#!/bin/bash\necho "$@" >> calls\nexit 6\n')
    assert start(tmp_path, slurm).wait(20) == 6
    assert (tmp_path / "calls").read_text().splitlines()[1:] == ["scontrol requeue 77"]


def test_slurm_leaves_what_is_done(tmp_path: Path, slurm: dict[str, str]) -> None:
    process = start(tmp_path, slurm)
    (tmp_path / "finish").touch()
    assert process.wait(20) == 0
    assert len((tmp_path / "calls").read_text().splitlines()) == 1


def test_slurm_says_what_is_missing(tmp_path: Path, slurm: dict[str, str]) -> None:
    told = subprocess.run(
        ["bash", str(SLURM)], cwd=tmp_path, env={k: v for k, v in slurm.items() if k != "STUDY"}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert told.returncode != 0
    assert "the name of the study" in told.stderr
