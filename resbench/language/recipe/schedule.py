"""Specs of the training length and of the learning rate: the keys `warmup` and `schedule` of a recipe."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from resbench.language.yaml.models import Count, Fraction, Model, Positive


class Span(Model):
    """A length from the start: one of `iterations`, `epochs`, `fraction` (of the run)."""

    ONE_OF = ("iterations", "epochs", "fraction")
    iterations: Count | None = None
    epochs: Positive | None = None
    fraction: Fraction | None = None


class Warmup(Model):
    """A warm-up `for` a span at the start: the learning rate is constant, or rises linearly from `lr` to its full value."""

    lr: Positive
    span: Span = Field(alias="for")
    shape: Literal["constant", "linear"] = "constant"


class Marks(Model):
    """Points of the run: one of `iterations`, `epochs`, `fractions`; a bare list contains fractions."""

    ONE_OF = ("iterations", "epochs", "fractions")
    iterations: tuple[Count, ...] | None = None
    epochs: tuple[Positive, ...] | None = None
    fractions: tuple[Fraction, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_list(cls, value: Any) -> Any:
        return {"fractions": value} if isinstance(value, tuple) else value

    @model_validator(mode="after")
    def _rising(self) -> Marks:
        for marks in (self.iterations, self.epochs, self.fractions):
            if marks is not None and not marks:
                raise ValueError("at least one point is needed")
            if marks is not None and list(marks) != sorted(set(marks)):
                raise ValueError("the points must rise")
        return self


class StepDecay(Model):
    """The learning rate is multiplied `by` a factor at each point."""

    at: Marks
    by: Annotated[float, Field(gt=0, le=1)]


class Decline(Model):
    """A decline from the full learning rate after the warm-up to `end` times that at the last step."""

    end: Annotated[float, Field(ge=0, le=1)] = 0.0


class Schedule(Model):
    """How the learning rate falls; exactly one schedule is named, and a bare name means its defaults."""

    ONE_OF = ("step", "cosine", "linear")
    step: StepDecay | None = None
    cosine: Decline | None = None
    linear: Decline | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {value: {}} if isinstance(value, str) else value
