"""Specs of data augmentation: the key `augment` of a recipe."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from resbench.language.yaml.models import Fraction, Model, Positive


class PadCrop(Model):
    pad: Annotated[int, Field(gt=0, le=64)]


class Flip(Model):
    pass


class Cutout(Model):
    size: Annotated[int, Field(gt=0, le=1000)]


class RandomResizedCrop(Model):
    """A crop of random size; bounds of its share of the area, and of its aspect ratio (width over height)."""

    scale: tuple[Fraction, Annotated[float, Field(gt=0, le=1)]] = (0.08, 1.0)
    ratio: tuple[Positive, Positive] = (0.75, 4 / 3)

    @model_validator(mode="after")
    def _rising(self) -> RandomResizedCrop:
        if self.scale[0] > self.scale[1] or self.ratio[0] > self.ratio[1]:
            raise ValueError("the lower bound must come first")
        return self


class Augmentation(Model):
    """One augmentation step, batched on the device; exactly one is named."""

    ONE_OF = ("pad_crop", "flip", "cutout", "random_resized_crop")
    pad_crop: PadCrop | None = None
    flip: Flip | None = None
    cutout: Cutout | None = None
    random_resized_crop: RandomResizedCrop | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {value: {}} if isinstance(value, str) else value
