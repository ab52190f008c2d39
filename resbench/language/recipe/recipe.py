"""A recipe's YAML -> RecipeSpec: how to train.  Spans are fractions of the run, or iterations, or epochs."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Field, model_validator

from resbench.errors import SpecError
from resbench.language.names import why_not
from resbench.language.recipe.augment import Augmentation
from resbench.language.recipe.execution import Every, PlanSpec
from resbench.language.recipe.schedule import Schedule, Warmup
from resbench.language.yaml.models import Count, Fraction, Model, Positive, tuples, validate
from resbench.language.yaml.node import Node, from_plain

Kind = Literal["conv", "linear", "norm", "bias", "gain"]
Statistics = Literal["recomputed", "running"]
Precision = Literal["float32", "tf32", "bfloat16"]
NOT_IDENTITY = {"recipe", "doc", "cite", "fail_above", "plan", "checkpoint_every"}


class Optimizer(Model):
    """Stochastic gradient descent; `decay` names the kinds of parameters to which weight decay applies."""

    use: Literal["sgd"]
    lr: Positive
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    nesterov: bool = False
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    decay: tuple[Kind, ...] = ("conv", "linear", "norm", "bias", "gain")

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Optimizer:
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs a momentum above 0")
        return self


class Average(Model):
    """Weight averaging: an exponential moving average of the trained weights is evaluated. Polyak & Juditsky 1992"""

    decay: Fraction


class RecipeSpec(Model):
    """How a network is trained. `devices`: this many devices each have a part of each batch, and batch norms use the
    statistics of that part; else any number of devices trains as one. `statistics` selects those that norms use in
    evaluation: recomputed from training images, or the running ones, as in papers. `fail_above` (error in percent)
    prints the paper's word "fail"; it enters no test and no identity."""

    ONE_OF = ("epochs", "iterations")
    recipe: str
    doc: str = ""
    cite: str = ""
    optimizer: Optimizer
    batch: Annotated[int, Field(ge=2, le=10**6)]
    epochs: Annotated[int, Field(gt=0, le=100_000)] | None = None
    iterations: Count | None = None
    warmup: Warmup | None = None
    schedule: Schedule | None = None
    augment: tuple[Augmentation, ...] = ()
    init: str = "he_normal"
    precision: Precision = "float32"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    clip_norm: Positive | None = None
    average: Average | None = None
    statistics: Statistics = "recomputed"
    devices: Annotated[int, Field(gt=1, le=10_000)] | None = None
    checkpoint_every: Every = Every(seconds=30.0)
    fail_above: Annotated[float, Field(gt=0, le=100)] | None = None
    plan: PlanSpec = PlanSpec()

    @model_validator(mode="after")
    def _named(self) -> RecipeSpec:
        reason = why_not(self.recipe)
        if reason:
            raise ValueError(reason)
        return self

    @property
    def digest(self) -> str:
        """Return a digest that is equal for recipes with equal training; names, texts, explicit defaults and keys that
        change no number do not count.
        """
        data = self.model_dump(mode="json", by_alias=True, exclude={*NOT_IDENTITY, "statistics"}, exclude_defaults=True)
        if self.statistics != "running":  # the only behaviour of older versions
            data["statistics"] = self.statistics
        return "r2_" + sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:24]


def parse_recipe(node: Node) -> RecipeSpec:
    """Parse a recipe. Raise SpecError with every problem at its place."""
    return validate(RecipeSpec, node)


def recipe_to_json(recipe: RecipeSpec) -> str:
    data = recipe.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return json.dumps(data | {"statistics": recipe.statistics}, sort_keys=True)


def recipe_from_json(text: str) -> RecipeSpec:
    """Return the recipe that `recipe_to_json` wrote; older versions have no `statistics`, which were then the running ones."""
    return RecipeSpec.model_validate({"statistics": "running"} | tuples(json.loads(text)))


def override(node: Node, key: str, value: Node) -> Node:
    """Return a recipe's Node with one value replaced. `lr` stands for `optimizer.lr`; a dotted key goes down.

    `epochs` takes the place of `iterations`, and the other way round.
    """
    if key in Optimizer.model_fields and key not in RecipeSpec.model_fields:
        key = f"optimizer.{key}"
    if key in ("epochs", "iterations"):
        other = "iterations" if key == "epochs" else "epochs"
        node = Node({k: v for k, v in node.mapping.items() if k != other}, node.place, node.path, node.keys)
    return _put(node, key.split("."), value)


def _put(node: Node, path: list[str], value: Node) -> Node:
    """Return a mapping with the value at the path; missing mappings on the way are created."""
    if not isinstance(node.value, dict):
        raise SpecError([value.problem(f"{node.path} holds no keys, so there is no `{path[0]}` in it")])
    head, *rest = path
    below = node.mapping.get(head, from_plain({}, head, value.place))
    keys = {**node.keys, **({head: value.place} if value.place is not None and not rest else {})}
    return Node({**node.mapping, head: _put(below, rest, value) if rest else value}, node.place, node.path, keys)
