"""Ranks beside the first of one training: they train what rank 0 trains, with their part of each batch, and keep nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import torch

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.identity.serialize import from_json, to_json
from resbench.compiler.modules.network import recompute
from resbench.compiler.modules.stack import initialize_stack, stack
from resbench.data.dataset import Dataset, describe
from resbench.errors import BadInput, DatabaseError, TooLarge
from resbench.escape import printable
from resbench.language.recipe.recipe import RecipeSpec, recipe_from_json, recipe_to_json
from resbench.language.yaml.node import Plain
from resbench.measure.memory_check import device_memory, lacks_memory, title
from resbench.store.open import Engine
from resbench.store.results.catalogue import get_architecture, get_data, stored_recipe
from resbench.store.results.recorded_plugins import use_plugins_of_network
from resbench.train.execution.device import repeatable
from resbench.train.execution.layout import ExecutionOptions
from resbench.train.execution.plan import Plan, plan_from
from resbench.train.execution.precision import allow
from resbench.train.execution.ranks import broadcast, own_batch, shard
from resbench.train.fit import Hooks, fit
from resbench.train.memory import load_of
from resbench.train.outcome import Outcome
from resbench.workers.data import loaded


def dismiss() -> None:
    """Rank 0 has no more to do."""
    if shard().of > 1:
        broadcast(None)


def follow(device: torch.device) -> None:
    """Until rank 0 has no more to do. What is raised here ends this process, and torchrun the others."""
    repeatable(device)
    nothing: Task | None = None
    while (task := broadcast(nothing)) is not None:
        with suppress(InterruptedError):  # rank 0 was told to stop
            train(job_of(task), task.seeds, plan_from(task.plan), device, Hooks(lambda seed, epoch: None))


@dataclass(frozen=True, slots=True)
class Job:
    """What a cell trains, rebuilt from the database. `settings`: of the data set, beside its name."""

    bound: BoundNetwork
    recipe: RecipeSpec
    data: Dataset
    settings: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Task:
    """A job as rank 0 tells it to the others of one training. `data`: name, settings, digest."""

    network: str
    recipe: str
    data: tuple[str, Mapping[str, Plain], str]
    seeds: tuple[int, ...]
    plan: Mapping[str, Any]


def job_of(task: Task) -> Job:
    name, settings, digest = task.data
    return Job(from_json(task.network), recipe_from_json(task.recipe), _data(name, settings, digest), settings)


def _data(name: str, settings: Mapping[str, Plain], digest: str) -> Dataset:
    """Raises BadInput where they are others than they were."""
    dataset, found = loaded(name, settings)
    if found != digest:
        raise BadInput(f"data set {name} is not the one of the study: its digest is {found}, not {digest}")
    return dataset


def stored_network(engine: Engine, architecture: str) -> BoundNetwork:
    """Of a study's own plugins too. Raises DatabaseError for a row that no network can be built from."""
    use_plugins_of_network(engine, architecture)
    try:
        return from_json(get_architecture(engine, architecture).spec)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        why = printable(f"{type(error).__name__}: {error}", 200)
        raise DatabaseError(f"architecture {architecture}: what is stored is no network: {why}") from None


def job(engine: Engine, architecture: str, recipe: str, data: str) -> Job:
    """Raises DatabaseError when what is stored has another identity than it is stored under."""
    bound = stored_network(engine, architecture)
    identity = canonical(bound).digest
    if identity != architecture:
        raise DatabaseError(f"architecture {architecture}: what is stored has the digest {identity}")
    stored = get_data(engine, data)
    dataset = _data(stored.name, stored.settings, data)
    spec = stored_recipe(engine, recipe)
    return Job(bound, spec, dataset, stored.settings)


def check_recipe(recipe: RecipeSpec, device: torch.device) -> None:
    """Raises BadInput for what cannot be trained on this device by these processes."""
    own_batch(recipe.batch, recipe.devices)
    allow(device, recipe.precision)


def train(work: Job, seeds: tuple[int, ...], plan: Plan, device: torch.device, hooks: Hooks) -> list[Outcome]:
    """A run for each seed, all side by side: build, draw weights, fit. Rank 0 of several tells the others.

    Raises TooLarge where they cannot fit on the device together, before anything is allocated.
    """
    own, there = shard(), device_memory(device)
    if there is not None:
        load = load_of(work.bound, work.recipe, describe(work.data), len(seeds))
        lacking = lacks_memory(work.bound, replace(load, recompute=plan.recompute), there)
        if lacking is not None:
            raise TooLarge(f"{title(work.bound)}: {lacking}")
    if own.of > 1 and own.rank == 0:
        data = (work.data.name, work.settings, loaded(work.data.name, work.settings)[1])
        broadcast(Task(to_json(work.bound), recipe_to_json(work.recipe), data, seeds, plan.record()))
    stacked = stack(work.bound, len(seeds))
    initialize_stack(stacked, seeds, work.recipe.init)
    stacked.network.to(device)
    if plan.recompute:
        recompute(stacked.network)
    torch.set_num_threads(plan.threads)
    return fit(stacked, work.recipe, work.data, seeds, hooks, way=ExecutionOptions(plan.layout, plan.compiled))
