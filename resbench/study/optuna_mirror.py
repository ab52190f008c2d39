"""A study's trials and runs -> what Optuna's own tools show of them: which unit, how long it trained, with what result.

No sampler of ours reads this (search/optuna_samplers.py keeps a study of its own in memory): what is shown changes no search.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf, sqrt
from statistics import fmean
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from resbench.errors import BadInput
from resbench.language.graph.params import Range
from resbench.language.study.study import StudySpec
from resbench.random_streams import stream
from resbench.search.domains import MAX_POINTS, choices, count_of
from resbench.search.point import Point
from resbench.statistics.intervals import interval
from resbench.statistics.sample import Sample
from resbench.store.open import Engine
from resbench.store.optuna.storage import optuna_storage
from resbench.store.optuna.trials import OptunaTrial, write_trials, write_units
from resbench.store.records import FINISHED, EpochRecord, Lease, TrialRecord, TrialRow
from resbench.store.results.epochs import epochs_of_study
from resbench.store.results.reading import StudyRun, runs_of_study
from resbench.store.results.studies import get_study, trials_of_study
from resbench.store.results.untrained import causes_of_failure

_BY_CHOICE = (
    "mean val error % of the seeds by which the search chose; judged_mean is of those that the ranking rests on"
)
_BY_ALL = "mean val error % over the converged runs"


def show_units(engine: Engine, study: str, role: Lease) -> None:
    """Make the unit a parameter of every trial: without it no plot of Optuna's can compare units."""
    rows = trials_of_study(engine, get_study(engine, study).id)
    units = {row.trial.number: entry_of(row.trial) for row in rows}
    write_units(engine, study, units, role)


def show_results(
    engine: Engine,
    spec: StudySpec,
    seeds_of: Mapping[int, Sequence[int]],
    role: Lease,
    *,
    n_val: int,
    stopped: bool = False,
) -> None:
    """Write every trial as it is now that this start ends: complete, pruned or failed, since nobody trains any more.

    Args:
        engine: The database.
        spec: The study.
        seeds_of: Of a grid, the seeds of each trial that this start looked at, by the trial's id.
        role: The lease under which it is written.
        n_val: Images of the val split.
        stopped: Before its end; a trial whose runs are missing, and of which no cell failed, is left as it is.
    """
    study_id = get_study(engine, spec.name).id
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
            seeds: Collection[int] = seeds_of.get(row.id, spec.first_seeds)
        else:
            seeds = spec.search.own_seeds
            chosen, judged = [run for run in mine if run.seed in seeds], [run for run in mine if run.judges]
        lacking = len({*seeds} - {run.seed for run in chosen})
        if stopped and lacking and row.id not in causes:
            continue
        why = None if not lacking else _reason(row, causes.get(row.id), lacking, len(seeds))
        shown[row.trial.number] = _shown(_Runs(chosen, judged, epochs, n_val, not spec.search.is_grid), why)
    write_trials(engine, spec.name, shown, role)


def entry_of(trial: TrialRecord) -> str:
    """Return the trial's name without the choices that are parameters of their own: the unit, with what its entry fixes.

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
    numbers |= dict.fromkeys(("judged_n", "judged_converged", "judged_mean", "judged_std", "judged_interval_95"))
    if runs.judged:
        judged = _sample(runs.judged)
        numbers |= {f"judged_{key}": value for key, value in _numbers(judged, runs.n_val).items()}
        numbers["judged_mean"] = judged.mean
    if why is None and sample.fails:
        why = f"{sample.diverged} of {sample.n} runs diverged"
    stopped = any(run.status == "stopped" for run in runs.chosen)
    state = "FAIL" if why is not None else "PRUNED" if stopped else "COMPLETE"
    value = None if why is not None else sample.mean
    return OptunaTrial(state, value, *_times(runs), numbers | {"why": why}, _curve(runs))


def _sample(runs: Sequence[StudyRun]) -> Sample:
    scores = [run.val_error_pct for run in runs if run.status != "diverged" and run.val_error_pct is not None]
    return Sample("", tuple(scores), diverged=len(runs) - len(scores))


def _numbers(sample: Sample, n_val: int) -> dict[str, Any]:
    """Return the numbers as the leaderboard has them."""
    between = interval(sample, n_val)
    return {
        "n": sample.n,
        "converged": sample.converged,
        "std": None if sample.variance is None else sqrt(sample.variance),
        "interval_95": None if between is None else list(between),
    }


def _times(runs: _Runs) -> tuple[datetime | None, datetime | None]:
    """Return when training began and ended. Runs that were one training are saved at once, and each has its share of the time."""
    spent: dict[datetime, float] = {}
    for run in (*runs.chosen, *runs.judged):
        ended = datetime.strptime(run.created_at, "%Y-%m-%dT%H:%M:%SZ")
        spent[ended] = spent.get(ended, 0.0) + (run.wall_s or 0.0)
    if not spent:
        return None, None
    return min(ended - timedelta(seconds=seconds) for ended, seconds in spent.items()), max(spent)


def _curve(runs: _Runs) -> dict[int, float]:
    """Return the mean val error after each epoch, over the runs that converged."""
    errors: dict[int, list[float]] = {}
    for run in runs.chosen:
        for epoch in runs.epochs.get(run.run_id, ()) if run.status != "diverged" else ():
            error = epoch.val_error_pct if epoch.recomputed_val_error_pct is None else epoch.recomputed_val_error_pct
            if error is not None:
                errors.setdefault(epoch.epoch, []).append(error)
    return {epoch: fmean(found) for epoch, found in sorted(errors.items())}


@dataclass(frozen=True, slots=True)
class OptunaStudy:
    """Optuna's study, and the storage under it: through the study, each ask would read every trial that is under way."""

    study: optuna.Study
    storage: RDBStorage

    @property
    def name(self) -> str:
        """Return the study's name."""
        return self.study.study_name

    def get_trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states or None)


METRIC = "mean val error %"
SEARCH_METRIC = "mean val error % of the seeds that the search chose by"


def open_optuna(url: str, name: str) -> OptunaStudy:
    """Open the study of that name, made where it is not there; its value is the mean val error in percent."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna_storage(url)
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        direction="minimize",
        load_if_exists=True,
        sampler=optuna.samplers.RandomSampler(seed=stream(0, 0, f"sampler {name}") % 2**32),
        pruner=optuna.pruners.NopPruner(),
    )
    return OptunaStudy(study, storage)


def name_metric(study: optuna.Study, metric: str) -> None:
    """Let plots say what a trial's value is. In frames of trials the column `value` is called otherwise then."""
    if len(study.directions) == 1 and study.metric_names != [metric]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([metric])


Distributions = Mapping[str, BaseDistribution]


def space_of(optuna_study: OptunaStudy, points: Sequence[Point]) -> Distributions:
    """Optuna's name of each question -> its labels, over all points. Labels, never lists or numbers: Optuna would compare
    `1` and `true` as equal. Raises BadInput for a label that the study's space does not have: Optuna's spaces never change.
    """
    labels: dict[str, dict[str, None]] = {}
    space: dict[str, BaseDistribution] = {}
    for point in points:
        for name, domain in point.domains.items():
            called = _optuna_name(name, point.unit)
            if isinstance(domain, Range) and (count_of(domain) or inf) > MAX_POINTS:
                space[called] = FloatDistribution(domain.low, domain.high, log=domain.log)
            else:
                labels.setdefault(called, {}).update(dict.fromkeys(choices(domain)))
    space |= {name: CategoricalDistribution(tuple(of)) for name, of in labels.items()}
    for trial in optuna_study.get_trials():
        for name, known in trial.distributions.items():
            if isinstance(known, FloatDistribution):
                continue
            allowed = known.choices if isinstance(known, CategoricalDistribution) else ()
            new = [label for label in labels.get(name, ()) if label not in allowed]
            if new:
                raise BadInput(
                    f"study {optuna_study.name} searches {name} over {', '.join(map(str, allowed))}; that may not grow "
                    f"by {', '.join(new)}: name a new value in an entry of its own, or give --fork NAME"
                )
            space[name] = known
    return space


def ask(optuna_study: OptunaStudy, point: Point, space: Distributions) -> int:
    """Ask for a new trial of the point, under way. Returns its number."""
    named = {_optuna_name(name, point.unit): label for name, label in point.labels.items()}
    chosen = {n: float(label) if isinstance(space[n], FloatDistribution) else label for n, label in named.items()}
    attributes = {"unit": point.name, "digest": point.digest, "params": point.params, "macs": point.macs}
    return add(optuna_study, chosen, {name: space[name] for name in chosen}, attributes)


def add(
    optuna_study: OptunaStudy, chosen: Mapping[str, str | float], space: Distributions, attributes: Mapping[str, object]
) -> int:
    """Add a trial that is under way, with its parameters. Costs the same however many there are."""
    trial = create_trial(
        state=TrialState.RUNNING, params=dict(chosen), distributions=dict(space), user_attrs=dict(attributes)
    )
    storage = optuna_study.storage
    study_id = storage.get_study_id_from_name(optuna_study.name)
    return int(storage.get_trial(storage.create_new_trial(study_id, trial)).number)


def close_lost(optuna_study: OptunaStudy, wanted: Collection[int]) -> None:
    """Close as failed what was asked for and is not wanted: a crash came before its row, or its unit has changed."""
    for _ in optuna_study.get_trials(TrialState.WAITING):
        optuna_study.study.ask()  # a waiting trial cannot be closed
    for trial in optuna_study.get_trials(TrialState.RUNNING):
        if trial.number not in wanted:
            optuna_study.study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)


def catch_up(optuna_study: OptunaStudy, trials: Sequence[TrialRecord]) -> None:
    """Give Optuna the trials that it has not: `db merge` brought them. Its numbers run on without gaps, so ours come again."""
    known, ours = len(optuna_study.get_trials()), {trial.number: trial for trial in trials}
    for number in range(known, max(ours, default=-1) + 1):
        trial = ours.get(number)
        attributes = {} if trial is None else {"unit": trial.name, "digest": trial.architecture}
        optuna_study.study.add_trial(create_trial(state=TrialState.RUNNING, user_attrs=attributes))


def _optuna_name(name: str, unit: str) -> str:
    """`unit.gate_bias` -> `unit.exclusive_gating.gate_bias`: a study has several units."""
    return f"unit.{unit}.{name.removeprefix('unit.')}" if name.startswith("unit.") else name
