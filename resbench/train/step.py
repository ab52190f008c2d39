"""K networks side by side and a batch for each -> one training step; losses (K, nats) and misclassified images (K)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resbench.compiler.modules.inplace import use_inplace
from resbench.compiler.modules.stack import Stack
from resbench.language.recipe.recipe import RecipeSpec
from resbench.train.average import WeightAverage
from resbench.train.clip import Clip
from resbench.train.clock import InPhase, untimed
from resbench.train.execution.compiled import compile_parts
from resbench.train.execution.layout import DEFAULT, ExecutionOptions, memory_format, set_layout
from resbench.train.execution.precision import autocast
from resbench.train.optim import make_optimizer


@dataclass(frozen=True, slots=True)
class Training:
    """A stack with all that a step needs. `average`: the weights to evaluate, if not the trained ones; `run`: the module that is
    called in place of the network.
    """

    stacked: Stack
    recipe: RecipeSpec
    optimizer: torch.optim.Optimizer
    clip: Clip | None
    average: WeightAverage | None
    run: nn.Module
    way: ExecutionOptions = DEFAULT
    phase: InPhase = untimed


def training(stacked: Stack, recipe: RecipeSpec, way: ExecutionOptions = DEFAULT, phase: InPhase = untimed) -> Training:
    """Prepare a network for training; it must be on its device already."""
    set_layout(stacked.network, way.layout)
    stacked.network.train()
    use_inplace(stacked.network)
    if way.compiled:
        compile_parts(stacked.network)
    return Training(
        stacked,
        recipe,
        make_optimizer(stacked.network, recipe.optimizer),
        None if recipe.clip_norm is None else Clip(stacked, recipe.clip_norm),
        None if recipe.average is None else WeightAverage(stacked.network, recipe.average.decay),
        stacked.network,
        way,
        phase,
    )


def step(what: Training, lr: float, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Run one step. `images` B(K C)HW, `labels` KB, on the device. Losses are summed, so each network gets its own gradient."""
    for group in what.optimizer.param_groups:
        group["lr"] = lr
    with what.phase("forward"):
        images = images.contiguous(memory_format=memory_format(what.way.layout))
        with autocast(images.device, what.recipe.precision):
            logits = torch.unflatten(what.run(images), 1, (len(labels), -1)).permute(1, 2, 0)  # K x classes x B
        logits = logits.float() if logits.dtype == torch.bfloat16 else logits
        smoothing = what.recipe.label_smoothing
        losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing).mean(1)
    with what.phase("backward"):
        what.optimizer.zero_grad(set_to_none=True)
        losses.sum().backward()  # type: ignore[no-untyped-call]
    with what.phase("optimizer"):
        if what.clip is not None:
            what.clip.apply()
        what.optimizer.step()
        if what.average is not None:
            what.average.update()
    return losses.detach(), (logits.detach().argmax(1) != labels).sum(1)
