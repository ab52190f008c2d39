"""K networks with weights, recipe, data, seeds -> an Outcome for each.  One function holds the whole training loop.

The networks are side by side (compiler/modules/stack.py). Every draw comes from a stream named by (seed, epoch, purpose), so an
epoch can be repeated without the ones before it, and each network gets the numbers that it gets alone. Data are on the device;
the host does not wait for the device inside an epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from resbench.compiler.modules.initialize import numbered
from resbench.compiler.modules.stack import Stack
from resbench.data.dataset import Dataset
from resbench.data.split import Split, normalised, sealed_test
from resbench.errors import BadInput
from resbench.language.recipe.recipe import RecipeSpec
from resbench.train.batches import Batches, generator
from resbench.train.checkpoint import Checkpointer, restore
from resbench.train.clock import InPhase, each, untimed
from resbench.train.evaluate import UNREADABLE, Score, evaluate
from resbench.train.execution.compiled import uncompiled
from resbench.train.execution.layout import DEFAULT, ExecutionOptions
from resbench.train.execution.parallel import as_one
from resbench.train.execution.precision import allow, autocast
from resbench.train.execution.ranks import (
    all_reduce_sum,
    anywhere,
    broadcast,
    broadcast_iter,
    own_batch,
    shard,
    sync_from_rank0,
)
from resbench.train.outcome import Epoch, Outcome, constant_loss, has_learned, is_finite
from resbench.train.schedule import learning_rates, length
from resbench.train.statistics import recomputed
from resbench.train.step import Training, step, training

OnEpoch = Callable[[int, Epoch], None]


@dataclass(frozen=True, slots=True)
class Hooks:
    """The callbacks of a training.

    `on_epoch` is called with each network's seed and epoch. If it raises InterruptedError, the training is saved and ends with
    that epoch. `keeper` saves and loads checkpoints. `phase`: a clock's context for timing. `on_step` is called at every step;
    whatever it raises ends the training at once. `on_profile` is called with the networks after each epoch, from 0, and must not
    change them. `should_stop`: whether the networks stop after this epoch, by the val errors of all so far (percent, by
    epoch). `selects`: whether something is selected by the val errors of an epoch before the last. `wanted`: the positions of the
    networks that count, None for all; the others are trained because the last bits of a network depend on how many are trained
    beside it.
    `weights`: called with the seed, the last epoch and the state_dict of each network that finished and did not diverge, as it is
    evaluated; the tensors are views that are valid during the call.
    """

    on_epoch: OnEpoch
    keeper: Checkpointer | None = None
    phase: InPhase = untimed
    on_step: Callable[[], None] = lambda: None
    on_profile: Callable[[int, Stack], None] = lambda epoch, stacked: None
    should_stop: Callable[[Sequence[Sequence[float]]], bool] = lambda errors: False
    wanted: Sequence[int] | None = None
    selects: Callable[[int], bool] = lambda epoch: False
    weights: Callable[[int, Epoch, Mapping[str, Tensor]], None] | None = None

    def places(self, count: int) -> Sequence[int]:
        return range(count) if self.wanted is None else self.wanted


def fit(
    stacked: Stack, recipe: RecipeSpec, data: Dataset, seeds: tuple[int, ...], hooks: Hooks, *, way: ExecutionOptions = DEFAULT
) -> list[Outcome]:  # fmt: skip
    """Train the networks on the device of their parameters.

    A network that is no longer finite is not reported any more; it does not affect the others. Stopped networks are saved, so
    that they can resume from there.
    """
    began = time.perf_counter()
    count = len(seeds)
    device = next(stacked.network.parameters()).device
    allow(device, recipe.precision)
    val = normalised(data, "val", device)
    own_batch(recipe.batch, recipe.devices)
    batches = Batches(normalised(data, "train", device), recipe, seeds, shard())
    what = as_one(training(stacked, recipe, way, hooks.phase))
    run = length(recipe, len(batches.split.labels))
    rates = learning_rates(recipe, run)
    histories: list[list[Epoch]] = [[] for _ in seeds]
    done, spent_s = restore(what, histories, broadcast_iter(hooks.keeper.load() if hooks.keeper else iter(())))
    began -= spent_s
    if done == 0:
        hooks.on_profile(0, stacked)
    cut = bool(done) and bool(
        broadcast(_should_stop(hooks, histories))
    )  # the process may have been killed between the checkpoint and the result
    for epoch in range(done + 1, done if cut else run.epochs + 1):
        reseed_ops(stacked, seeds, epoch)
        started = time.perf_counter()
        loss_sum, wrong = torch.zeros(2, count, device=device)
        for number, (images, labels) in enumerate(each(batches.epoch(epoch), hooks.phase), (epoch - 1) * run.per_epoch):
            hooks.on_step()
            losses, missed = step(what, rates[number], images, labels)
            loss_sum += losses
            wrong += missed
        loss_sum, wrong = all_reduce_sum(torch.stack([loss_sum / shard().of, wrong]))
        train_losses = (loss_sum / run.per_epoch).tolist()  # waits for the device
        train_errors = (100 * wrong / (run.per_epoch * recipe.batch)).tolist()
        sync_from_rank0(
            [*stacked.network.buffers(), *(what.average.mean if what.average else [])]
        )  # ranks may have different values
        train_s = (time.perf_counter() - started) / count
        scores = score(what, val)
        judged = recipe.statistics == "recomputed" and (epoch == run.epochs or hooks.selects(epoch))
        again = score(what, val, batches.split, keep=epoch == run.epochs) if judged else None
        finite = [i for i, history in enumerate(histories) if not history or is_finite(history[-1])]
        going = [i for i in hooks.places(count) if i in finite]
        for i in finite:
            histories[i].append(
                Epoch(
                    epoch,
                    rates[number],
                    train_losses[i],
                    train_errors[i],
                    scores[i].loss,
                    scores[i].error_pct,
                    train_s,
                    again[i].loss if again else None,
                    again[i].error_pct if again else None,
                )
            )
        hooks.on_profile(epoch, stacked)
        keeper = hooks.keeper
        cut = epoch < run.epochs and bool(broadcast(_should_stop(hooks, histories)))
        if keeper is not None and (cut or keeper.due(epoch)) and epoch < run.epochs:
            keeper.keep(what, epoch, histories, time.perf_counter() - began)
        stopped: InterruptedError | None = None
        try:
            for i in going:
                hooks.on_epoch(seeds[i], histories[i][-1])
        except InterruptedError as error:
            stopped = error
            if keeper is not None:
                keeper.keep(what, epoch, histories, time.perf_counter() - began)
        if broadcast(stopped is not None):
            raise stopped or InterruptedError(f"stopped after epoch {epoch} by rank 0")
        if cut or not any(is_finite(histories[i][-1]) for i in going):
            break
    diverged = _diverged(what, batches.split, histories, cut)
    tests: list[Score] = []
    untested = ""
    if not cut and not all(diverged[i] for i in hooks.places(count)):
        tests, untested = _test_scores(what, data, device)
    if hooks.weights is not None and not cut and shard().rank == 0:
        with what.average.applied() if what.average else nullcontext():
            for i in hooks.places(count):
                if not diverged[i]:
                    hooks.weights(seeds[i], histories[i][-1], stacked.state(i))
    wall_s = (time.perf_counter() - began) / count
    return [
        Outcome(
            "diverged" if diverged[i] else "stopped" if cut else "complete",
            tuple(history),
            tests[i].loss if tests and not diverged[i] else None,
            tests[i].error_pct if tests and not diverged[i] else None,
            sum(row.train_s for row in history),
            wall_s,
            untested if not diverged[i] else "",
        )
        for i, history in enumerate(histories)
    ]


def _should_stop(hooks: Hooks, histories: Sequence[Sequence[Epoch]]) -> bool:
    of = [histories[i] for i in hooks.places(len(histories))]
    return hooks.should_stop([[row.judged_error_pct for row in history] for history in of])


def _diverged(what: Training, images: Split, histories: Sequence[Sequence[Epoch]], cut: bool) -> list[bool]:
    """Return, for each network, whether it diverged: a loss or weight is not finite or, unless it was stopped, it has learned
    nothing. Both the mean loss of the last epoch, whose first steps may be poor, and the loss at the end must show that.
    """
    lost = [not is_finite(history[-1]) or not all_finite(what.stacked, i) for i, history in enumerate(histories)]
    constant = constant_loss(images.labels, what.recipe.label_smoothing)
    doubted = [
        i for i, gone in enumerate(lost) if not (gone or cut or has_learned(histories[i][-1].train_loss, constant))
    ]
    at_end = score(what, images) if doubted else []
    useless = {i for i in doubted if not has_learned(at_end[i].loss, constant_loss(images.labels))}
    return [gone or i in useless for i, gone in enumerate(lost)]


def _test_scores(what: Training, data: Dataset, device: torch.device) -> tuple[list[Score], str]:
    """Score each network on the sealed test images. If they cannot be read, return no scores and the reason: the run is kept."""
    split, lost = None, ""
    try:
        split = sealed_test(data, device)
    except BadInput as error:
        lost = str(error)
    if anywhere(split is None):  # each process reads its own copy of the files; all score or none does
        return [], lost or UNREADABLE
    assert split is not None
    try:
        return score(what, split), ""
    except BadInput as error:
        return [], str(error)


def score(what: Training, split: Split, images: Split | None = None, *, keep: bool = False) -> list[Score]:
    """Score each network with its averaged weights if there are any. With `images`, the statistics of norms are first recomputed
    from them, and `keep` leaves them in place.
    """
    device, network, way = split.labels.device, what.stacked.network, what.way
    averaged = what.average.applied() if what.average else nullcontext()
    statistics = (
        nullcontext() if images is None else recomputed(network, images, what.stacked.seeds, way.layout, keep=keep)
    )
    with what.phase("evaluation"), uncompiled(way), autocast(device, what.recipe.precision), averaged, statistics:
        return evaluate(network, split, what.stacked.seeds, way.layout)


def reseed_ops(stacked: Stack, seeds: tuple[int, ...], epoch: int) -> None:
    """Give every random op the stream of its network's seed for this epoch."""
    device = next(stacked.network.parameters()).device
    for path, i, op in stacked.drawing():
        op.generator = generator(
            seeds[i], epoch, f"mask {numbered(path, stacked.numbers)}", "cpu" if op.on_host else device
        )


def all_finite(stacked: Stack, number: int) -> bool:
    """Return whether every weight and running statistic of one network is a finite number."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in stacked.state(number).values())
