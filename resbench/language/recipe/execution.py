"""Specs of execution, which change no number of a run: the keys `plan` and `checkpoint_every` of a recipe."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from resbench.language.yaml.models import Model, Positive

TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
Tag = Annotated[str, Field(pattern=f"^{TAG.pattern}$")]


class Every(Model):
    """An interval in seconds or epochs; a bare `30s` is in seconds."""

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
    """How a machine is used; unset keys follow from the network (train/execution/plan.py). A plan changes no number
    beyond rounding, and is not part of any identity. A bare `measured` is `{measure: true}`: unset keys are then
    chosen by speed on this machine.

    `width` seeds are trained as one network; `layout` is the memory layout of images; `recompute` keeps few
    activations in memory and recomputes the others in the backward pass; `compile` compiles each unit by
    torch.compile. `workers` is the number of training processes on this machine; 0 trains in the process of `study
    run` itself, without supervision. `tags` are those that a worker must have (`resbench worker --tags`). A cell is
    stopped when it takes no step for `stall_s` seconds, more than `cell_s` in all, or more than `memory_mib` of
    memory. `profile` lists the epochs after which signal and gradient are measured at every unit of the network; 0 is
    the start.
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
