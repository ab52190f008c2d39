"""What Optuna is told: numbers as numbers, one value a trial, and nothing left open by a crash."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest
from command_line import Database, Rb
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial
from study_sample import trials

from resbench.errors import BadInput
from resbench.language.graph.params import Choices, Domain, Range
from resbench.language.yaml.node import Node
from resbench.language.yaml.reader import read_value
from resbench.study.optuna_mirror import add, ask, open_optuna, space_of

GATED = "units=[plain, {use: exclusive_gating, gate_bias: {choices: [0, -6]}}]"


def asked_and_lost(database: Path, *, waiting: bool) -> None:
    """A trial as a crash leaves it before its row is written: asked for, or (earlier still) only enqueued."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{database}")
    study = optuna.load_study(study_name="small", storage=storage)
    study.enqueue_trial({"unit.exclusive_gating.gate_bias": "0"}, user_attrs={"unit": "lost"})
    if not waiting:
        study.ask()
    storage.engine.dispose()


def test_choices_of_numbers_are_numbers_under_the_units_name(rb: Rb, small: Path, database: Database) -> None:
    assert rb("study", "run", "small.yaml", GATED, "seeds=1").status == 0
    plain, zero, six = trials(database.path)
    units = CategoricalDistribution(("plain", "exclusive_gating"))
    assert (plain.params, plain.distributions) == ({"unit": "plain"}, {"unit": units})
    name, unit = "unit.exclusive_gating.gate_bias", {"unit": "exclusive_gating"}
    assert (zero.params, six.params) == ({name: 0} | unit, {name: -6} | unit)
    assert zero.distributions == six.distributions == {name: CategoricalDistribution((0, -6)), "unit": units}
    assert zero.user_attrs["unit"] == "exclusive_gating gate_bias=0"
    assert zero.user_attrs["params"] == database.one("SELECT params FROM v_runs WHERE trial = 1")


@pytest.mark.long
def test_entries_of_one_unit_share_a_space(rb: Rb, small: Path, database: Database) -> None:
    entries = "units=[{use: exclusive_gating, gate_bias: {choices: [0]}}, {use: exclusive_gating, gate_bias: {choices: [-6]}}]"
    assert rb("study", "run", "small.yaml", entries, "seeds=1").status == 0
    name, unit = "unit.exclusive_gating.gate_bias", {"unit": "exclusive_gating"}
    assert [t.params for t in trials(database.path)] == [{name: 0} | unit, {name: -6} | unit]


@dataclass(frozen=True)
class Asking:
    """As much of a point as Optuna is told of."""

    domains: dict[str, Domain]
    labels: dict[str, str]
    unit: str = "u"
    name: str = "u"
    digest: str = "a"
    params: int = 1
    macs: int = 1


LR = "recipe.lr"


def choice_of(*texts: str) -> Choices:
    return Choices({text: read_value(text, "x") for text in texts})


def asked(url: str, *points: Asking) -> list[FrozenTrial]:
    searching = open_optuna(url, "s")
    for point in points:
        ask(searching, point, space_of(searching, [point]))  # type: ignore[arg-type, list-item]
    found = searching.get_trials()
    searching.storage.engine.dispose()
    return list(found)


@pytest.mark.parametrize(
    ("domain", "label", "value", "distribution"),
    [
        (Range(1, 5, 1, whole=True), "3", 3, IntDistribution(1, 5)),
        (Range(1, 2**40, 1, whole=True), "7", 7, IntDistribution(1, 2**40)),
        (Range(16, 256, 1, log=True, whole=True), "64", 64, IntDistribution(16, 256, log=True)),
        (Range(0.1, 0.5, 0.1), "0.3", 0.3, FloatDistribution(0.1, 0.5)),
        (Range(1e-4, 1, log=True), "0.012345678901", 0.012345678901, FloatDistribution(1e-4, 1, log=True)),
        (Range(0.1234567890123456, 1), "0.123456789012", 0.1234567890123456, FloatDistribution(0.1234567890123456, 1)),
        (choice_of("0.1", "1", "-3"), "-3", -3, CategoricalDistribution((0.1, 1, -3))),
        (choice_of("1", "true"), "true", "true", CategoricalDistribution(("1", "true"))),
        (choice_of("1", '"1"'), '"1"', '"1"', CategoricalDistribution(("1", '"1"'))),
        (choice_of("1", ".inf"), ".inf", ".inf", CategoricalDistribution(("1", ".inf"))),
        (Choices({"few": Node(1), "many": Node(9)}), "many", "many", CategoricalDistribution(("few", "many"))),
    ],
)  # fmt: skip
def test_ranges_are_ranges_and_choices_of_numbers_are_numbers(
    domain: Domain, label: str, value: object, distribution: BaseDistribution, tmp_path: Path
) -> None:
    (trial,) = asked(str(tmp_path / "r.db"), Asking({LR: domain}, {LR: label}))
    assert (trial.params, trial.distributions) == ({LR: value}, {LR: distribution})
    assert type(trial.params[LR]) is type(value)


def test_a_range_may_grow_and_stays_of_its_kind(tmp_path: Path) -> None:
    url = str(tmp_path / "r.db")
    asked(url, Asking({LR: Range(0.1, 0.5)}, {LR: "0.3"}))
    wider = asked(url, Asking({LR: Range(0.2, 0.9)}, {LR: "0.7"}), Asking({LR: Range(1, 2, 1, whole=True)}, {LR: "2"}))
    assert [trial.params[LR] for trial in wider] == [0.3, 0.7, 2.0]
    assert wider[1].distributions == {LR: FloatDistribution(0.1, 0.9)}
    with pytest.raises(BadInput, match=r"searches recipe.lr over a range; expected a range, got choices; give --fork"):
        asked(url, Asking({LR: choice_of("0.1", "0.2")}, {LR: "0.1"}))


def test_a_study_that_an_earlier_version_began_goes_on_with_its_texts(tmp_path: Path) -> None:
    url = str(tmp_path / "r.db")
    searching = open_optuna(url, "s")
    add(searching, {LR: "0.1"}, {LR: CategoricalDistribution(("0.1", "0.2"))}, {})
    searching.storage.engine.dispose()
    for domain in (choice_of("0.1", "0.2"), Range(0.1, 0.2, 0.1)):
        assert asked(url, Asking({LR: domain}, {LR: "0.2"}))[-1].params == {LR: "0.2"}
    with pytest.raises(BadInput, match=r"over 0.1, 0.2; that may not grow by 0.3"):
        asked(url, Asking({LR: choice_of("0.1", "0.3")}, {LR: "0.3"}))
    with pytest.raises(BadInput, match=r"over 0.1, 0.2; expected choices, got a range"):
        asked(url, Asking({LR: Range(0.1, 0.2)}, {LR: "0.15"}))


GONE = "is not named any more: its runs stay in the database, out of the ranking; named again, it is back\n"


@pytest.mark.long
@pytest.mark.usefixtures("ran")
def test_a_space_that_grows_is_refused_and_a_smaller_one_is_not(rb: Rb, database: Database) -> None:
    rb("study", "run", "small.yaml", GATED, "seeds=1")
    said = rb("study", "run", "small.yaml", GATED.replace("[0, -6]", "[0, -6, -3]"), "seeds=1")
    assert said.status == 2
    assert "searches unit.exclusive_gating.gate_bias over 0, -6; that may not grow by -3" in said.err
    assert len(trials(database.path)) == database.one("SELECT COUNT(*) FROM rb_trial") == 4
    smaller = rb("study", "run", "small.yaml", GATED.replace("[0, -6]", "[-6]"), "seeds=1")
    assert smaller.err == f"exclusive_gating gate_bias=0 {GONE}2 cached, 0 new\n"
    own = rb("study", "run", "small.yaml", GATED, "units+={use: exclusive_gating, gate_bias: -3}", "seeds=1")
    assert own.err.startswith("3 cached, 1 new\n")


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize("waiting", [pytest.param(False, marks=pytest.mark.long), True], ids=["asked", "enqueued"])
def test_a_trial_lost_before_its_row_is_closed(waiting: bool, rb: Rb, database: Database) -> None:
    asked_and_lost(database.path, waiting=waiting)
    assert rb("study", "run", "small.yaml", GATED, "seeds=1").status == 0
    found = trials(database.path)
    assert [t.state.name for t in found] == ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    rows = dict(database.rows("SELECT number, name FROM rb_trial"))
    assert rows == {0: "plain", 1: "original", 3: "exclusive_gating gate_bias=0", 4: "exclusive_gating gate_bias=-6"}
    assert all(found[number].user_attrs["unit"] == name for number, name in rows.items())
    assert [t.params["unit.exclusive_gating.gate_bias"] for t in found[3:]] == [0, -6]


@pytest.mark.usefixtures("ran")
def test_a_result_saved_but_never_told_is_told_at_the_next_start(rb: Rb, database: Database) -> None:
    database.change("DELETE FROM trial_values WHERE trial_id = 1")
    database.change("UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE trial_id = 1")
    assert rb("study", "run", "small.yaml").err == "4 cached, 0 new\n"
    mean = database.one("SELECT mean FROM v_leaderboard WHERE unit = 'plain'")
    assert (trials(database.path)[0].state.name, trials(database.path)[0].value) == ("COMPLETE", pytest.approx(mean))


@pytest.mark.usefixtures("ran")
def test_a_unit_left_out_this_time_has_failed_and_is_not_trained(rb: Rb, database: Database) -> None:
    """As after Ctrl-C: one cell is queued, its trial running; the next command names another unit."""
    database.change("DELETE FROM trial_values WHERE trial_id = 1")
    database.change("UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE trial_id = 1")
    for table in ("rb_study_run", "rb_epoch", "rb_test_score"):
        database.change(f"DELETE FROM {table} WHERE run_id = 1")
    database.change("DELETE FROM rb_run WHERE id = 1")
    database.change("UPDATE rb_cell SET status = 'queued' WHERE id = 1")
    assert rb("study", "run", "small.yaml", "units=[original]").err == f"plain {GONE}2 cached, 0 new\n"
    left = trials(database.path)[0]
    assert (left.state.name, left.value) == ("FAIL", None)
    assert left.user_attrs["why"] == "the study does not name it now; 1 of 2 runs were not trained"
    assert database.rows("SELECT status, error FROM rb_cell WHERE id = 1") == [("failed", "given up: planned again")]
    assert rb("study", "run", "small.yaml").err.startswith("3 cached, 1 new\n")
    again = trials(database.path)[0]
    assert (again.state.name, "why" in again.user_attrs) == ("COMPLETE", False)
