"""What a cell trains, rebuilt from the database -> one run; and how many runs go side by side on this machine."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import torch

from resbench.compiler.canonical import Canonical, canonical
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.materialise import materialise
from resbench.compiler.network import build
from resbench.compiler.record import from_json
from resbench.data.dataset import Dataset, digest
from resbench.data.registry import load
from resbench.errors import BadInput, DatabaseError
from resbench.spec.recipe import RecipeSpec, recipe_from_json
from resbench.store.catalogue import get_architecture, get_data, get_recipe
from resbench.store.engine import Engine
from resbench.train.fit import OnEpoch, fit
from resbench.train.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Job:
    """What a cell trains, rebuilt from the database."""

    bound: BoundNetwork
    canonical: Canonical
    recipe: RecipeSpec
    data: Dataset


def job(engine: Engine, architecture: str, recipe: str, data: str) -> Job:
    """Raises DatabaseError when what is stored has another identity than it is stored under."""
    bound = from_json(get_architecture(engine, architecture).spec)
    identity = canonical(bound)
    if identity.digest != architecture:
        raise DatabaseError(f"architecture {architecture}: what is stored has the digest {identity.digest}")
    dataset = load(get_data(engine, data).name)
    if digest(dataset) != data:
        raise BadInput(
            f"data set {dataset.name} is not the one of the study: its digest is {digest(dataset)}, not {data}"
        )
    spec = recipe_from_json(get_recipe(engine, recipe).spec)
    return Job(bound, identity, spec, dataset)


def train(work: Job, seed: int, device: torch.device, on_epoch: OnEpoch) -> Outcome:
    """One run: build, draw weights, fit."""
    network = build(work.bound)
    materialise(network, work.canonical.numbers, seed, work.recipe.init)
    return fit(network.to(device), work.canonical.numbers, work.recipe, work.data, seed, on_epoch)


@dataclass(frozen=True, slots=True)
class Slots:
    """How runs share a machine: `workers` seeds side by side in threads, each with `threads` of torch's own.

    A function of the study and the machine alone, not of what is still missing, so that a study that is run in two parts
    gives the same bits.
    """

    device: torch.device
    workers: int
    threads: int

    @staticmethod
    def on(device: torch.device, n_runs: int) -> Slots:
        """Small nets gain little from a second core, so on a CPU each of a study's runs gets its own."""
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        workers = max(1, min(n_runs, cores)) if device.type == "cpu" else 1
        return Slots(device, workers, max(1, cores // workers))
