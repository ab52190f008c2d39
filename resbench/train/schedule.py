"""Recipe and length of the run -> learning rate of every iteration."""

from __future__ import annotations

import math
from dataclasses import dataclass

from resbench.errors import BadInput
from resbench.language.recipe.recipe import RecipeSpec
from resbench.language.recipe.schedule import Span


@dataclass(frozen=True, slots=True)
class Length:
    """The length of a run. An epoch has `per_epoch` iterations: full batches of shuffled images; the remainder is dropped."""

    epochs: int
    per_epoch: int

    @property
    def iterations(self) -> int:
        return self.epochs * self.per_epoch


def length(recipe: RecipeSpec, n_train: int) -> Length:
    """Return the length of a run; iterations are rounded up to epochs. Raises BadInput if a batch exceeds the train split."""
    per_epoch = n_train // recipe.batch
    if per_epoch == 0:
        raise BadInput(f"recipe {recipe.recipe}: a batch of {recipe.batch} is more than the {n_train} training images")
    epochs = recipe.epochs or -(-(recipe.iterations or 1) // per_epoch)
    return Length(epochs, per_epoch)


def learning_rates(recipe: RecipeSpec, run: Length) -> list[float]:
    """Return the rate of each iteration: first the warm-up's, then the optimizer's, reduced by the schedule.

    Steps also reduce the warm-up's rates; cosine and linear begin after it. Cosine: Loshchilov & Hutter 2017, arXiv:1608.03983
    """
    warm = 0 if recipe.warmup is None else _iterations(recipe.warmup.span, run)
    points, full = _points(recipe, run), recipe.optimizer.lr
    schedule = recipe.schedule
    by = schedule.step.by if schedule is not None and schedule.step is not None else 1.0
    rates = []
    for iteration in range(run.iterations):
        rate = full * by ** sum(iteration >= point for point in points)
        if recipe.warmup is not None and iteration < warm:
            progress = iteration / warm if recipe.warmup.shape == "linear" else 0.0
            rate *= (recipe.warmup.lr + (full - recipe.warmup.lr) * progress) / full
        elif schedule is not None and (decline := schedule.cosine or schedule.linear) is not None:
            elapsed = (iteration - warm) / max(1, run.iterations - warm - 1)
            left = (1 + math.cos(math.pi * elapsed)) / 2 if schedule.cosine else 1 - elapsed
            rate *= decline.end + (1 - decline.end) * left
        rates.append(rate)
    return rates


def warm_epochs(recipe: RecipeSpec, run: Length) -> float:
    return 0.0 if recipe.warmup is None else _iterations(recipe.warmup.span, run) / run.per_epoch


def late_steps(recipe: RecipeSpec, run: Length) -> tuple[int, int]:
    """Return how many of the schedule's steps are after the end of the run, and how many there are. A step given as a fraction
    of the run is never after its end.
    """
    points = _points(recipe, run)
    if (
        recipe.schedule is not None
        and recipe.schedule.step is not None
        and recipe.schedule.step.at.fractions is not None
    ):
        return 0, len(points)
    return sum(point >= run.iterations for point in points), len(points)


def _iterations(span: Span, run: Length) -> int:
    if span.iterations is not None:
        return span.iterations
    return round(span.epochs * run.per_epoch if span.epochs is not None else (span.fraction or 0) * run.iterations)


def _points(recipe: RecipeSpec, run: Length) -> list[int]:
    if recipe.schedule is None or recipe.schedule.step is None:
        return []
    at = recipe.schedule.step.at
    if at.iterations is not None:
        return list(at.iterations)
    if at.epochs is not None:
        return [round(epoch * run.per_epoch) for epoch in at.epochs]
    return [round(fraction * run.iterations) for fraction in at.fractions or ()]
