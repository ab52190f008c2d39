"""BoundNetwork, recipe, seeds trained as one -> Footprint: the bytes that training cannot do without, by what they are for.

The moments counted are the end of a forward pass, from the second step on, and the widest place of an evaluation: at both the
gradients of the step before are still there. It is less than what a training takes: not counted are the libraries, what an op
needs while it runs, gradients of activations, what an optimizer's step puts aside, and how the allocator cuts memory up. So what
does not fit by this count cannot be trained.
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
ROOMY = 3  # an op keeps what it reads and what it yields, and seldom as much again


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes by what they are for, in words. `known`: whether that is all; else it is at least so much."""

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
    """How a network is trained by one process: by which recipe, `seeds` as one, on `batch` images of each at a time, and
    evaluated on `evaluated` at a time.

    `data`: bytes of the images that lie on the device. `recompute`: activations are kept of few units
    (compiler/modules/recompute.py).
    """

    recipe: RecipeSpec
    batch: int
    seeds: int = 1
    data: int = 0
    evaluated: int = 0
    recompute: bool = False


def training_weights(bound: BoundNetwork, load: TrainingLoad) -> Footprint:
    """Return what does not depend on the images, at once: nothing is built or run."""
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
    """Return all of it. The parts of the network are run on `meta`, each kind once."""
    kept = kept_bytes(bound, load.batch, recompute=load.recompute)
    images = FLOAT * load.batch * math.prod(bound.input_shape)
    steps = max(kept or 0, images, load.batch * widest(bound))
    evaluation = load.evaluated * widest(bound)
    name = f"activations of a batch of {load.batch}"
    if evaluation > steps:
        name = f"activations of {load.evaluated} images in evaluation"
    count = load.seeds * max(steps, evaluation)
    if load.recipe.precision == "bfloat16":  # of some ops float32 is kept, of none less than half of it
        count //= 2
    return Footprint({**training_weights(bound, load).parts, name: count}, known=kept is not None)


def at_most(bound: BoundNetwork, load: TrainingLoad) -> int:
    """More than what training takes, as a rule and at once: what is well below what is there need not be counted closely."""
    values = sum(_values(graph) for _, graph in normal(bound).parts())
    images = max(load.batch * values, load.evaluated * widest(bound) // FLOAT)
    return ROOMY * (training_weights(bound, load).total + FLOAT * load.seeds * images)


def widest(bound: BoundNetwork) -> int:
    """Return bytes of one image that are there at once whatever is kept: what an op with weights reads and yields."""
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
    """A plugin's op may have any that does not say it is pure."""
    return issubclass(what.module, Parametric) or not (what.pure or what.origin.startswith("resbench.ops."))


def _values(graph: Graph) -> int:
    """Of one image: all that ops read and yield, those inside of ops too."""
    shapes = graph.shapes
    own = sum(math.prod(op.shape) + sum(math.prod(shapes[i]) for i in op.inputs) for op in graph.ops)
    return own + sum(_values(inner) for op in graph.ops for _, inner in op.inner)


def size(count: float) -> str:
    """Return bytes as a person reads them, three digits.

    >>> size(372e9), size(8 * 2**30), size(93e9 * 4 * 2**10), size(900)
    ('346 GiB', '8 GiB', '346 TiB', '900 bytes')
    """
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:,.0f} TiB" if count >= 999.5 else f"{count:.3g} TiB"
