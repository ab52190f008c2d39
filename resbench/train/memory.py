"""BoundNetwork, recipe, size of a data set -> TrainingLoad: what a process that trains it has in memory."""

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
    """The sizes of a data set: images for training, and images for evaluation after each epoch."""

    @property
    def n_train(self) -> int: ...

    @property
    def n_val(self) -> int: ...


def load_of(bound: BoundNetwork, recipe: RecipeSpec, data: Images, seeds: int = 1) -> TrainingLoad:
    """Return the load of one process. The images of a split that is too large to keep in memory do not count, since they are
    streamed from files.
    """
    image = FLOAT * math.prod(bound.input_shape)
    in_memory = sum(image * count for count in (data.n_train, data.n_val) if image * count <= HELD_BYTES)
    batch = max(1, recipe.batch // (recipe.devices or started()))
    return TrainingLoad(recipe, batch, seeds, in_memory, min(BATCH, data.n_val), recipe.plan.recompute)
