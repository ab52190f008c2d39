"""Points -> Optuna's trials, and results -> their values.  The only file that searches through Optuna.

One coordinator asks; a point is enqueued with its labels and asked for at once. Sampler and pruner are given explicitly,
since Optuna's defaults change between versions.
"""

from __future__ import annotations

from collections.abc import Mapping

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import TrialState

from resbench.seeds import stream
from resbench.spec.domain import Domain
from resbench.store.optuna_storage import optuna_storage
from resbench.study.space import Point, choices


def open_optuna(url: str, name: str) -> optuna.Study:
    """The study of that name, made where it is not there; its value is the mean val error in percent."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        storage=optuna_storage(url),
        study_name=name,
        direction="minimize",
        load_if_exists=True,
        sampler=optuna.samplers.RandomSampler(seed=stream(0, 0, f"sampler {name}") % 2**32),
        pruner=optuna.pruners.NopPruner(),
    )


def ask(study: optuna.Study, point: Point) -> int:
    """A new trial for the point. Returns its number."""
    names = {name: _optuna_name(name, point.unit) for name in point.labels}
    study.enqueue_trial(
        {names[name]: label for name, label in point.labels.items()},
        user_attrs={"unit": point.name, "digest": point.digest, "params": point.params, "macs": point.macs},
    )
    trial = study.ask(fixed_distributions=_distributions(point.domains, names))
    return trial.number


def tell(study: optuna.Study, number: int, value: float | None) -> None:
    """The trial's value; None: under half of its runs converged. A trial that is told already stays as it is."""
    if value is None:
        study.tell(number, state=TrialState.FAIL, skip_if_finished=True)
    else:
        study.tell(number, value, skip_if_finished=True)


def unfinished(study: optuna.Study) -> list[int]:
    """Trials that were asked for and never told."""
    states = (TrialState.RUNNING, TrialState.WAITING)
    return [trial.number for trial in study.get_trials(deepcopy=False, states=states)]


def _distributions(domains: Mapping[str, Domain], names: Mapping[str, str]) -> dict[str, BaseDistribution]:
    """Labels, never lists or numbers: Optuna would compare `1` and `true` as equal."""
    return {names[name]: CategoricalDistribution(tuple(choices(domain))) for name, domain in domains.items()}


def _optuna_name(name: str, unit: str) -> str:
    """`unit.gate_bias` -> `unit.exclusive_gating.gate_bias`: a study has several units."""
    return f"unit.{unit}.{name.removeprefix('unit.')}" if name.startswith("unit.") else name
