"""BoundNetwork, recipe, size of a data set -> TrainingLoad: what one process that trains it holds at a time."""

from __future__ import annotations

import math
from typing import Protocol

from resbench.compiler.graph import BoundNetwork
from resbench.data.split import HELD_BYTES
from resbench.language.recipe.recipe import RecipeSpec
from resbench.measure.footprint import FLOAT, TrainingLoad
from resbench.train.evaluate import BATCH
from resbench.train.execution.ranks import started


class Images(Protocol):
    """Of a data set: how many are trained on, and how many are evaluated on after each epoch."""

    @property
    def n_train(self) -> int: ...

    @property
    def n_val(self) -> int: ...


def load_of(bound: BoundNetwork, recipe: RecipeSpec, data: Images, seeds: int = 1) -> TrainingLoad:
    """Return what one process has at a time. Of a split that would be streamed from files if it lay in files, no image
    counts.
    """
    image = FLOAT * math.prod(bound.input_shape)
    lie = sum(image * count for count in (data.n_train, data.n_val) if image * count <= HELD_BYTES)
    batch = max(1, recipe.batch // (recipe.devices or started()))
    return TrainingLoad(recipe, batch, seeds, lie, min(BATCH, data.n_val), recipe.plan.recompute)
