"""What changes no number of a run: the keys `plan` and `checkpoint_every` of a recipe."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from resbench.spec.model import Model, Positive


class Every(Model):
    """A bare `30s` is of seconds."""

    seconds: Positive | None = None
    epochs: Annotated[int, Field(gt=0, le=10**6)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"[0-9.]+ ?s", value):
            return {"seconds": float(value.removesuffix("s"))}
        return value

    @model_validator(mode="after")
    def _one(self) -> Every:
        if (self.seconds is None) == (self.epochs is None):
            raise ValueError("one of seconds (30s), epochs is needed")
        return self


class PlanSpec(Model):
    """How a machine is used; what is not said is measured. It changes no number beyond rounding, and enters no identity.

    `width` seeds are trained as one network; `layout` is that of images in memory; `recompute` keeps the activations of few
    places in memory and works out the rest again in the backward pass; `compile` has torch.compile make kernels of each unit.
    """

    width: Annotated[int, Field(gt=0, le=1000)] | None = None
    layout: Literal["contiguous", "channels_last"] | None = None
    workers: Annotated[int, Field(gt=0, le=1000)] | None = None
    threads: Annotated[int, Field(gt=0, le=1000)] | None = None
    recompute: bool = False
    compile: bool | None = None
