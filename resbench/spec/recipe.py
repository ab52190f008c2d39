"""A recipe's YAML -> RecipeSpec: how to train.  Spans are fractions of the run, or iterations, or epochs."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from resbench.errors import SpecError
from resbench.spec.model import Model, tuples, validate
from resbench.spec.names import why_not
from resbench.spec.node import Node, from_plain

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0, le=10**9)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Kind = Literal["conv", "linear", "norm", "bias", "gain"]
NOT_IDENTITY = {"recipe", "doc", "cite", "fail_above"}


class Optimizer(Model):
    """Stochastic gradient descent; `decay` names the kinds of parameters that weight decay acts on."""

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


class Span(Model):
    """A length from the start: one of `iterations`, `epochs`, `fraction` (of the run)."""

    iterations: Count | None = None
    epochs: Positive | None = None
    fraction: Fraction | None = None

    @model_validator(mode="after")
    def _one(self) -> Span:
        if sum(value is not None for value in (self.iterations, self.epochs, self.fraction)) != 1:
            raise ValueError("one of iterations, epochs, fraction is needed")
        return self


class Warmup(Model):
    """A constant learning rate `for` a span at the start."""

    lr: Positive
    span: Span = Field(alias="for")


class Marks(Model):
    """Points of the run: one of `iterations`, `epochs`, `fractions`; a bare list is of fractions."""

    iterations: tuple[Count, ...] | None = None
    epochs: tuple[Positive, ...] | None = None
    fractions: tuple[Fraction, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_list(cls, value: Any) -> Any:
        return {"fractions": value} if isinstance(value, tuple) else value

    @model_validator(mode="after")
    def _one(self) -> Marks:
        given = [marks for marks in (self.iterations, self.epochs, self.fractions) if marks is not None]
        if len(given) != 1 or not given[0]:
            raise ValueError("one of iterations, epochs, fractions is needed, with at least one point")
        if list(given[0]) != sorted(set(given[0])):
            raise ValueError("the points must rise")
        return self


class Step(Model):
    """The learning rate is multiplied `by` a factor at each point."""

    at: Marks
    by: Annotated[float, Field(gt=0, le=1)]


class Schedule(Model):
    step: Step


class PadCrop(Model):
    pad: Annotated[int, Field(gt=0, le=64)]


class Flip(Model):
    pass


class Augmentation(Model):
    """One step, batched on the device; exactly one is named."""

    pad_crop: PadCrop | None = None
    flip: Flip | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {value: {}} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> Augmentation:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"one of {', '.join(type(self).model_fields)} is needed")
        return self


class RecipeSpec(Model):
    """`fail_above` (error in percent) prints the paper's word "fail"; it enters no test and no identity."""

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
    precision: Literal["float32"] = "float32"
    fail_above: Annotated[float, Field(gt=0, le=100)] | None = None

    @model_validator(mode="after")
    def _length(self) -> RecipeSpec:
        if (self.epochs is None) == (self.iterations is None):
            raise ValueError("one of epochs, iterations is needed")
        reason = why_not(self.recipe)
        if reason:
            raise ValueError(reason)
        return self

    @property
    def digest(self) -> str:
        """Equal for recipes that train alike; names, texts and `fail_above` do not count."""
        data = self.model_dump(mode="json", by_alias=True, exclude=NOT_IDENTITY)
        return "r1_" + sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:24]


def parse_recipe(node: Node) -> RecipeSpec:
    """Raises SpecError with every problem at its place."""
    return validate(RecipeSpec, node)


def recipe_to_json(recipe: RecipeSpec) -> str:
    return json.dumps(recipe.model_dump(mode="json", by_alias=True, exclude_unset=True), sort_keys=True)


def recipe_from_json(text: str) -> RecipeSpec:
    return RecipeSpec.model_validate(tuples(json.loads(text)))


def override(node: Node, key: str, value: Node) -> Node:
    """A recipe's Node with one value replaced. `lr` stands for `optimizer.lr`; a dotted key goes down.

    `epochs` takes the place of `iterations`, and the other way round.
    """
    if key in Optimizer.model_fields and key not in RecipeSpec.model_fields:
        key = f"optimizer.{key}"
    if key in ("epochs", "iterations"):
        other = "iterations" if key == "epochs" else "epochs"
        node = Node({k: v for k, v in node.mapping.items() if k != other}, node.place, node.path, node.keys)
    return _put(node, key.split("."), value)


def _put(node: Node, path: list[str], value: Node) -> Node:
    """A mapping with the value at the path; mappings on the way are made where there are none."""
    if not isinstance(node.value, dict):
        raise SpecError([value.problem(f"{node.path} holds no keys, so there is no `{path[0]}` in it")])
    head, *rest = path
    below = node.mapping.get(head, from_plain({}, head, value.place))
    keys = {**node.keys, **({head: value.place} if value.place is not None and not rest else {})}
    return Node({**node.mapping, head: _put(below, rest, value) if rest else value}, node.place, node.path, keys)
