"""What plain Optuna shows of a finished study: units as a parameter, times of training, spread, curves."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import pytest
from command_line import Database, Rb
from optuna.distributions import CategoricalDistribution
from study_sample import trials


def load(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name="small", storage=f"sqlite:///{folder / 'resbench.db'}")


def test_optuna_names_the_best_unit_and_weighs_units(finished: Path, read: Rb) -> None:
    study = load(finished)
    best = read("results", "top", "small", "--json").json[0]
    assert (study.best_trial.params, study.best_value) == ({"unit": best["unit"]}, pytest.approx(best["mean"]))
    frame = study.trials_dataframe()
    assert set(frame["params_unit"]) == {"plain", "original", "full_preactivation"}
    assert list(frame["value"]) == [trial.value for trial in study.trials]
    units = CategoricalDistribution(("plain", "original", "full_preactivation"))
    assert [t.distributions for t in study.trials] == [{"unit": units}] * 3
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    weights = optuna.importance.get_param_importances(study, evaluator=evaluator)
    assert weights == {"unit": 1.0}


def test_numbers_are_those_of_the_ranking(finished: Path, read: Rb) -> None:
    ranked = {row["unit"]: row for row in read("results", "top", "small", "--json").json}
    for trial in load(finished).trials:
        row, said = ranked[trial.params["unit"]], trial.user_attrs
        assert trial.value == pytest.approx(row["mean"])
        assert (said["n"], said["converged"]) == (row["n"], row["converged"]) == (3, 3)
        assert said["std"] == pytest.approx(row["std"])
        assert said["interval_95"] == pytest.approx([row["ci_low"], row["ci_high"]])
        assert said["train_s"] == pytest.approx(3 * row["train_s"])
        assert said["value_is"] == "mean val error % over the converged runs"


def test_times_and_curves_are_those_of_training(finished: Path) -> None:
    database = Database(finished / "resbench.db")
    for trial in load(finished).trials:
        unit = trial.params["unit"]
        rows = database.rows(f"SELECT created_at, wall_s FROM v_runs WHERE unit = '{unit}'")
        ended = [datetime.fromisoformat(at).astimezone().replace(tzinfo=None) for at, _ in rows]
        assert trial.datetime_complete == max(ended)
        spent = sum(wall for at, (_, wall) in zip(ended, rows, strict=True) if at == min(ended))
        assert trial.datetime_start is not None
        assert trial.datetime_start <= min(ended) - timedelta(seconds=spent - 1e-3)
        assert trial.duration is not None
        assert trial.duration >= timedelta(seconds=max(wall for _, wall in rows) - 1e-3)
        judged = "AVG(COALESCE(recomputed_val_error_pct, val_error_pct))"
        means = dict(database.rows(f"SELECT epoch, {judged} FROM v_epochs WHERE unit = '{unit}' GROUP BY epoch"))
        assert trial.intermediate_values == pytest.approx(means)
        assert trial.intermediate_values[1] == pytest.approx(trial.value)


@pytest.mark.usefixtures("ran")
def test_a_database_of_before_gets_it_all_at_the_next_start(rb: Rb, database: Database) -> None:
    whole = [_all(trial) for trial in trials(database.path)]
    database.change("DELETE FROM trial_params")
    database.change("DELETE FROM trial_intermediate_values")
    database.change("DELETE FROM trial_system_attributes")
    database.change("DELETE FROM trial_user_attributes WHERE key NOT IN ('unit', 'digest', 'params', 'macs')")
    database.change(
        "UPDATE trials SET datetime_start = '2020-01-01 00:00:00', datetime_complete = '2020-01-01 00:00:00'"
    )
    assert [_all(trial) for trial in trials(database.path)] != whole
    assert rb("study", "run", "small.yaml").err == "4 cached, 0 new\n"
    assert [_all(trial) for trial in trials(database.path)] == whole


@pytest.mark.long
@pytest.mark.usefixtures("ran")
def test_a_value_is_of_all_seeds_also_of_later_ones(rb: Rb, database: Database) -> None:
    said = rb("study", "run", "small.yaml", "seeds=3", "--json").json
    found = {t.params["unit"]: t for t in trials(database.path)}
    for row in said:
        assert found[row["unit"]].value == pytest.approx(row["mean"])
        assert found[row["unit"]].user_attrs["n"] == 3


@pytest.mark.long
def test_every_plot_of_optunas_has_something_to_show(finished: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from optuna.visualization import matplotlib as plots

    study = load(finished)
    for plot in (
        plots.plot_optimization_history,
        plots.plot_slice,
        plots.plot_edf,
        plots.plot_timeline,
        plots.plot_intermediate_values,
    ):
        with pytest.warns(optuna.exceptions.ExperimentalWarning):
            axes: Any = plot(study)
        assert axes is not None
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        lines = plots.plot_intermediate_values(study).get_lines()
    assert len(lines) == 3
    assert all(math.isfinite(y) for line in lines for y in line.get_ydata())


def _all(trial: optuna.trial.FrozenTrial) -> tuple[Any, ...]:
    return (
        trial.number, trial.state, trial.value, trial.datetime_start, trial.datetime_complete, trial.params,
        trial.distributions, trial.user_attrs, trial.intermediate_values,
    )  # fmt: skip
