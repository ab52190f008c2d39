"""A study's trials and runs -> what Optuna's own tools show of them: which unit, how long it trained, with what result.

A sampler of ours never reads this (study/suggest.py has a study of its own, in memory), so what is shown changes no search.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import fmean
from typing import Any

from resbench.evidence.intervals import interval
from resbench.evidence.sample import Sample
from resbench.store.epochs import epochs_of_study
from resbench.store.optuna_rows import JUDGED, WHY
from resbench.store.optuna_trials import OptunaTrial, reopen_failed, write_trials, write_units
from resbench.store.reading import StudyRun, runs_of_study
from resbench.store.records import FINISHED, EpochRecord, TrialRecord, TrialRow
from resbench.store.studies import get_study, trials_of_study
from resbench.store.untrained import causes_of_failure
from resbench.study.desk import Desk
from resbench.study.stages import first_seeds

_BY_CHOICE = (
    "mean val error % of the seeds by which the search chose; judged_mean is of those that the ranking rests on"
)
_BY_ALL = "mean val error % over the converged runs"


def show_units(desk: Desk) -> None:
    """Make the unit a parameter of every trial: without it no plot of Optuna's can compare units."""
    rows = trials_of_study(desk.engine, get_study(desk.engine, desk.spec.name).id)
    units = {row.trial.number: entry_of(row.trial) for row in rows}
    write_units(desk.engine, desk.spec.name, units, desk.role)


def show_again(desk: Desk, numbers: Collection[int]) -> None:
    """Show those of the trials as running that had failed: they are trained again."""
    reopen_failed(desk.engine, desk.spec.name, numbers, desk.role)


def show_results(desk: Desk, study_id: int, dealt: Mapping[int, Sequence[int]], *, stopped: bool = False) -> None:
    """Write every trial as it is now that this start ends: complete, pruned or failed, since nobody trains any more.

    `dealt`: of a grid, the seeds of each trial that this start looked at, by the trial's id. `stopped`: before its end; a trial
    whose runs are missing, and of which no cell failed, is left as it is.
    """
    engine, spec = desk.engine, desk.spec
    epochs, causes = epochs_of_study(engine, spec.name), causes_of_failure(engine, study_id)
    runs: dict[int, list[StudyRun]] = {}
    for run in runs_of_study(engine, spec.name):
        if run.status in FINISHED:
            runs.setdefault(run.trial, []).append(run)
    shown = {}
    for row in trials_of_study(engine, study_id):
        mine = runs.get(row.trial.number, [])
        if spec.search.is_grid:
            chosen, judged = [run for run in mine if run.judges], []
            seeds: Collection[int] = dealt.get(row.id, first_seeds(spec).seeds)
        else:
            seeds = spec.search.own_seeds
            chosen, judged = [run for run in mine if run.seed in seeds], [run for run in mine if run.judges]
        lacking = len({*seeds} - {run.seed for run in chosen})
        if stopped and lacking and row.id not in causes:
            continue
        why = None if not lacking else _reason(row, causes.get(row.id), lacking, len(seeds))
        shown[row.trial.number] = _shown(
            _Runs(chosen, judged, epochs, desk.means.data.n_val, not spec.search.is_grid), why
        )
    write_trials(engine, spec.name, shown, desk.role)


def entry_of(trial: TrialRecord) -> str:
    """The trial's name without the choices that are parameters of their own: the unit, with what its entry fixes.

    >>> entry_of(TrialRecord(0, "gated depth=8 bias=-3 rate=0.5", "gated", "net", {"unit.bias": "-3"}, "a", "r", "d"))
    'gated depth=8 rate=0.5'
    """
    name = trial.name
    for question, label in trial.params.items():
        head, found, tail = name.rpartition(f" {question.removeprefix('unit.')}={label}")
        if found and (not tail or tail.startswith(" ")):
            name = head + tail
    return name


@dataclass(frozen=True, slots=True)
class _Runs:
    """Finished runs of a trial. `judged`: of a search, those that the ranking rests on."""

    chosen: Sequence[StudyRun]
    judged: Sequence[StudyRun]
    epochs: Mapping[int, Sequence[EpochRecord]]
    n_val: int
    is_search: bool


def _reason(row: TrialRow, cause: str | None, lacking: int, seeds: int) -> str:
    if not row.trial.active:
        return f"the study does not name it now; {lacking} of {seeds} runs were not trained"
    reason = (
        "they wait for the next `study run`" if cause is None else f"failed: {cause}; the next `study run` tries again"
    )
    return f"{lacking} of {seeds} runs are missing: {reason}"


def _shown(runs: _Runs, why: str | None) -> OptunaTrial:
    sample = _sample(runs.chosen)
    numbers = _numbers(sample, runs.n_val) | {"train_s": sum(run.train_s or 0.0 for run in runs.chosen)}
    numbers["value_is"] = _BY_CHOICE if runs.is_search else _BY_ALL
    numbers |= dict.fromkeys(JUDGED)
    if runs.judged:
        judged = _sample(runs.judged)
        numbers |= {f"judged_{key}": value for key, value in _numbers(judged, runs.n_val).items()}
        numbers["judged_mean"] = judged.mean
    if why is None and sample.fails:
        why = f"{sample.diverged} of {sample.n} runs diverged"
    stopped = any(run.status == "stopped" for run in runs.chosen)
    state = "FAIL" if why is not None else "PRUNED" if stopped else "COMPLETE"
    value = None if why is not None else sample.mean
    return OptunaTrial(state, value, *_times(runs), numbers | {WHY: why}, _curve(runs))


def _sample(runs: Sequence[StudyRun]) -> Sample:
    scores = [run.val_error_pct for run in runs if run.status != "diverged" and run.val_error_pct is not None]
    return Sample("", tuple(scores), diverged=len(runs) - len(scores))


def _numbers(sample: Sample, n_val: int) -> dict[str, Any]:
    """As the leaderboard has them."""
    between = interval(sample, n_val)
    return {
        "n": sample.n,
        "converged": sample.converged,
        "std": None if sample.variance is None else sqrt(sample.variance),
        "interval_95": None if between is None else list(between),
    }


def _times(runs: _Runs) -> tuple[datetime | None, datetime | None]:
    """When training began and ended. Runs that were one training are saved at once, and each has its share of the time."""
    spent: dict[datetime, float] = {}
    for run in (*runs.chosen, *runs.judged):
        ended = datetime.strptime(run.created_at, "%Y-%m-%dT%H:%M:%SZ")
        spent[ended] = spent.get(ended, 0.0) + (run.wall_s or 0.0)
    if not spent:
        return None, None
    return min(ended - timedelta(seconds=seconds) for ended, seconds in spent.items()), max(spent)


def _curve(runs: _Runs) -> dict[int, float]:
    """The mean val error after each epoch, over the runs that converged."""
    errors: dict[int, list[float]] = {}
    for run in runs.chosen:
        for epoch in runs.epochs.get(run.run_id, ()) if run.status != "diverged" else ():
            error = epoch.val_error_pct if epoch.recomputed_val_error_pct is None else epoch.recomputed_val_error_pct
            if error is not None:
                errors.setdefault(epoch.epoch, []).append(error)
    return {epoch: fmean(found) for epoch, found in sorted(errors.items())}
