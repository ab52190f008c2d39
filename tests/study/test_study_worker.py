"""What a worker trains is what the digests in the database say, and equal nets are trained once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from command_line import Database, Rb
from study_sample import points, trials

from resbench.errors import BadInput, DatabaseError
from resbench.language.recipe.execution import PlanSpec
from resbench.search.point import Point
from resbench.store.open import open_store
from resbench.study.planning import _compiled, cores, workers
from resbench.train.execution.plan import Plan
from resbench.workers.job import read_job

SCALED = "{use: constant_scaling, shortcut_scale: 1, branch_scale: 1}"


def test_equal_nets_are_trained_once(rb: Rb, small: Path, database: Database) -> None:
    said = rb("study", "run", "small.yaml", f"units=[original, {SCALED}]", "seeds=3", "--json")
    assert said.status == 0
    assert [line.split("]")[0] for line in said.err.splitlines()] == ["0 cached, 3 new", "[1/3", "[2/3", "[3/3"]
    assert database.rows(
        "SELECT t.name, COUNT(*) FROM rb_study_run JOIN rb_trial t ON t.id = trial_id GROUP BY t.id"
    ) == [
        ("original", 3),
        ("constant_scaling shortcut_scale=1 branch_scale=1", 3),
    ]
    assert database.rows("SELECT status FROM rb_cell") == [("done",)]
    assert [t.value for t in trials(database.path)] == [pytest.approx(said.json[0]["mean"])] * 2


@pytest.mark.long
def test_workers_share_the_cores_of_a_cpu_where_there_is_work_and_are_one_on_a_device(tmp_path: Path) -> None:
    cpu = torch.device("cpu")
    (point,) = points("units: [plain]\nseeds: 2\n", tmp_path)
    (told,) = points("units: [plain]\nseeds: 2\nrecipe: {use: he2016_small, plan: {workers: 7}}\n", tmp_path)

    def count(step_s: float, device: torch.device = cpu, threads: int = 1, of: Point = point) -> int:
        return workers([(of, 3)], [Plan(1, "contiguous", threads, step_s)], 1000, device)

    assert count(1e-6) == 1
    assert 1 <= count(1e3) == min(cores(), 3)
    assert count(1e3, threads=10**6) == 1
    assert count(1e3, torch.device("cuda")) == 1
    assert count(1e-6, of=told) == 3


def test_runs_that_stand_are_followed_in_compiling_where_it_can_be() -> None:
    cpu, cuda, stands = torch.device("cpu"), torch.device("cuda"), Plan(1, "contiguous", 1, compiled=True)
    failed = Plan(1, "contiguous", 1, not_compiled="no compiler here")
    assert _compiled(stands, PlanSpec(), cuda)
    assert not _compiled(stands, PlanSpec(), cpu)
    assert _compiled(stands, PlanSpec(compile=True), cpu)
    assert not _compiled(stands, PlanSpec(compile=False), cuda)
    assert not _compiled(failed, PlanSpec(compile=True), cuda)


@pytest.mark.usefixtures("ran")
def test_a_job_is_what_its_digests_say(database: Database) -> None:
    engine = open_store(str(database.path), create=False)
    ((architecture, recipe, data),) = database.rows(
        "SELECT DISTINCT architecture, recipe, data FROM rb_run WHERE id = 1"
    )
    task = read_job(engine, architecture, recipe, data)
    assert task.recipe.digest == recipe
    assert task.data.name == "digits"
    engine.dispose()
    other = database.one(f"SELECT spec FROM rb_architecture WHERE digest <> '{architecture}'")
    database.change(f"UPDATE rb_architecture SET spec = '{other}' WHERE digest = '{architecture}'")
    engine = open_store(str(database.path), create=False)
    with pytest.raises(DatabaseError, match=f"architecture {architecture}: what is stored has the digest a2_"):
        read_job(engine, architecture, recipe, data)
    engine.dispose()


@pytest.mark.usefixtures("ran")
def test_data_that_are_no_longer_those_of_the_study(database: Database) -> None:
    ((architecture, recipe),) = database.rows("SELECT architecture, recipe FROM rb_run WHERE id = 1")
    database.change(
        "INSERT INTO rb_data SELECT 'd1_old', name, input_shape, classes, n_train, n_val, n_test, settings, NULL FROM rb_data"
    )
    engine = open_store(str(database.path), create=False)
    with pytest.raises(BadInput, match=r"data set digits is not the one of the study: its digest is d1_.*, not d1_old"):
        read_job(engine, architecture, recipe, "d1_old")
    engine.dispose()


@pytest.mark.usefixtures("ran")
def test_an_architecture_altered_in_the_database_ends_the_study(rb: Rb, database: Database) -> None:
    other = database.one("SELECT spec FROM rb_architecture WHERE unit = 'plain'")
    database.change(f"UPDATE rb_architecture SET spec = '{other}' WHERE unit = 'original'")
    said = rb("study", "run", "small.yaml", "seeds=3")
    assert said.status == 4
    assert "what is stored has the digest" in said.err
    assert "Traceback" not in said.err
    assert database.rows("SELECT DISTINCT status FROM rb_cell WHERE status IN ('queued', 'running')") in (
        [],
        [("queued",)],
    )
    assert said.out == ""
