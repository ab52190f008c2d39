"""A study's trials and runs -> what Optuna's own tools show of them: which unit, how long it trained, with what result.

No sampler of ours reads this (search/optuna_samplers.py keeps a study of its own in memory): what is shown changes no search.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite, sqrt
from statistics import fmean
from typing import Any, TypeGuard

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from resbench.errors import BadInput, SpaceTooLarge
from resbench.language.graph.params import Domain, Range, label_of
from resbench.language.study.study import StudySpec
from resbench.language.yaml.node import Node
from resbench.random_streams import stream
from resbench.search.domains import choices
from resbench.search.point import Point
from resbench.statistics.intervals import interval
from resbench.statistics.sample import Sample
from resbench.store.open import Engine
from resbench.store.optuna.rows import JUDGED, WHY
from resbench.store.optuna.storage import optuna_storage
from resbench.store.optuna.trials import OptunaTrial, write_trials, write_units
from resbench.store.records import TRAINED_STATUSES, EpochRecord, Lease, TrialRecord, TrialRow
from resbench.store.results.epochs import epochs_of_study
from resbench.store.results.reading import StudyRun, runs_of_study
from resbench.store.results.studies import get_study, trials_of_study
from resbench.store.results.trials_without_runs import causes_of_failure

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
        if run.status in TRAINED_STATUSES:
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
    """Return Optuna's name of each question -> its distribution, over all points: a range as a range, choices as a list.

    A name has one kind of distribution in a study, so what a trial has already stays of its kind. Raises BadInput for a choice
    that is not in the list of a trial: Optuna's lists never change.
    """
    domains: dict[str, list[Domain]] = {}
    for point in points:
        for name, domain in point.domains.items():
            known = domains.setdefault(_optuna_name(name, point.unit), [])
            if domain not in known:
                known.append(domain)
    space = {name: _distribution(of) for name, of in domains.items()}
    present = {name: of for trial in optuna_study.get_trials() for name, of in trial.distributions.items()}
    for name in space.keys() & present.keys():
        existing, searches = present[name], f"study {optuna_study.name} searches {name} over"
        if not isinstance(existing, CategoricalDistribution):
            space[name] = _widened(existing, space[name], searches)
            continue
        allowed = _by_label(existing)
        try:
            new = [label for domain in domains[name] for label in choices(domain) if label not in allowed]
        except SpaceTooLarge:
            raise BadInput(
                f"{searches} {', '.join(allowed)}; expected choices, got a range; give --fork NAME"
            ) from None
        if new:
            raise BadInput(
                f"{searches} {', '.join(allowed)}; that may not grow "
                f"by {', '.join(dict.fromkeys(new))}: name a new value in an entry of its own, or give --fork NAME"
            )
        space[name] = existing
    return space


def _distribution(domains: Sequence[Domain]) -> BaseDistribution:
    """Return what Optuna calls the domains that one name has in a study."""
    ranges = [domain for domain in domains if isinstance(domain, Range)]
    if len(ranges) == len(domains):
        low, high = min(r.low for r in ranges), max(r.high for r in ranges)
        log = all(r.log for r in ranges)
        if all(r.whole for r in ranges):
            return IntDistribution(int(low), int(high), log=log)
        return FloatDistribution(low, high, log=log)
    values = {label: node for domain in domains for label, node in choices(domain).items()}
    numbers = [node.value for label, node in values.items() if _is_number(node.value) and label == label_of(node)]
    if len(set(numbers)) == len(values):
        return CategoricalDistribution(tuple(numbers))
    return CategoricalDistribution(tuple(values))  # labels, for Optuna would compare `1` and `true` as equal


def _widened(existing: BaseDistribution, wanted: BaseDistribution, searches: str) -> BaseDistribution:
    """Return a range of the kind of the existing one, which holds the other too. Raises BadInput where that is no range."""
    assert isinstance(existing, FloatDistribution | IntDistribution)
    if not isinstance(wanted, FloatDistribution | IntDistribution):
        raise BadInput(f"{searches} a range; expected a range, got choices; give --fork NAME")
    low, high = min(existing.low, wanted.low), max(existing.high, wanted.high)
    if isinstance(existing, IntDistribution):
        if isinstance(wanted, FloatDistribution):
            raise BadInput(f"{searches} whole numbers; expected a range of those, got one of any; give --fork NAME")
        return IntDistribution(int(low), int(high), log=existing.log)
    return FloatDistribution(low, high, log=existing.log)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _by_label(of: CategoricalDistribution) -> dict[str, Any]:
    """Return a list's entries by our labels: those of a study that an earlier version began are texts, also of numbers."""
    return {choice if isinstance(choice, str) else label_of(Node(choice)): choice for choice in of.choices}


def _as_optuna_has(label: str, of: BaseDistribution) -> Any:
    """Return what Optuna calls a value by our label; a label is rounded, so it may lie beside the end of its range."""
    if isinstance(of, CategoricalDistribution):
        return _by_label(of)[label]
    assert isinstance(of, FloatDistribution | IntDistribution)
    return int(label) if isinstance(of, IntDistribution) else min(max(float(label), of.low), of.high)


def ask(optuna_study: OptunaStudy, point: Point, space: Distributions) -> int:
    """Ask for a new trial of the point, under way. Returns its number."""
    named = {_optuna_name(name, point.unit): label for name, label in point.labels.items()}
    chosen = {name: _as_optuna_has(label, space[name]) for name, label in named.items()}
    attributes = {"unit": point.name, "digest": point.digest, "params": point.params, "macs": point.macs}
    return add(optuna_study, chosen, {name: space[name] for name in chosen}, attributes)


def add(
    optuna_study: OptunaStudy, chosen: Mapping[str, Any], space: Distributions, attributes: Mapping[str, object]
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
