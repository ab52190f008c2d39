"""Points -> Optuna's trials: the study's own record, which optuna-dashboard shows. Results: study/optuna_mirror.py.

One coordinator asks; a point is a trial under way at once. Sampler and pruner are given explicitly, since Optuna's defaults
change between versions.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeGuard

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from resbench.errors import BadInput, Endless
from resbench.seeds import stream
from resbench.spec.domain import Domain, Range, label_of
from resbench.spec.node import Node
from resbench.store.optuna_storage import optuna_storage
from resbench.store.records import TrialRecord
from resbench.study.grid import choices
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
    standing = {name: of for trial in searching.get_trials() for name, of in trial.distributions.items()}
    for name in space.keys() & standing.keys():
        stands, searches = standing[name], f"study {searching.study.study_name} searches {name} over"
        if not isinstance(stands, CategoricalDistribution):
            space[name] = _widened(stands, space[name], searches)
            continue
        allowed = _by_label(stands)
        try:
            new = [label for domain in domains[name] for label in choices(domain) if label not in allowed]
        except Endless:
            raise BadInput(
                f"{searches} {', '.join(allowed)}; expected choices, got a range; give --fork NAME"
            ) from None
        if new:
            raise BadInput(
                f"{searches} {', '.join(allowed)}; that may not grow "
                f"by {', '.join(dict.fromkeys(new))}: name a new value in an entry of its own, or give --fork NAME"
            )
        space[name] = stands
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


def _widened(stands: BaseDistribution, wanted: BaseDistribution, searches: str) -> BaseDistribution:
    """Return a range of the kind of the one that stands, which holds the other too. Raises BadInput where that is no range."""
    assert isinstance(stands, FloatDistribution | IntDistribution)
    if not isinstance(wanted, FloatDistribution | IntDistribution):
        raise BadInput(f"{searches} a range; expected a range, got choices; give --fork NAME")
    low, high = min(stands.low, wanted.low), max(stands.high, wanted.high)
    if isinstance(stands, IntDistribution):
        if isinstance(wanted, FloatDistribution):
            raise BadInput(f"{searches} whole numbers; expected a range of those, got one of any; give --fork NAME")
        return IntDistribution(int(low), int(high), log=stands.log)
    return FloatDistribution(low, high, log=stands.log)


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


def ask(searching: Searching, point: Point, space: Space) -> int:
    """A new trial for the point, under way. Returns its number."""
    named = {_optuna_name(name, point.unit): label for name, label in point.labels.items()}
    chosen = {name: _as_optuna_has(label, space[name]) for name, label in named.items()}
    told = {"unit": point.name, "digest": point.digest, "params": point.params, "macs": point.macs}
    return add(searching, chosen, {name: space[name] for name in chosen}, told)


def add(searching: Searching, chosen: Mapping[str, Any], space: Space, told: Mapping[str, object]) -> int:
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
