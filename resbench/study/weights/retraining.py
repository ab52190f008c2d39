"""A run in the database -> the same run trained again, its weights, and whether every epoch has the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from resbench.compiler.export.serialized import safetensors_bytes
from resbench.errors import BadInput, DatabaseError
from resbench.store.open import Engine
from resbench.store.records import EnvironmentRecord, finite
from resbench.store.results.reading import RunDetail, run_detail
from resbench.store.results.runs import run_plan
from resbench.train.execution.device import best_device, repeatable
from resbench.train.execution.plan import plan_from
from resbench.train.fit import Hooks
from resbench.train.outcome import Epoch
from resbench.workers.environment import environment
from resbench.workers.job import Job, read_job, train
from resbench.workers.weights_keeper import metadata

NO_DIFFERENCE = "nothing of its provenance differs here; on CUDA some kernels add in any order, on a CPU none should"
_NUMBERS = ("train_loss", "train_error_pct", "val_loss", "val_error_pct")  # those that no study's rungs add to


@dataclass(frozen=True, slots=True)
class Retraining:
    """`was`, `now`: val error in percent. `differs`: of its provenance, then and here, where the numbers are not the same.

    `weights`: of a run that is complete, as a safetensors file.
    """

    same: bool
    was: float | None
    now: float
    differs: Mapping[str, tuple[object, object]]
    weights: bytes | None

    @property
    def why(self) -> str:
        return "; ".join(f"{name} was {was}, now {now}" for name, (was, now) in self.differs.items()) or NO_DIFFERENCE


def retrain(engine: Engine, run_id: int, on_epoch: Callable[[int, float], None]) -> Retraining:
    """Train the run again on the device at hand, with as many threads; nothing is written.

    Args:
        on_epoch: given every epoch and its val error in percent.

    Raises:
        BadInput: for a run that has not come to its end.
        DatabaseError: where epochs of it are missing.
    """
    detail = run_detail(engine, run_id)
    run = detail.run
    if run.status not in ("complete", "diverged"):
        raise BadInput(f"run {run_id} is {run.status}; only a run that came to its end can be held against another")
    device = torch.device("cpu") if detail.environment.device == "cpu" else best_device()
    repeatable(device)
    work = read_job(engine, run.architecture, run.recipe, run.data)
    how = run_plan(engine, run_id)
    seeds = tuple(how.get("seeds", [run.seed]))  # those that were one network with it
    states: dict[int, bytes] = {}

    def epoch(seed: int, row: Epoch) -> None:
        if seed == run.seed:
            on_epoch(row.epoch, row.val_error_pct)

    def keep(seed: int, _: Epoch, state: Mapping[str, Tensor]) -> None:
        if seed == run.seed:
            states[seed] = _file(work, detail, state)

    plan = plan_from({**how, "threads": detail.environment.threads})
    outcomes = train(work, seeds, plan, device, Hooks(epoch, weights=keep))
    again = outcomes[seeds.index(run.seed)]
    old = [tuple(getattr(row, name) for name in _NUMBERS) for row in detail.epochs]
    new = [tuple(finite(getattr(row, name)) for name in _NUMBERS) for row in again.epochs]
    if not detail.epochs or len(detail.epochs) != run.epochs:
        raise DatabaseError(
            f"run {run_id}: {run.epochs} epochs, and {len(detail.epochs)} of them are there; see `resbench db check`"
        )
    now = again.epochs[-1].judged_error_pct
    same = old == new and (run.status != "complete" or run.val_error_pct == now)
    differs = {} if same else _differs(detail.environment, environment(device, detail.environment.threads))
    return Retraining(same, run.val_error_pct, now, differs, states.get(run.seed))


def _file(work: Job, detail: RunDetail, state: Mapping[str, Tensor]) -> bytes:
    run = detail.run
    return safetensors_bytes(state, metadata(work, (run.architecture, run.recipe, run.data), run.seed))


def _differs(was: EnvironmentRecord, now: EnvironmentRecord) -> dict[str, tuple[object, object]]:
    """Return what of a run's provenance its bits may depend on and is otherwise here."""
    return {
        name: (there, here)
        for name in ("package_version", "torch", "device", "processor", "deterministic", "plugins")
        if (there := getattr(was, name)) != (here := getattr(now, name)) and there is not None
    }
