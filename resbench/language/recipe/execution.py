"""What changes no number of a run: the keys `plan` and `checkpoint_every` of a recipe."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from resbench.language.yaml.models import Model, Positive

TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
Tag = Annotated[str, Field(pattern=f"^{TAG.pattern}$")]


class Every(Model):
    """A bare `30s` is of seconds."""

    ONE_OF = ("seconds", "epochs")
    seconds: Positive | None = None
    epochs: Annotated[int, Field(gt=0, le=10**6)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"[0-9.]+ ?s", value):
            return {"seconds": float(value.removesuffix("s"))}
        return value


class PlanSpec(Model):
    """How a machine is used; what is not said follows from the network (train/execution/plan.py). It changes no number
    beyond rounding, and enters no identity. A bare `measured` is `{measure: true}`: what is not said is what is
    fastest on this machine now.

    `width` seeds are trained as one network; `layout` is that of images in memory; `recompute` keeps the activations of few
    places in memory and works out the rest again in the backward pass; `compile` has torch.compile make kernels of each unit.
    `workers`: processes of this machine that train; 0 trains in the process of `study run` itself, with nobody who watches.
    `tags`: what a worker must have (`resbench worker --tags`). A cell is ended that takes no step for `stall_s` seconds, that
    takes over `cell_s` in all, or over `memory_mib` of memory. `profile`: epochs after which signal and gradient are
    looked at, at every unit of the network; 0 is the start.
    """

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"measure": True} if value == "measured" else value

    width: Annotated[int, Field(gt=0, le=1000)] | None = None
    layout: Literal["contiguous", "channels_last"] | None = None
    workers: Annotated[int, Field(ge=0, le=1000)] | None = None
    threads: Annotated[int, Field(gt=0, le=1000)] | None = None
    recompute: bool = False
    compile: bool | None = None
    tags: tuple[Tag, ...] = ()
    stall_s: Positive = 900.0
    cell_s: Positive | None = None
    memory_mib: Positive | None = None
    measure: bool = False
    profile: tuple[Annotated[int, Field(ge=0, le=10**6)], ...] = ()
