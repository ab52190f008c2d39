"""Recipe and length of the run -> learning rate of every iteration."""

from __future__ import annotations

from dataclasses import dataclass

from resbench.errors import BadInput
from resbench.spec.recipe import RecipeSpec, Span


@dataclass(frozen=True, slots=True)
class Length:
    """`per_epoch` iterations make an epoch: whole batches of freshly ordered images, the rest waits for the next epoch."""

    epochs: int
    per_epoch: int

    @property
    def iterations(self) -> int:
        return self.epochs * self.per_epoch


def length(recipe: RecipeSpec, n_train: int) -> Length:
    """Raises BadInput when a batch is larger than the training split. Iterations are rounded up to whole epochs."""
    per_epoch = n_train // recipe.batch
    if per_epoch == 0:
        raise BadInput(f"recipe {recipe.recipe}: a batch of {recipe.batch} is more than the {n_train} training images")
    epochs = recipe.epochs or -(-(recipe.iterations or 1) // per_epoch)
    return Length(epochs, per_epoch)


def learning_rates(recipe: RecipeSpec, run: Length) -> list[float]:
    """One for each iteration: the warm-up's while it lasts, then the optimizer's, stepped down by the schedule."""
    warm = 0 if recipe.warmup is None else _iterations(recipe.warmup.span, run)
    points = _points(recipe, run)
    by = recipe.schedule.step.by if recipe.schedule else 1.0
    rates = []
    for iteration in range(run.iterations):
        passed = sum(iteration >= point for point in points)
        base = recipe.warmup.lr if recipe.warmup is not None and iteration < warm else recipe.optimizer.lr
        rates.append(base * by**passed)
    return rates


def _iterations(span: Span, run: Length) -> int:
    if span.iterations is not None:
        return span.iterations
    return round(span.epochs * run.per_epoch if span.epochs is not None else (span.fraction or 0) * run.iterations)


def _points(recipe: RecipeSpec, run: Length) -> list[int]:
    if recipe.schedule is None:
        return []
    at = recipe.schedule.step.at
    if at.iterations is not None:
        return list(at.iterations)
    if at.epochs is not None:
        return [round(epoch * run.per_epoch) for epoch in at.epochs]
    return [round(fraction * run.iterations) for fraction in at.fractions or ()]
