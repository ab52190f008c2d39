"""Training images of an epoch -> batches: for K networks side by side B(K C)HW, with labels KB.

Each network has its own order and augmentation, drawn from the streams of its seed and epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from resbench.data.augment import AUGMENTATIONS
from resbench.data.split import Split
from resbench.language.recipe.recipe import RecipeSpec
from resbench.random_streams import WHOLE, Shard, stream


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """The batches of each epoch. `split` is on the device of training; an incomplete last batch is dropped.
    `part`: the share of each batch that is yielded.
    """

    split: Split
    recipe: RecipeSpec
    seeds: tuple[int, ...]
    part: Shard = WHOLE

    def __len__(self) -> int:
        return len(self.split.labels) // self.recipe.batch

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        labels = self.split.labels
        orders = [torch.randperm(len(labels), generator=generator(seed, number, "order")) for seed in self.seeds]
        order = torch.stack(orders)[:, : len(self) * self.recipe.batch].to(labels.device)
        augmenting = [generator(seed, number, "augmentation", labels.device) for seed in self.seeds]
        own = self.part.own(self.recipe.batch // self.part.of)
        positions_by_batch = [each[:, own] for each in torch.split(order, self.recipe.batch, 1)]
        for positions, images in zip(
            positions_by_batch, self.split.batches(each.flatten() for each in positions_by_batch), strict=True
        ):
            images = augment(images, self.recipe, augmenting, self.part)
            yield side_by_side(images, len(self.seeds)), labels[positions]


def augment(images: Tensor, recipe: RecipeSpec, generators: Sequence[torch.Generator], part: Shard) -> Tensor:
    """Apply the recipe's augmentations in order to K batches, one after the other."""
    for step in recipe.augment:
        (name,) = step.model_fields_set
        images = AUGMENTATIONS[name](images, generators=generators, part=part, **step.model_dump()[name])
    return images


def side_by_side(images: Tensor, networks: int) -> Tensor:
    """(K B)CHW -> B(K C)HW"""
    return images if networks == 1 else torch.unflatten(images, 0, (networks, -1)).transpose(0, 1).flatten(1, 2)


def generator(seed: int, epoch: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    return torch.Generator(device).manual_seed(stream(seed, epoch, purpose))
