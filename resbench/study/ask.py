"""Points -> Optuna's trials: the study's own record, which optuna-dashboard shows. Results: study/optuna_mirror.py.

One coordinator asks; a point is a trial under way at once. Sampler and pruner are given explicitly, since Optuna's defaults
change between versions.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from resbench.errors import BadInput
from resbench.seeds import stream
from resbench.spec.domain import Range
from resbench.store.optuna_storage import optuna_storage
from resbench.store.records import TrialRecord
from resbench.study.grid import MAX_POINTS, choices, count_of
from resbench.study.point import Point


@dataclass(frozen=True, slots=True)
class Searching:
    """Optuna's study, and the storage under it: through the study, each ask would read every trial that is under way."""

    study: optuna.Study
    storage: RDBStorage

    def get_trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states or None)


METRIC = "mean val error %"
SEARCH_METRIC = "mean val error % of the seeds that the search chose by"


def open_optuna(url: str, name: str) -> Searching:
    """The study of that name, made where it is not there; its value is the mean val error in percent."""
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
    return Searching(study, storage)


def name_metric(study: optuna.Study, metric: str) -> None:
    """Let plots say what a trial's value is. In frames of trials the column `value` is called otherwise then."""
    if len(study.directions) == 1 and study.metric_names != [metric]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([metric])


Space = Mapping[str, BaseDistribution]


def space_of(searching: Searching, points: Sequence[Point]) -> Space:
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
    for trial in searching.get_trials():
        for name, stands in trial.distributions.items():
            if isinstance(stands, FloatDistribution):
                continue
            allowed = stands.choices if isinstance(stands, CategoricalDistribution) else ()
            new = [label for label in labels.get(name, ()) if label not in allowed]
            if new:
                raise BadInput(
                    f"study {searching.study.study_name} searches {name} over {', '.join(map(str, allowed))}; that may not grow "
                    f"by {', '.join(new)}: name a new value in an entry of its own, or give --fork NAME"
                )
            space[name] = stands
    return space


def ask(searching: Searching, point: Point, space: Space) -> int:
    """A new trial for the point, under way. Returns its number."""
    named = {_optuna_name(name, point.unit): label for name, label in point.labels.items()}
    chosen = {n: float(label) if isinstance(space[n], FloatDistribution) else label for n, label in named.items()}
    told = {"unit": point.name, "digest": point.digest, "params": point.params, "macs": point.macs}
    return add(searching, chosen, {name: space[name] for name in chosen}, told)


def add(searching: Searching, chosen: Mapping[str, str | float], space: Space, told: Mapping[str, object]) -> int:
    """A trial that is under way, with its parameters. Costs the same however many there are."""
    trial = create_trial(
        state=TrialState.RUNNING, params=dict(chosen), distributions=dict(space), user_attrs=dict(told)
    )
    storage = searching.storage
    study_id = storage.get_study_id_from_name(searching.study.study_name)
    return int(storage.get_trial(storage.create_new_trial(study_id, trial)).number)


def close_lost(searching: Searching, wanted: Collection[int]) -> None:
    """Close as failed what was asked for and is not wanted: a crash came before its row, or its unit has changed."""
    for _ in searching.get_trials(TrialState.WAITING):
        searching.study.ask()  # a waiting trial cannot be told
    for trial in searching.get_trials(TrialState.RUNNING):
        if trial.number not in wanted:
            searching.study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)


def catch_up(searching: Searching, trials: Sequence[TrialRecord]) -> None:
    """Give Optuna the trials that it has not: `db merge` brought them. Its numbers run on without gaps, so ours come again."""
    known, ours = len(searching.get_trials()), {trial.number: trial for trial in trials}
    for number in range(known, max(ours, default=-1) + 1):
        trial = ours.get(number)
        attributes = {} if trial is None else {"unit": trial.name, "digest": trial.architecture}
        searching.study.add_trial(create_trial(state=TrialState.RUNNING, user_attrs=attributes))


def _optuna_name(name: str, unit: str) -> str:
    """`unit.gate_bias` -> `unit.exclusive_gating.gate_bias`: a study has several units."""
    return f"unit.{unit}.{name.removeprefix('unit.')}" if name.startswith("unit.") else name
