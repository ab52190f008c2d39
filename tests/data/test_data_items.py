"""Pairs of image and label, as torchvision's data sets give them, become a data set; the example of the guide is the plugin's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from docs_text import REPOSITORY, page
from PIL import Image
from torch.utils.data import Dataset, Subset
from torchvision.datasets import FakeData

from resbench.data.dataset import describe
from resbench.data.info import DatasetInfo
from resbench.data.items import from_items
from resbench.errors import Reason

INFO = DatasetInfo("mine", (3, 4, 6), 2, 16, 2, 2, "made here", "none")
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 4, 6, 3), np.uint8)


class Pairs(Dataset[Any]):
    def __init__(self, images: Sequence[Any]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Any:
        return self.images[index], torch.tensor(index % 2), "what is behind the label is let alone"


@pytest.mark.parametrize(
    "images",
    [
        PIXELS, [Image.fromarray(one) for one in PIXELS], torch.from_numpy(PIXELS).permute(0, 3, 1, 2),
        PIXELS.astype(np.float32) / 255, torch.from_numpy(PIXELS).permute(0, 3, 1, 2).double() / 255,
    ],
)  # fmt: skip
def test_an_image_may_come_in_any_of_the_usual_forms(images: Sequence[Any]) -> None:
    data = from_items(INFO, {"train": Pairs(images)}, ("even", "odd"))
    assert describe(data) == INFO
    assert np.array_equal(data.images.numpy(), PIXELS.transpose(0, 3, 1, 2))  # type: ignore[union-attr]
    assert data.labels.tolist() == [0, 1] * 10
    assert data.classes == ("even", "odd")


def test_parts_that_are_there_are_taken_and_torch_s_own_are_items_too() -> None:
    whole = FakeData(12, (3, 8, 9), 3)
    about = DatasetInfo("fake", (1, 4, 4), 3, 8, 2, 2, "", "")
    data = from_items(
        about, {"test": Subset(whole, [10, 11]), "train": Subset(whole, range(8)), "val": Subset(whole, [8, 9])}
    )
    assert describe(data) == about
    assert data.labels.tolist() == [whole[i][1] for i in (10, 11, *range(10))]
    assert data.splits["train"].tolist() == list(range(2, 10))


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([np.zeros((5, 6, 3), np.uint8)], "item 0 of train: expected an image of 3x4x6 (CxHxW), got 3x5x6"),
        ([PIXELS[0], "x.png"], "item 1 of train: expected a PIL image, an array or a tensor, got str"),
        (
            [PIXELS[0].astype(np.int64)],
            "item 0 of train: expected pixels of 8 bits, or floats from 0 to 1, got int64",
        ),
        ([PIXELS[0] / 100], "item 0 of train: expected values from "),
        (
            [Image.fromarray(np.zeros((4, 6), np.float32))],
            "item 0 of train: its pixels are floats, here from 0 to 0: give",
        ),
    ],
)
def test_an_item_that_is_no_image_is_told_with_its_number(images: Sequence[Any], words: str) -> None:
    with pytest.raises(Reason) as caught:
        from_items(INFO, {"train": Pairs(images)})
    assert str(caught.value).startswith(words)


def test_parts_of_other_names_and_images_of_more_channels_are_told() -> None:
    with pytest.raises(Reason, match=r"^parts: expected `train` and, optionally, `val` and `test`, got training$"):
        from_items(INFO, {"training": Pairs(PIXELS)})
    with pytest.raises(Reason, match=r"^item 0 of train: a PIL image must have 1 or 3 channels, the data set has 4$"):
        from_items(replace(INFO, input_shape=(4, 4, 6)), {"train": Pairs([Image.fromarray(PIXELS[0])])})


def test_the_example_of_the_guide_is_the_plugin_and_has_ten_lines() -> None:
    section = page("docs/guide.md").partition("\n## Data sets\n")[2].partition("\n## ")[0]
    (shown,) = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    plugin = Path(REPOSITORY / "plugins/clocks/src/clocks/hours.py").read_text("utf-8").partition("\n\n")[2]
    assert shown == plugin
    assert len([line for line in shown.splitlines() if line.strip()]) <= 10
