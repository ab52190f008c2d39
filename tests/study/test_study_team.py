"""Workers in processes of their own: the same bits as one, each run once; one that is killed is replaced."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Database, Rb

from resbench.language.study.search import FIRST_SEED
from resbench.workers.cell_plan import SeedStack, seed_stacks

NUMBERS = "SELECT unit, seed, val_error_pct, val_loss, train_loss FROM v_runs ORDER BY unit, seed"
PLAN = "recipe.plan={workers: 2, width: 2, threads: 1, layout: contiguous}"


def test_two_workers_give_the_bits_of_one(rb: Rb, small: Path, database: Database) -> None:
    """Against one that is this process itself, since a child's start is most of what this costs."""
    alone = PLAN.replace("workers: 2", "workers: 0")
    assert rb("study", "run", "small.yaml", "seeds=3", alone, "--db", "alone.db").status == 0
    said = rb("study", "run", "small.yaml", "seeds=3", PLAN, "--json")
    assert said.status == 0
    assert [line.split("]")[0] for line in said.err.splitlines()] == [
        "0 cached, 6 new",
        *(f"[{i}/6" for i in range(1, 7)),
    ]
    assert {row["n"] for row in said.json} == {3}
    assert database.rows(NUMBERS) == Database(small.parent / "alone.db").rows(NUMBERS)
    assert database.rows("SELECT status, seeds FROM rb_cell ORDER BY id") == [
        ("done", "[0,1]"), ("done", "[2]"), ("done", "[0,1]"), ("done", "[2]"),
    ]  # fmt: skip
    assert database.one("SELECT COUNT(*) FROM rb_run_plan") == 6


@pytest.mark.long
def test_one_worker_gives_the_bits_of_this_process_and_repeats_them(rb: Rb, small: Path, database: Database) -> None:
    for workers in (0, 1):
        plan = PLAN.replace("workers: 2", f"workers: {workers}")
        assert rb("study", "run", "small.yaml", "seeds=3", plan, "--db", f"{workers}.db").status == 0
    zero, one = (Database(small.parent / f"{workers}.db").rows(NUMBERS) for workers in (0, 1))
    assert zero == one
    assert rb("results", "repeat", "2", "--db", "1.db").status == 0


def busy() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "while True: pass"])


@pytest.mark.long
def test_the_same_study_has_the_same_bits_whatever_else_the_machine_does_and_however_it_is_run(
    rb: Rb, small: Path, database: Database
) -> None:
    """Beside four busy processes, by one worker and by three, seed by seed, and as part of a larger study."""
    study = ("study", "run", "small.yaml", "recipe.plan={}")
    assert rb(*study, "seeds=4", "--workers", "1").status == 0
    expected = database.rows(NUMBERS)
    assert len(expected) == 8
    others = [busy() for _ in range(4)]
    try:
        assert rb(*study, "seeds=4", "--workers", "3", "--db", "busy.db").status == 0
    finally:
        for process in others:
            process.kill()
            process.wait()
    for seeds in (1, 3, 4):
        assert rb(*study, f"seeds={seeds}", "--db", "grown.db").status == 0
    assert (
        rb(*study, "seeds=[3, 0, 2, 7, 1]", "units+=full_preactivation", "--fork", "larger", "--db", "larger.db").status
        == 0
    )
    for name in ("busy.db", "grown.db", "larger.db"):
        found = [
            row
            for row in Database(small.parent / name).rows(NUMBERS)
            if row in expected or row[0] in ("plain", "original")
        ]
        assert [row for row in found if row[1] < 4] == expected, name


def test_a_width_changes_nothing_but_the_last_bits(rb: Rb, small: Path, database: Database, ran_once: Path) -> None:
    assert rb("study", "run", "small.yaml", "recipe.plan.width=2").status == 0
    for a, b in zip(database.rows(NUMBERS), Database(ran_once / "resbench.db").rows(NUMBERS), strict=True):
        assert a[:2] == b[:2]
        assert a[4] == pytest.approx(b[4], rel=1e-4)


def test_a_seed_has_its_place_beside_the_same_others_whichever_are_wanted() -> None:
    assert seed_stacks((0, 1, 2, 3, 4), 4) == [SeedStack((0, 1, 2, 3), (0, 1, 2, 3)), SeedStack((4, 5, 6, 7), (4,))]
    assert seed_stacks((2, 0), 8) == [SeedStack(tuple(range(8)), (2, 0))]
    assert seed_stacks((5, 7), 1) == [SeedStack((5,), (5,)), SeedStack((7,), (7,))]
    assert seed_stacks((), 3) == []
    assert seed_stacks((FIRST_SEED, FIRST_SEED + 1), 1) == [SeedStack((s,), (s,)) for s in (FIRST_SEED, FIRST_SEED + 1)]


@pytest.mark.long
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT], ids=["a worker killed", "Ctrl-C"])
def test_a_study_with_workers_survives(by: signal.Signals, rb: Rb, small: Path, database: Database) -> None:
    if sys.platform != "linux":
        raise AssertionError("signals and /proc as here are Linux's")
    command = ["study", "run", "small.yaml", "seeds=6", "recipe.epochs=6", "recipe.batch=32"]
    command += [PLAN.replace("width: 2", "width: 1")]
    process = subprocess.Popen(
        [sys.executable, "-m", "resbench", *command], cwd=small.parent, text=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None
    told: list[str] = []
    for line in process.stderr:
        told.append(line.rstrip("\n"))
        if line.startswith("[3/12]") and by == signal.SIGINT:
            process.send_signal(by)
        elif line.startswith("[3/12]"):
            os.kill(_worker_of(process.pid), by)
    process.stderr.close()
    status = process.wait(60)
    assert database.rows("SELECT id FROM rb_cell WHERE status = 'running'") == []
    if by == signal.SIGINT:
        assert status == 130
        stopped = re.fullmatch(
            r"stopped: (\d+) of 12 new runs are saved; the same command goes on with the rest", told[-1]
        )
        assert stopped is not None, told
    else:
        assert status == 0
        tried_again = [line for line in told if "was ended by SIGKILL" in line]
        assert len(tried_again) == database.one("SELECT COUNT(*) FROM rb_attempt WHERE outcome = 'retry'") <= 1
        assert database.one("SELECT COUNT(*) FROM rb_run") == 12
    kept = set(database.rows("SELECT run_id, val_loss FROM v_runs"))
    assert rb(*command).status == 0
    assert kept <= set(database.rows("SELECT run_id, val_loss FROM v_runs"))
    assert database.one("SELECT COUNT(*) FROM rb_run") == 12


def _worker_of(parent: int) -> int:
    """The process that multiprocessing spawned for it."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields, words = (path / "stat").read_text().rsplit(")", 1)[1].split(), (path / "cmdline").read_text()
        except OSError:
            continue
        if int(fields[1]) == parent and "spawn_main" in words:
            return int(path.name)
    raise AssertionError("no worker is there")
