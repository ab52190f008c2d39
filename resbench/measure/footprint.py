"""BoundNetwork, recipe, seeds trained as one -> Footprint: the bytes that training needs at least, by purpose.

The peaks counted are the end of a forward pass, from the second step on, and the widest place of an evaluation: at both the
gradients of the previous step still exist. A training takes more: libraries, workspaces of ops, gradients of activations,
temporaries of the optimizer and fragmentation are not counted. So a network that does not fit by this count cannot be trained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from resbench.compiler.graph import BoundNetwork, Graph
from resbench.compiler.identity.normal_form import normal
from resbench.language.recipe.recipe import RecipeSpec
from resbench.measure.memory import kept_bytes
from resbench.measure.params import bound_weights
from resbench.ops.parameter import Parametric
from resbench.ops.registry import OpKind, kind

FLOAT = 4
ROOMY = 3  # an op keeps its input and its output, and seldom as much again


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes by purpose, in words. `known`: whether all is counted; else it is a lower bound."""

    parts: Mapping[str, int]
    known: bool = True

    @property
    def total(self) -> int:
        return sum(self.parts.values())

    def __str__(self) -> str:
        """`about 1.2 GiB (weights 300 MiB, gradients 300 MiB, ...)`"""
        shown = ", ".join(f"{name} {size(count)}" for name, count in self.parts.items() if count > self.total / 1000)
        return f"{'about' if self.known else 'at least'} {size(self.total)}{f' ({shown})' if shown else ''}"


@dataclass(frozen=True, slots=True)
class TrainingLoad:
    """The load of one process: the recipe, `seeds` that are trained as one network, `batch` images of each at a time, and
    `evaluated` images at a time in evaluation.

    `data`: bytes of the images on the device. `recompute`: whether activations of only a few units are kept
    (compiler/modules/recompute.py).
    """

    recipe: RecipeSpec
    batch: int
    seeds: int = 1
    data: int = 0
    evaluated: int = 0
    recompute: bool = False


def training_weights(bound: BoundNetwork, load: TrainingLoad) -> Footprint:
    """Return the part that does not depend on the images; it is fast, since nothing is built or run."""
    weights, recipe, seeds = bound_weights(bound), load.recipe, load.seeds
    parts = {
        "weights": weights.trained + weights.fixed,
        "gradients": weights.trained,
        "momentum": weights.trained if recipe.optimizer.momentum else 0,
        "averaged weights": weights.trained + weights.fixed + weights.buffers if recipe.average is not None else 0,
        "buffers": weights.buffers + weights.counters,
    }
    return Footprint({name: seeds * count for name, count in parts.items()} | {"the data set": load.data}, known=False)


def training(bound: BoundNetwork, load: TrainingLoad) -> Footprint:
    """Return the whole footprint. The parts of the network are run on `meta`, each kind once."""
    kept = kept_bytes(bound, load.batch, recompute=load.recompute)
    images = FLOAT * load.batch * math.prod(bound.input_shape)
    steps = max(kept or 0, images, load.batch * widest(bound))
    evaluation = load.evaluated * widest(bound)
    name = f"activations of a batch of {load.batch}"
    if evaluation > steps:
        name = f"activations of {load.evaluated} images in evaluation"
    count = load.seeds * max(steps, evaluation)
    if load.recipe.precision == "bfloat16":  # some ops keep float32, none keeps less than half of it
        count //= 2
    return Footprint({**training_weights(bound, load).parts, name: count}, known=kept is not None)


def at_most(bound: BoundNetwork, load: TrainingLoad) -> int:
    """Return a fast upper estimate of what training takes, so that small networks need no exact count."""
    values = sum(_values(graph) for _, graph in normal(bound).parts())
    images = max(load.batch * values, load.evaluated * widest(bound) // FLOAT)
    return ROOMY * (training_weights(bound, load).total + FLOAT * load.seeds * images)


def widest(bound: BoundNetwork) -> int:
    """Return the bytes of one image that exist at once in any case: the largest input and output of an op with weights."""
    parts = [graph for _, graph in normal(bound).parts()]
    return FLOAT * max(
        (
            math.prod(op.shape) + math.prod(graph.shapes[op.inputs[0]])
            for graph in parts
            for op in graph.ops
            if _has_weights(kind(op.op))
        ),
        default=0,
    )


def _has_weights(what: OpKind) -> bool:
    """Return whether an op may have weights; a plugin's op may, unless it is declared pure."""
    return issubclass(what.module, Parametric) or not (what.pure or what.origin.startswith("resbench.ops."))


def _values(graph: Graph) -> int:
    """Return the number of values per image that ops read and yield, including ops inside of ops."""
    shapes = graph.shapes
    own = sum(math.prod(op.shape) + sum(math.prod(shapes[i]) for i in op.inputs) for op in graph.ops)
    return own + sum(_values(inner) for op in graph.ops for _, inner in op.inner)


def size(count: float) -> str:
    """Return bytes in a readable form with three digits.

    >>> size(372e9), size(8 * 2**30), size(93e9 * 4 * 2**10), size(900)
    ('346 GiB', '8 GiB', '346 TiB', '900 bytes')
    """
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:,.0f} TiB" if count >= 999.5 else f"{count:.3g} TiB"
