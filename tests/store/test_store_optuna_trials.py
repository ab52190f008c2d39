"""Optuna's rows of our trials, as Optuna itself reads them: brought up to date, grown, opened again, and whole after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Engine, text

from resbench import failpoints
from resbench.errors import LeaseLost
from resbench.store.connection.transaction import writing
from resbench.store.open import open_store
from resbench.store.optuna.storage import optuna_storage
from resbench.store.optuna.trials import MOST_UNITS, OptunaTrial, reopen_failed, write_trials, write_units
from resbench.store.records import Lease

BEGAN, ENDED = datetime(2026, 11, 30, 10, 0, 0, 250_000), datetime(2026, 11, 30, 10, 1)
DONE = OptunaTrial("COMPLETE", 5.25, BEGAN, ENDED, {"n": 3, "std": 0.5, "why": None}, {1: 9.0, 2: 5.25})


@pytest.fixture
def engine(db: str) -> Iterator[Engine]:
    """A study `s` of three trials under way."""
    engine = open_store(db, create=True)
    storage = optuna_storage(db)
    study = optuna.create_study(storage=storage, study_name="s")
    for number in range(3):
        study.ask().set_user_attr("unit", f"u{number}")
    optuna.create_study(storage=storage, study_name="other").ask()
    storage.engine.dispose()
    yield engine
    engine.dispose()


def trials(db: str, study: str = "s") -> list[FrozenTrial]:
    storage = optuna_storage(db)
    found = optuna.load_study(study_name=study, storage=storage).trials
    storage.engine.dispose()
    return found


def test_a_trial_is_shown_with_all_that_is_known_of_it(engine: Engine, db: str) -> None:
    write_trials(engine, "s", {0: DONE, 1: OptunaTrial("FAIL", attributes={"why": "it broke"}), 7: DONE})
    done, failed, open_ = trials(db)
    assert (done.state, done.value, done.intermediate_values) == (TrialState.COMPLETE, 5.25, {1: 9.0, 2: 5.25})
    assert done.user_attrs == {"unit": "u0", "n": 3, "std": 0.5}
    local = BEGAN.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
    assert (done.datetime_start, done.duration) == (local, ENDED - BEGAN)
    assert (failed.state, failed.values, failed.user_attrs["why"]) == (TrialState.FAIL, None, "it broke")
    assert open_.state == trials(db, "other")[0].state == TrialState.RUNNING


def test_what_is_there_is_replaced_and_nothing_is_written_twice(engine: Engine, db: str) -> None:
    write_trials(engine, "s", {0: OptunaTrial("FAIL", attributes={"why": "it broke"})})
    for _ in range(2):
        write_trials(engine, "s", {0: DONE})
        done = trials(db)[0]
        assert (done.state, done.value, "why" in done.user_attrs) == (TrialState.COMPLETE, 5.25, False)
    write_trials(engine, "s", {0: OptunaTrial("COMPLETE", 4.0, curve={1: 4.0})})
    assert (trials(db)[0].value, trials(db)[0].intermediate_values) == (4.0, {1: 4.0})


def test_only_what_failed_is_opened_again(engine: Engine, db: str) -> None:
    write_trials(engine, "s", {0: DONE, 1: OptunaTrial("FAIL"), 2: OptunaTrial("FAIL")})
    reopen_failed(engine, "s", {0, 1})
    assert [t.state.name for t in trials(db)] == ["COMPLETE", "RUNNING", "FAIL"]
    assert trials(db)[0].value == 5.25
    write_trials(engine, "s", {1: OptunaTrial("FAIL")})
    assert trials(db)[1].state == TrialState.FAIL


def test_the_unit_is_one_choice_of_all_that_the_study_has(engine: Engine, db: str) -> None:
    write_units(engine, "s", {0: "b", 1: "a é"})
    write_trials(engine, "s", {0: DONE, 1: DONE})
    assert [t.params for t in trials(db)] == [{"unit": "b"}, {"unit": "a é"}, {}]
    for _ in range(2):
        write_units(engine, "s", {0: "b", 1: "a é", 2: "c"})
        found = trials(db)
        assert [t.params["unit"] for t in found] == ["b", "a é", "c"]
        assert {t.distributions["unit"] for t in found} == {CategoricalDistribution(("b", "a é", "c"))}
    assert trials(db, "other")[0].params == {}


def test_a_list_that_somebody_has_changed_is_put_right(engine: Engine, db: str) -> None:
    units = {0: "b", 1: "a", 2: "c"}
    write_units(engine, "s", units)
    with writing(engine) as connection:
        connection.execute(text("UPDATE trial_params SET distribution_json = 'none' WHERE param_value > 0"))
        connection.execute(text("UPDATE trial_params SET param_value = 2 - param_value"))
    write_units(engine, "s", units)
    assert [t.params["unit"] for t in trials(db)] == ["b", "a", "c"]


def test_a_unit_that_thousands_have_of_their_own_is_no_parameter(engine: Engine, db: str) -> None:
    write_units(engine, "s", {0: "b", 1: "c"})
    write_units(engine, "s", {number: f"u{number}" for number in range(MOST_UNITS + 1)})
    assert [t.params for t in trials(db)] == [{}, {}, {}]


def test_a_kill_in_the_middle_leaves_a_state_that_the_next_start_mends(
    engine: Engine, db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resbench.store.optuna.trials._AT_ONCE", 1)
    failpoints.arm("trial.telling=raise@2")
    with pytest.raises(failpoints.FailpointReached):
        write_trials(engine, "s", {0: DONE, 1: DONE})
    failpoints.arm("")
    assert [t.state.name for t in trials(db)] == ["COMPLETE", "RUNNING", "RUNNING"]
    write_trials(engine, "s", {0: DONE, 1: DONE})
    assert [t.value for t in trials(db)] == [5.25, 5.25, None]


def test_who_has_lost_the_role_writes_nothing(engine: Engine, db: str) -> None:
    lost = Lease("coordinator of s", "somebody", 1)
    for write in (
        lambda: write_trials(engine, "s", {0: DONE}, lost),
        lambda: write_units(engine, "s", {0: "a"}, lost),
        lambda: reopen_failed(engine, "s", {0}, lost),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert (trials(db)[0].state, trials(db)[0].params) == (TrialState.RUNNING, {})


def test_a_study_that_optuna_does_not_have(engine: Engine) -> None:
    write_trials(engine, "gone", {0: DONE})
    write_units(engine, "gone", {0: "a"})
    reopen_failed(engine, "gone", {0})
