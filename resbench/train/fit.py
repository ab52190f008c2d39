"""Network with weights, recipe, data, seed -> Outcome.  The whole of training, in one function.

Every draw comes from a stream named by (seed, epoch, purpose), so an epoch can be repeated without the ones before it.
Data lie on the device; nothing waits for the device inside an epoch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resbench.compiler.materialise import numbered
from resbench.compiler.network import random_ops
from resbench.compiler.overwrite import overwrite
from resbench.data.augment import AUGMENTATIONS
from resbench.data.dataset import Dataset, normalised, sealed_test
from resbench.seeds import stream
from resbench.spec.recipe import RecipeSpec
from resbench.train.evaluate import evaluate
from resbench.train.optim import make_optimizer
from resbench.train.outcome import Epoch, Outcome, is_diverged
from resbench.train.schedule import learning_rates, length

OnEpoch = Callable[[Epoch], None]


def fit(
    network: nn.Module, numbers: Mapping[str, int], recipe: RecipeSpec, data: Dataset, seed: int, on_epoch: OnEpoch
) -> Outcome:
    """Train on the device of the network's parameters. `numbers` name the streams of ops that draw (canonical form)."""
    began = time.perf_counter()
    device = next(network.parameters()).device
    # On the CPU channels last gains nothing here, and in torch 2.14 the gradient of a 1x1 convolution with stride and bias then
    # writes beyond its memory (seen with 4 -> 8 channels)
    layout = torch.contiguous_format if device.type == "cpu" else torch.channels_last
    network.to(memory_format=layout).train()
    overwrite(network)
    (x, y), (x_val, y_val) = (
        (a.to(device), b.to(device)) for a, b in (normalised(data, "train"), normalised(data, "val"))
    )
    x_val = x_val.contiguous(memory_format=layout)
    optimizer = make_optimizer(network, recipe.optimizer)
    run = length(recipe, len(y))
    rates = learning_rates(recipe, run)
    drawing = random_ops(network)
    epochs: list[Epoch] = []
    for epoch in range(1, run.epochs + 1):
        order = torch.randperm(len(y), generator=_generator(seed, epoch, "order")).to(device)
        augmenting = _generator(seed, epoch, "augmentation", device)
        for path, op in drawing.items():
            op.generator = _generator(seed, epoch, f"mask {numbered(path, numbers)}", "cpu" if op.on_host else device)
        started = time.perf_counter()
        loss_sum, wrong = torch.zeros(2, device=device)
        for step in range(run.per_epoch):
            chosen = order[step * recipe.batch : (step + 1) * recipe.batch]
            images, labels = augment(x[chosen], recipe, augmenting), y[chosen]
            for group in optimizer.param_groups:
                group["lr"] = rates[(epoch - 1) * run.per_epoch + step]
            logits = network(images.contiguous(memory_format=layout))
            loss = F.cross_entropy(logits, labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            loss_sum += loss.detach()
            wrong += (logits.detach().argmax(1) != labels).sum()
        train_loss = float(loss_sum) / run.per_epoch  # waits for the device
        train_s = time.perf_counter() - started
        val = evaluate(network, x_val, y_val)
        seen = run.per_epoch * recipe.batch
        rate = rates[epoch * run.per_epoch - 1]
        row = Epoch(epoch, rate, train_loss, 100 * float(wrong) / seen, val.loss, val.error_pct, train_s)
        epochs.append(row)
        on_epoch(row)
        if not (math.isfinite(train_loss) and math.isfinite(val.loss)):
            break
    total_s = sum(row.train_s for row in epochs)
    if is_diverged(epochs[-1], y_val) or not all_finite(network):
        return Outcome("diverged", tuple(epochs), None, None, total_s, time.perf_counter() - began)
    x_test, y_test = sealed_test(data)
    test = evaluate(network, x_test.to(device).contiguous(memory_format=layout), y_test.to(device))
    return Outcome("complete", tuple(epochs), test.loss, test.error_pct, total_s, time.perf_counter() - began)


def augment(images: Tensor, recipe: RecipeSpec, generator: torch.Generator) -> Tensor:
    """The recipe's steps in order, on a batch."""
    for step in recipe.augment:
        for name, options in step.model_dump(exclude_unset=True).items():
            images = AUGMENTATIONS[name](images, generator=generator, **options)
    return images


def all_finite(network: nn.Module) -> bool:
    """Whether every weight and running statistic is a finite number."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in network.state_dict().values())


def _generator(seed: int, epoch: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    return torch.Generator(device).manual_seed(stream(seed, epoch, purpose))
