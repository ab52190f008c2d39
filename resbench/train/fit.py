"""K networks with weights, recipe, data, seeds -> an Outcome each.  The whole of training, in one function.

The networks stand side by side (compiler/modules/stack.py); of one it is that one. Every draw comes from a stream named by (seed,
epoch, purpose), so an epoch can be repeated without the ones before it, and each network has the numbers that it has alone. Data
lie on the device; nothing waits for the device inside an epoch.
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
from resbench.train.execution.compiled import as_it_was
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
    """What a training tells as it goes, and where it is kept so that it can go on.

    `on_epoch` is told of each network's epochs by its seed. An InterruptedError that it raises ends the training at the end of
    that epoch, kept. `phase`: a clock's, for whoever wants to know where the time goes. `beat` comes at every step, and ends the
    training at once by what it raises. `look` sees the networks after so many epochs, 0 at the start, and changes nothing.
    `enough`: whether an epoch is the last, by the val errors of all networks so far (percent, by epoch); then they are stopped.
    `chooses`: whether something is chosen by the val errors after an epoch before the last. `wanted`: the places of the networks
    that all this is about, None for all: the others keep them company, since the last bits of a network depend on how many are
    trained beside it. `weights`: given the seed, the last epoch and the state_dict of each of those that came to its end and did
    not diverge, as it is evaluated, in views that hold for the time of the call.
    """

    on_epoch: OnEpoch
    keeper: Checkpointer | None = None
    phase: InPhase = untimed
    beat: Callable[[], None] = lambda: None
    look: Callable[[int, Stack], None] = lambda epoch, stacked: None
    enough: Callable[[Sequence[Sequence[float]]], bool] = lambda errors: False
    wanted: Sequence[int] | None = None
    chooses: Callable[[int], bool] = lambda epoch: False
    weights: Callable[[int, Epoch, Mapping[str, Tensor]], None] | None = None

    def places(self, count: int) -> Sequence[int]:
        return range(count) if self.wanted is None else self.wanted


def fit(
    stacked: Stack, recipe: RecipeSpec, data: Dataset, seeds: tuple[int, ...], hooks: Hooks, *, way: ExecutionOptions = DEFAULT
) -> list[Outcome]:  # fmt: skip
    """Train on the device of the parameters.

    One that is no longer finite is told of no more; it does not disturb the others. Networks that are stopped are kept, so that
    they can go on from there.
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
        hooks.look(0, stacked)
    cut = bool(done) and bool(
        broadcast(_enough(hooks, histories))
    )  # a kill may have come between the checkpoint and the result
    for epoch in range(done + 1, done if cut else run.epochs + 1):
        reseed_ops(stacked, seeds, epoch)
        started = time.perf_counter()
        loss_sum, wrong = torch.zeros(2, count, device=device)
        for number, (images, labels) in enumerate(each(batches.epoch(epoch), hooks.phase), (epoch - 1) * run.per_epoch):
            hooks.beat()
            losses, missed = step(what, rates[number], images, labels)
            loss_sum += losses
            wrong += missed
        loss_sum, wrong = all_reduce_sum(torch.stack([loss_sum / shard().of, wrong]))
        train_losses = (loss_sum / run.per_epoch).tolist()  # waits for the device
        train_errors = (100 * wrong / (run.per_epoch * recipe.batch)).tolist()
        sync_from_rank0(
            [*stacked.network.buffers(), *(what.average.mean if what.average else [])]
        )  # each rank may have had its own
        train_s = (time.perf_counter() - started) / count
        scores = score(what, val)
        judged = recipe.statistics == "recomputed" and (epoch == run.epochs or hooks.chooses(epoch))
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
        hooks.look(epoch, stacked)
        keeper = hooks.keeper
        cut = epoch < run.epochs and bool(broadcast(_enough(hooks, histories)))
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
        tests, untested = _tested(what, data, device)
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


def _enough(hooks: Hooks, histories: Sequence[Sequence[Epoch]]) -> bool:
    of = [histories[i] for i in hooks.places(len(histories))]
    return hooks.enough([[row.judged_error_pct for row in history] for history in of])


def _diverged(what: Training, images: Split, histories: Sequence[Sequence[Epoch]], cut: bool) -> list[bool]:
    """Of each network, whether a loss or weight is not finite or, unless it was stopped, it has learned nothing: neither over the
    last epoch, of which the first may have been lost to the start, nor as it stands at the end.
    """
    lost = [not is_finite(history[-1]) or not all_finite(what.stacked, i) for i, history in enumerate(histories)]
    constant = constant_loss(images.labels, what.recipe.label_smoothing)
    doubted = [
        i for i, gone in enumerate(lost) if not (gone or cut or has_learned(histories[i][-1].train_loss, constant))
    ]
    at_end = score(what, images) if doubted else []
    useless = {i for i in doubted if not has_learned(at_end[i].loss, constant_loss(images.labels))}
    return [gone or i in useless for i, gone in enumerate(lost)]


def _tested(what: Training, data: Dataset, device: torch.device) -> tuple[list[Score], str]:
    """Of each network on the sealed test images; none, and why, where they cannot be read: the training is not lost for it."""
    split, lost = None, ""
    try:
        split = sealed_test(data, device)
    except BadInput as error:
        lost = str(error)
    if anywhere(split is None):  # each process reads its own copy of the files, and all score or none does
        return [], lost or UNREADABLE
    assert split is not None
    try:
        return score(what, split), ""
    except BadInput as error:
        return [], str(error)


def score(what: Training, split: Split, images: Split | None = None, *, keep: bool = False) -> list[Score]:
    """Of each network, with the weights that are meant to be evaluated; with `images` the statistics of norms are made anew from
    them first, and `keep` leaves them so.
    """
    device, network, way = split.labels.device, what.stacked.network, what.way
    averaged = what.average.applied() if what.average else nullcontext()
    anew = nullcontext() if images is None else recomputed(network, images, what.stacked.seeds, way.layout, keep=keep)
    with what.phase("evaluation"), as_it_was(way), autocast(device, what.recipe.precision), averaged, anew:
        return evaluate(network, split, what.stacked.seeds, way.layout)


def reseed_ops(stacked: Stack, seeds: tuple[int, ...], epoch: int) -> None:
    """Give every op that draws the stream of its network's seed for this epoch."""
    device = next(stacked.network.parameters()).device
    for path, i, op in stacked.drawing():
        op.generator = generator(
            seeds[i], epoch, f"mask {numbered(path, stacked.numbers)}", "cpu" if op.on_host else device
        )


def all_finite(stacked: Stack, number: int) -> bool:
    """Return whether every weight and running statistic of one network is a finite number."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in stacked.state(number).values())
