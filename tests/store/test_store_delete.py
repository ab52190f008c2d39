"""Results are deleted for good: exactly what was agreed to, whole or not at all, and what others use stays."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import optuna
import pytest
from sqlalchemy import Connection, Engine, text, update
from store_sample import ENVIRONMENT, Sample, fill

from resbench.errors import BadInput, LeaseLost
from resbench.store.connection.transaction import reading, writing
from resbench.store.edits import delete as deleting
from resbench.store.edits.changes import changes
from resbench.store.edits.delete import delete_results
from resbench.store.edits.delete_work import keys_of
from resbench.store.edits.deletion import DeletionPlan, DeletionRequest, plan_deletion
from resbench.store.edits.notes import NoteSubject, add_note
from resbench.store.maintenance.check import check_database
from resbench.store.open import open_store
from resbench.store.optuna.storage import optuna_storage
from resbench.store.optuna.trials import OptunaTrial, reopen_failed, write_trials
from resbench.store.queue.cells import claim_cell, end_attempt, enqueue_cell
from resbench.store.queue.leadership import coordinator_of, hold_role, take_role
from resbench.store.queue.workers import end_worker, put_worker
from resbench.store.records import Cell, Ending, ProfileRecord, TrialRecord, WorkerRecord, canonical_json
from resbench.store.results import reading as results
from resbench.store.results.catalogue import put_environment
from resbench.store.results.profiles import put_profiles
from resbench.store.results.reading import reveals, runs_of_study
from resbench.store.results.runs import link_run, save_run, write_run
from resbench.store.results.studies import get_study, put_study, put_trial, study_spec
from resbench.store.schema.metadata import metadata
from resbench.store.schema.work_tables import rb_checkpoint, rb_lease, rb_worker


def counts(engine: Engine) -> dict[str, int]:
    """Rows of every table that has some; an environment that no run was made in is nobody's to delete."""
    with reading(engine) as connection:
        found = {t.name: len(connection.execute(t.select()).all()) for t in metadata.sorted_tables}
    return {name: n for name, n in found.items() if n and (name != "rb_environment" or found["rb_run"])}


def dump(engine: Engine) -> dict[str, list[str]]:
    with reading(engine) as connection:
        return {
            t.name: sorted(repr(tuple(row)) for row in connection.execute(t.select())) for t in metadata.sorted_tables
        }


def remove(
    engine: Engine, wanted: DeletionRequest, is_gone: Callable[[WorkerRecord], bool] = lambda worker: False
) -> DeletionPlan:
    found = plan_deletion(engine, wanted)
    delete_results(engine, wanted, found, "ann", is_gone)
    return found


def is_sound(db: str) -> bool:
    """Whether nothing is wrong but the digests of what the sample says, which are made up."""
    return not [one for one in check_database(db) if one.wrong and "have the digests" not in one.what]


def a_study(sample: Sample, name: str) -> Sample:
    """Another study on the same architecture, recipe and data."""
    study_id = put_study(sample.engine, name, "{}", name)
    trial = TrialRecord(0, "pre", "pre", "resnet20", {}, "arch", "rec", "dat")
    return Sample(sample.engine, study_id, put_trial(sample.engine, study_id, trial), sample.environment)


def work(sample: Sample) -> Cell:
    """A cell of the sample's trial, claimed, with a checkpoint and a profile of seed 7; nobody's lease holds it."""
    enqueue_cell(sample.engine, sample.trial_id, [7], {"width": 1, "layout": "contiguous"})
    cell = claim_cell(sample.engine, sample.study_id, "w", lease_s=-1)
    assert cell is not None
    put_profiles(sample.engine, cell, [ProfileRecord(7, 0, 0, 1.0, 1.0, None, None)])
    (key, *_) = keys_of(cell)
    values = {"key": key, "epoch": 1, "path": f"{key}.1.1", "sha256": "x", "created_at": "2026-01-01T00:00:00Z"}
    with writing(sample.engine) as connection:
        connection.execute(rb_checkpoint.insert().values(values))
    return cell


def test_nothing_of_a_study_is_left(sample: Sample, db: str) -> None:
    for seed in range(3):
        sample.add(sample.record(seed))
    work(sample)
    add_note(sample.engine, NoteSubject("s"), "a note", "ann")
    add_note(sample.engine, NoteSubject(run=1), "another", "ann")
    results.test_scores(sample.engine, "s", "bob: results top --test")
    found = remove(sample.engine, DeletionRequest("s"))
    assert (found.numbers, found.epochs, found.test_scores, found.kept) == ([1, 2, 3], 6, 3, ())
    assert counts(sample.engine) == {"rb_change": 3}
    assert is_sound(db)
    (change,) = [one for one in changes(sample.engine) if one.change == "deleted"]
    assert (change.subject, change.changed_by) == ("study s", "ann")
    assert (change.details["units"], change.details["runs"], change.details["test_scores"]) == (["pre"], 3, 3)
    ((study, _, by),) = change.details["looks"]
    assert (study, by) == ("s", "bob: results top --test")


def test_a_run_that_another_study_uses_stays(sample: Sample, db: str) -> None:
    first, second = sample.add(sample.record(0)), sample.add(sample.record(1))
    other = a_study(sample, "other")
    link_run(sample.engine, other.study_id, other.trial_id, first)
    found = remove(sample.engine, DeletionRequest("s"))
    assert (found.numbers, [run.id for run in found.kept]) == ([second], [first])
    assert [(run.run_id, run.seed) for run in runs_of_study(sample.engine, "other")] == [(first, 0)]
    assert len(results.test_scores(sample.engine, "other", "ann")) == 1
    assert is_sound(db)


def test_a_run_that_is_named_goes_from_every_study(sample: Sample, db: str) -> None:
    first, second = sample.add(sample.record(0)), sample.add(sample.record(1))
    other = a_study(sample, "other")
    link_run(sample.engine, other.study_id, other.trial_id, first)
    found = remove(sample.engine, DeletionRequest(runs=(first, first)))
    assert (found.numbers, found.studies) == ([first], ["other", "s"])
    assert runs_of_study(sample.engine, "other") == []
    assert [run.run_id for run in runs_of_study(sample.engine, "s")] == [second]
    assert changes(sample.engine)[0].details["studies"] == [["other", "pre"], ["s", "pre"]]
    assert is_sound(db)


def test_a_unit_goes_and_its_twin_keeps_the_runs(sample: Sample, db: str) -> None:
    """Two names of one architecture in a study share their runs."""
    put_study(sample.engine, "s", canonical_json({"units": ["pre", "twin", "wide"], "seeds": [0]}), "d1")
    twin, wide = sample.trial(1, "twin"), sample.trial(2, "wide", "arch2")
    shared, own = sample.add(sample.record(0)), sample.add(sample.record(0, architecture="arch2"), wide)
    link_run(sample.engine, sample.study_id, twin, shared)
    found = remove(sample.engine, DeletionRequest("s", ("pre", "wide")))
    assert (found.numbers, [run.id for run in found.kept]) == ([own], [shared])
    assert [(run.unit, run.run_id) for run in runs_of_study(sample.engine, "s")] == [("twin", shared)]
    assert study_spec(sample.engine, "s")["units"] == ["twin"]
    assert counts(sample.engine)["rb_architecture"] == 1
    assert [one.subject for one in changes(sample.engine)] == ["unit pre of study s", "unit wide of study s"]
    assert is_sound(db)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (DeletionRequest("t"), r"no study 't' in .*; it holds: s"),
        (DeletionRequest("s", ("per",)), "no unit of study s is called `per`; did you mean `pre`"),
        (DeletionRequest(runs=(1, 99)), "no run 99 in "),
        (DeletionRequest(runs=(2**70,)), "no run 1180591620717411303424 in "),
    ],
)
def test_what_is_not_there_is_refused(sample: Sample, wanted: DeletionRequest, told: str) -> None:
    sample.add(sample.record(0))
    before = dump(sample.engine)
    with pytest.raises(BadInput, match=told):
        plan_deletion(sample.engine, wanted)
    assert dump(sample.engine) == before


@pytest.mark.parametrize("wanted", [DeletionRequest("s"), DeletionRequest("s", ("pre",)), DeletionRequest(runs=(1,))])
def test_deleting_twice_says_when_it_was_deleted(sample: Sample, wanted: DeletionRequest) -> None:
    sample.add(sample.record(0))
    remove(sample.engine, wanted)
    with pytest.raises(BadInput, match=r"was deleted at 20\d\d-.*Z by ann"):
        plan_deletion(sample.engine, wanted)


@pytest.mark.parametrize("step", ["delete_work", "empty_trials", "_delete_runs", "delete_catalogue", "record_change"])
def test_an_error_in_the_middle_leaves_all(sample: Sample, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sample.add(sample.record(0))
    work(sample)
    before = dump(sample.engine)

    def fail(*_: object) -> None:
        real(*_)
        raise RuntimeError(step)

    real = getattr(deleting, step)
    monkeypatch.setattr(deleting, step, fail)
    with pytest.raises(RuntimeError, match=step):
        remove(sample.engine, DeletionRequest("s", ("pre",)))
    assert dump(sample.engine) == before


def test_what_has_changed_since_it_was_asked_is_not_deleted(sample: Sample) -> None:
    sample.add(sample.record(0))
    agreed = plan_deletion(sample.engine, DeletionRequest("s"))
    sample.add(sample.record(1))
    before = dump(sample.engine)
    with pytest.raises(BadInput, match="have changed since the deletion was planned"):
        delete_results(sample.engine, DeletionRequest("s"), agreed, "ann", lambda worker: False)
    assert dump(sample.engine) == before


def test_a_study_with_a_coordinator_is_not_touched(sample: Sample) -> None:
    sample.add(sample.record(0))
    lease = take_role(sample.engine, coordinator_of("s"), "host:1:a", 60)
    for wanted in (DeletionRequest("s"), DeletionRequest("s", ("pre",)), DeletionRequest(runs=(1,))):
        with pytest.raises(BadInput, match="study s is being run by its coordinator host:1:a"):
            remove(sample.engine, wanted)
    with writing(sample.engine) as connection:
        connection.execute(update(rb_lease).values(until=0.0))
    remove(sample.engine, DeletionRequest("s"))
    with writing(sample.engine) as connection, pytest.raises(LeaseLost):  # one that was only paused
        hold_role(connection, lease)


def test_a_study_with_a_worker_is_not_touched(sample: Sample) -> None:
    sample.add(sample.record(0))
    put_worker(sample.engine, WorkerRecord("host:2:b", "s", "host", "boot", 2, "born", "cpu", 1))
    with pytest.raises(BadInput, match=r"being run by worker host:2:b \(last seen 0 s ago\)"):
        remove(sample.engine, DeletionRequest("s"))
    with writing(sample.engine) as connection:
        connection.execute(update(rb_worker).values(seen=rb_worker.c.seen - 100))
    enqueue_cell(sample.engine, sample.trial_id, [7])
    cell = claim_cell(sample.engine, sample.study_id, "host:2:b")
    assert cell is not None
    with pytest.raises(BadInput, match=f"being run by worker host:2:b, at cell {cell.id}"):
        remove(sample.engine, DeletionRequest("s"))
    remove(sample.engine, DeletionRequest("s"), is_gone=lambda worker: worker.name == "host:2:b")
    assert not end_attempt(sample.engine, cell, Ending("done"))
    assert counts(sample.engine).keys() == {"rb_change"}


def test_a_worker_that_has_left_holds_nothing(sample: Sample) -> None:
    put_worker(sample.engine, WorkerRecord("host:2:b", "s", "host", "boot", 2, "born", "cpu", 1))
    end_worker(sample.engine, "host:2:b")
    remove(sample.engine, DeletionRequest("s"))
    assert counts(sample.engine).keys() == {"rb_change"}


def test_the_catalogue_stays_while_any_study_is_run(sample: Sample) -> None:
    """It may be about to refer to it."""
    sample.add(sample.record(0))
    take_role(sample.engine, coordinator_of("other"), "host:1:a", 60)
    remove(sample.engine, DeletionRequest("s"))
    assert counts(sample.engine).keys() == {
        "rb_architecture",
        "rb_cost",
        "rb_recipe",
        "rb_data",
        "rb_change",
        "rb_lease",
    }


def test_checkpoints_that_others_go_on_from_stay(sample: Sample) -> None:
    work(sample)
    other = a_study(sample, "other")
    enqueue_cell(sample.engine, other.trial_id, [7], {"width": 1, "layout": "contiguous"})
    remove(sample.engine, DeletionRequest("s"))
    assert (counts(sample.engine)["rb_checkpoint"], counts(sample.engine)["rb_profile"]) == (1, 1)
    remove(sample.engine, DeletionRequest("other"))
    assert counts(sample.engine).keys() == {"rb_change"}


def test_the_checkpoint_of_stopped_runs_goes_with_the_last_of_them(sample: Sample) -> None:
    values = {"key": "k", "epoch": 1, "path": "k.1.1", "sha256": "x", "created_at": "2026-01-01T00:00:00Z"}
    with writing(sample.engine) as connection:
        connection.execute(rb_checkpoint.insert().values(values))
    ids = [
        sample.add(replace(sample.record(seed, status="stopped"), test_score=None, plan={"checkpoint": "k"}))
        for seed in (0, 1)
    ]
    remove(sample.engine, DeletionRequest(runs=(ids[0],)))
    assert counts(sample.engine)["rb_checkpoint"] == 1
    remove(sample.engine, DeletionRequest(runs=(ids[1],)))
    assert "rb_checkpoint" not in counts(sample.engine)


@pytest.mark.parametrize("plan", [{}, {"width": 0}, {"width": "x", "layout": 3}, {"width": 10**12}])
def test_a_cell_of_a_strange_plan_is_deleted_too(sample: Sample, plan: dict[str, object]) -> None:
    enqueue_cell(sample.engine, sample.trial_id, [7], plan)
    remove(sample.engine, DeletionRequest("s"))
    assert counts(sample.engine).keys() == {"rb_change"}


def optunas(db: str, sample: Sample) -> optuna.Study:
    """Optuna's study `s` with two trials that have values, and `other` with one."""
    storage = optuna_storage(db)
    sampler = optuna.samplers.RandomSampler(seed=0)
    for name in ("other", "s"):
        study = optuna.create_study(study_name=name, storage=storage, sampler=sampler, load_if_exists=True)
        for _ in range(2 if name == "s" else 1):
            trial = study.ask()
            trial.set_user_attr("unit", "pre")
            study.tell(trial, trial.suggest_float("x", 0, 1))
    return study


def rows(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one())


def test_optunas_study_goes_too(sample: Sample, db: str) -> None:
    study = optunas(db, sample)
    remove(sample.engine, DeletionRequest("s"))
    assert [one.study_name for one in optuna.get_all_study_summaries(study._storage)] == ["other"]
    with reading(sample.engine) as connection:
        for table in ("studies", "study_directions", "trials", "trial_params", "trial_values", "trial_user_attributes"):
            assert rows(connection, table) == 1, table


def test_optunas_trial_of_a_unit_is_emptied_and_keeps_its_number(sample: Sample, db: str) -> None:
    optunas(db, sample)
    sample.trial(1, "wide", "arch2")
    remove(sample.engine, DeletionRequest("s", ("pre",)))
    again = optuna.load_study(study_name="s", storage=optuna_storage(db), sampler=optuna.samplers.RandomSampler(seed=0))
    first, second = again.trials
    assert (first.state.name, first.values, first.params, first.user_attrs) == ("FAIL", None, {}, {})
    assert (second.state.name, len(second.params)) == ("COMPLETE", 1)
    assert again.ask().number == 2


def test_optunas_trial_of_a_run_has_failed_until_it_is_trained_again(sample: Sample, db: str) -> None:
    optunas(db, sample)
    run = sample.add(sample.record(0))
    write_trials(sample.engine, "s", {0: OptunaTrial("COMPLETE", 5.0, attributes={"n": 1, "judged_n": 2})})
    remove(sample.engine, DeletionRequest(runs=(run,)))
    sampler = optuna.samplers.RandomSampler(seed=0)
    first = optuna.load_study(study_name="s", storage=optuna_storage(db), sampler=sampler).trials[0]
    assert (first.state.name, first.values, len(first.params)) == ("FAIL", None, 1)
    assert first.user_attrs == {"unit": "pre", "why": "runs were deleted: they wait for the next `study run`"}
    assert first.datetime_complete is not None
    reopen_failed(sample.engine, "s", [0])  # as who trains it does
    again = optuna.load_study(study_name="s", storage=optuna_storage(db), sampler=optuna.samplers.RandomSampler(seed=0))
    first, second = again.trials
    assert (first.state.name, first.values, len(first.params), second.state.name) == ("RUNNING", None, 1, "COMPLETE")
    again.tell(0, 0.5)
    assert again.trials[0].value == 0.5


def test_a_study_of_more_runs_than_a_statement_takes(sample: Sample, db: str) -> None:
    record = replace(sample.record(0), history=(), epochs=0, status="failed", val_error_pct=None, test_score=None)
    with writing(sample.engine) as connection:
        for seed in range(1200):
            connection.execute(text(
                "INSERT INTO rb_run (architecture, recipe, data, seed, status, epochs, environment, created_at) "
                "VALUES ('arch', 'rec', 'dat', :seed, 'failed', 0, :environment, 'x')"
            ), {"seed": seed, "environment": record.environment})  # fmt: skip
        connection.execute(text(
            "INSERT INTO rb_study_run (study_id, trial_id, run_id, judges) SELECT :study, :trial, id, true FROM rb_run"
        ), {"study": sample.study_id, "trial": sample.trial_id})  # fmt: skip
    assert len(remove(sample.engine, DeletionRequest("s")).runs) == 1200
    assert counts(sample.engine).keys() == {"rb_change"}


def test_it_is_trained_again_after_it_was_deleted(sample: Sample) -> None:
    run = sample.add(sample.record(0))
    remove(sample.engine, DeletionRequest(runs=(run,)))
    put_environment(sample.engine, ENVIRONMENT)  # as whoever trains does
    again = save_run(sample.engine, sample.record(0, val_error_pct=4.0))
    link_run(sample.engine, sample.study_id, sample.trial_id, again)
    assert [found.val_error_pct for found in runs_of_study(sample.engine, "s")] == [4.0]
    assert get_study(sample.engine, "s").id == sample.study_id
    assert reveals(sample.engine, "s") == []


@pytest.mark.parametrize("held", ["role", "cell"])
def test_an_environment_stays_while_somebody_may_be_training_in_it(sample: Sample, held: str) -> None:
    sample.add(sample.record(0))
    other = a_study(sample, "other")
    if held == "role":
        take_role(sample.engine, coordinator_of("other"), "host:1:a", 60)
    else:
        enqueue_cell(sample.engine, other.trial_id, [9])
        claim_cell(sample.engine, other.study_id, "host:1:a")
    remove(sample.engine, DeletionRequest("s"))
    save_run(sample.engine, sample.record(9))


@pytest.mark.long
def test_the_keys_of_a_cell_are_those_that_its_training_uses() -> None:
    """They are worked out without torch here."""
    from resbench.store.results.checkpoints import checkpoint_key
    from resbench.train.execution.plan import Plan
    from resbench.workers.cell_plan import seed_stacks

    for plan in (Plan(1, "contiguous", 1), Plan(5, "channels_last", 2), Plan(2, "channels_last", 1, compiled=True)):
        cell = Cell(
            1, 1, "a", "r", "d", (0, 1, 7), "queued", None, None, None, None, 0, None, (), plan.record()
        )  # fmt: skip
        seeds = {block.seeds for block in seed_stacks(cell.seeds, plan.width)} | {(seed,) for seed in cell.seeds}
        assert {*keys_of(cell)} == {checkpoint_key("a", "r", "d", of, plan.way) for of in seeds}


def test_on_a_server_it_waits_for_who_saves_a_run_and_not_the_other_way_round(postgres: str) -> None:
    """Who saves a run writes to rb_run first and to rb_checkpoint last."""
    engine = open_store(postgres, create=True)
    sample = fill(engine)
    sample.add(sample.record(0))
    other = a_study(sample, "other")
    found = plan_deletion(engine, DeletionRequest("s"))
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as connection:
            run = write_run(connection, sample.record(9))
            deletion = pool.submit(delete_results, engine, DeletionRequest("s"), found, "ann", lambda worker: False)
            waits = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted"
            while not deletion.done() and not connection.execute(text(waits)).scalar():
                pass
            connection.execute(rb_checkpoint.delete())
        deletion.result()
    link_run(engine, other.study_id, other.trial_id, run)
    assert [one.seed for one in runs_of_study(engine, "other")] == [9]
    engine.dispose()
