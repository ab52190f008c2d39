"""A job, which is what a cell trains, rebuilt from the database -> its outcomes; also on the ranks beside the first one.

They train what rank 0 trains, with their part of each batch, and keep nothing.
"""

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
    """Tell the other ranks that rank 0 has no more to do."""
    if shard().of > 1:
        broadcast(None)


def follow(device: torch.device) -> None:
    """Train what rank 0 trains, until it has no more to do. What is raised here ends this process, and torchrun the others."""
    repeatable(device)
    nothing: BroadcastJob | None = None
    while (message := broadcast(nothing)) is not None:
        with suppress(InterruptedError):  # rank 0 was asked to stop
            train(_received(message), message.seeds, plan_from(message.plan), device, Hooks(lambda seed, epoch: None))


@dataclass(frozen=True, slots=True)
class Job:
    """The network, recipe and data that a cell trains. `settings`: of the data set, beside its name."""

    bound: BoundNetwork
    recipe: RecipeSpec
    data: Dataset
    settings: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class BroadcastJob:
    """A job as rank 0 sends it to the others of one training. `data`: name, settings, digest."""

    network: str
    recipe: str
    data: tuple[str, Mapping[str, Plain], str]
    seeds: tuple[int, ...]
    plan: Mapping[str, Any]


def _received(message: BroadcastJob) -> Job:
    name, settings, digest = message.data
    return Job(from_json(message.network), recipe_from_json(message.recipe), _data(name, settings, digest), settings)


def _data(name: str, settings: Mapping[str, Plain], digest: str) -> Dataset:
    """Load the data. Raises BadInput where they are others than they were."""
    dataset, found = loaded(name, settings)
    if found != digest:
        raise BadInput(f"data set {name} is not the one of the study: its digest is {found}, not {digest}")
    return dataset


def stored_network(engine: Engine, architecture: str) -> BoundNetwork:
    """Build a network from its row, with its studies' plugins. Raises DatabaseError where none can be built from it."""
    use_plugins_of_network(engine, architecture)
    try:
        return from_json(get_architecture(engine, architecture).spec)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        why = printable(f"{type(error).__name__}: {error}", 200)
        raise DatabaseError(f"architecture {architecture}: what is stored is no network: {why}") from None


def read_job(engine: Engine, architecture: str, recipe: str, data: str) -> Job:
    """Read what a cell trains. Raises DatabaseError where it has another identity than it is stored under."""
    bound = stored_network(engine, architecture)
    identity = canonical(bound).digest
    if identity != architecture:
        raise DatabaseError(f"architecture {architecture}: what is stored has the digest {identity}")
    stored = get_data(engine, data)
    dataset = _data(stored.name, stored.settings, data)
    spec = stored_recipe(engine, recipe)
    return Job(bound, spec, dataset, stored.settings)


def check_recipe(recipe: RecipeSpec, device: torch.device) -> None:
    """Raise BadInput for what cannot be trained on this device by these processes."""
    own_batch(recipe.batch, recipe.devices)
    allow(device, recipe.precision)


def train(job: Job, seeds: tuple[int, ...], plan: Plan, device: torch.device, hooks: Hooks) -> list[Outcome]:
    """Train a run for each seed, all side by side: build, draw weights, fit. Rank 0 of several sends the job to the others.

    Raises TooLarge where they cannot fit on the device together, before anything is allocated.
    """
    own, there = shard(), device_memory(device)
    if there is not None:
        load = load_of(job.bound, job.recipe, describe(job.data), len(seeds))
        lacking = lacks_memory(job.bound, replace(load, recompute=plan.recompute), there)
        if lacking is not None:
            raise TooLarge(f"{title(job.bound)}: {lacking}")
    if own.of > 1 and own.rank == 0:
        data = (job.data.name, job.settings, loaded(job.data.name, job.settings)[1])
        broadcast(BroadcastJob(to_json(job.bound), recipe_to_json(job.recipe), data, seeds, plan.record()))
    stacked = stack(job.bound, len(seeds))
    initialize_stack(stacked, seeds, job.recipe.init)
    stacked.network.to(device)
    if plan.recompute:
        recompute(stacked.network)
    torch.set_num_threads(plan.threads)
    return fit(stacked, job.recipe, job.data, seeds, hooks, way=ExecutionOptions(plan.layout, plan.compiled))
