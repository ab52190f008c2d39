"""A study in the database -> of every architecture, its trained errors and the number of every proxy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import torch

from resbench.data.split import in_order, normalised
from resbench.errors import BadInput
from resbench.evidence.study_runs import aliases, study_runs
from resbench.measure.macs import macs
from resbench.measure.memory_check import require
from resbench.measure.threads import SMALL_MACS
from resbench.store.open import Engine
from resbench.store.results.catalogue import get_architecture, get_data, stored_recipe
from resbench.store.results.recorded_plugins import use_plugins_of
from resbench.study.planning import cores
from resbench.theory.proxy import measure, proxies, started
from resbench.workers.data import loaded
from resbench.workers.job import stored_network

BASELINES = ("params", "macs")


@dataclass(frozen=True, slots=True)
class ProxyScores:
    """The numbers of untrained networks beside the errors of trained ones, each in one order.

    Attributes:
        names: Of the units.
        digests: Of the architectures.
        errors: Mean val error in percent over converged runs; inf where under half converged.
        scores: Val error of every run; inf where it diverged.
        values: Of each proxy; None where it is no finite number.
    """

    names: list[str]
    digests: list[str]
    errors: list[float]
    scores: list[list[float]]
    values: dict[str, list[float | None]]


def score_proxies(
    engine: Engine, study: str, count: int, seed: int, on_network: Callable[[int, int], None]
) -> ProxyScores:
    """Try every proxy on every architecture of a study.

    Raises BadInput for a study with more than one recipe, whose ranking is not one of networks, or under two architectures.
    """
    use_plugins_of(engine, study)
    runs = study_runs(engine, study)
    if len({recipe for _, recipe in runs.groups}) > 1:
        raise BadInput(
            f"study {study} searches its recipe, so its ranking is not one of networks: no proxy can be held against it"
        )
    if len(runs.groups) < 2:
        raise BadInput(f"study {study} has one architecture with runs; two or more are needed")
    first = next(iter(runs.groups.values()))[0]
    stored = get_data(engine, first.data_digest)
    dataset, digest = loaded(stored.name, stored.settings)
    if digest != first.data_digest:
        raise BadInput(
            f"data set {stored.name} is not the one of the study: its digest is {digest}, not {first.data_digest}"
        )
    images, labels = next(in_order(normalised(dataset, "train"), count))
    recipe = stored_recipe(engine, first.recipe_digest)
    found = ProxyScores([], [], [], [], {name: [] for name in (*BASELINES, *proxies())})
    for number, ((architecture, _), group) in enumerate(runs.groups.items(), start=1):
        row = get_architecture(engine, architecture)
        bound = stored_network(engine, architecture)
        require("trying proxies", bound, times=2, images=count)  # the network, and a copy that is spoiled
        by_seed = {run.seed: run for run in group}
        scores = [
            inf if run.status == "diverged" or run.val_error_pct is None else run.val_error_pct
            for run in by_seed.values()
        ]
        converged = [score for score in scores if score < inf]
        found.names.append(aliases(group)[0])
        found.digests.append(architecture)
        found.scores.append(scores)
        found.errors.append(sum(converged) / len(converged) if converged and 2 * len(converged) >= len(scores) else inf)
        found.values["params"].append(float(row.params))
        found.values["macs"].append(float(macs(bound).count))
        threads = 1 if found.values["macs"][-1] * count < SMALL_MACS else cores()  # type: ignore[operator]
        torch.set_num_threads(threads)
        start = started(bound, recipe.init, seed, images, labels)
        for name in proxies():
            found.values[name].append(measure(name, start))
        on_network(number, len(runs.groups))
    return found
