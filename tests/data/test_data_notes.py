"""What a person should know of a data set: one sentence for each kind of thing, with a count and the first names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from images_sample import block, folder, turned
from PIL import Image

from resbench.data.dataset import Dataset
from resbench.data.notes import notes, sizes
from resbench.data.registry import info, load


def pets(root: Path, **settings: object) -> list[str]:
    return notes(load("image_folder", {"path": str(root), "size": 8, "allow_copies": True, **settings}))  # type: ignore[arg-type]


def made(images: torch.Tensor, labels: list[int], train: int, val: int) -> Dataset:
    index = torch.arange(len(labels))
    splits = {"train": index[:train], "val": index[train : train + val], "test": index[train + val :]}
    return Dataset("made", images, torch.tensor(labels), splits, ("a", "b"), "", "")


def test_of_plain_images_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert pets(folder(tmp_path / "pets", each=40)) == []
    assert notes(load("digits")) == []


def test_each_rule_that_was_used_is_told_once(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets", each=40)
    random = np.random.default_rng(0)
    for i in range(5):
        deep = random.integers(0, 4000, (9, 9)).astype(np.uint16)
        Image.fromarray(deep).save(root / "cat" / f"deep{i}.png")
    (root / "dog" / "turned.png").write_bytes(turned(6, "PNG").getvalue())
    clear = Image.fromarray(random.integers(0, 250, (9, 9, 4), np.uint8))
    clear.save(root / "dog" / "clear.png")
    Image.fromarray(random.integers(0, 250, (9, 9, 4), np.uint8), "CMYK").save(root / "dog" / "print.tif")
    frames = [block(np.array([[value, 90]], np.uint8)) for value in (0, 200)]
    frames[0].save(root / "dog" / "film.gif", save_all=True, append_images=frames[1:])
    assert pets(root) == [
        f"5 images of more than 8 bits, scaled: 0 is black, 65535 is white: {root}/cat/deep0.png, {root}/cat/deep1.png, "
        f"{root}/cat/deep2.png and 2 more",
        f"1 image with transparent pixels, laid over white: {root}/dog/clear.png",
        f"1 image turned or mirrored, as EXIF says: {root}/dog/turned.png",
        f"5 images of more than 8 bits stay below 64 of 255; `levels` sets white: {root}/cat/deep0.png, "
        f"{root}/cat/deep1.png, {root}/cat/deep2.png and 2 more",
        f"1 image in CMYK, converted without a colour profile: {root}/dog/print.tif",
        f"1 file with several pictures, of which the first is read: {root}/dog/film.gif",
    ]
    assert not any("stay below" in line for line in pets(root, levels=[0, 4000]))


def test_images_of_one_colour_are_told_and_what_is_one_colour_in_all(tmp_path: Path) -> None:
    root = tmp_path / "pets"
    for name, red in (("cat", 10), ("dog", 200)):
        (root / name).mkdir(parents=True)
        for i in range(8):
            Image.new("RGB", (9, 9), (red, 7, i)).save(root / name / f"{i}.png")
    flat, constant, *_ = pets(root)
    assert flat == f"16 images of one colour alone: {root}/cat/0.png, {root}/cat/1.png, {root}/cat/2.png and 13 more"
    assert constant == "channel 1 of the training images is 7: it carries no information and becomes 0"


def test_a_constant_array_is_told_too() -> None:
    images = torch.full((60, 1, 4, 4), 9, dtype=torch.uint8)
    assert notes(made(images, [0, 1] * 30, 20, 20)) == [
        "every pixel of the training images is 9: it carries no information and becomes 0"
    ]


@pytest.mark.parametrize(
    ("labels", "chance"),
    [([0, 1], "25 %"), ([0, 0], "100 %"), ([0, 0, 1, 1], "6 %"), ([0, 0, 0, 1, 1, 1], None), ([0] * 9 + [1], "35 %")],
)  # fmt: skip
def test_a_val_split_that_guessing_may_get_right_is_told(labels: list[int], chance: str | None) -> None:
    images = torch.randint(0, 256, (100, 1, 4, 4), dtype=torch.uint8)
    rest = 100 - 40 - len(labels)
    found = notes(made(images, [0, 1] * 20 + labels + [0, 1] * (rest // 2) + [0] * (rest % 2), 40, len(labels)))
    said = [line for line in found if "guess" in line]
    words = (
        f"{len(labels)} val images cannot distinguish learning from guessing: guessing gets all right with probability "
    )
    assert said == ([f"{words}{chance}; use more of them"] if chance else [])
    assert any(line == "1 class without an image in val: b" for line in found) == (1 not in labels)


def test_sizes_are_said_with_what_a_val_image_is_worth() -> None:
    assert (
        sizes(info("digits"))
        == "data digits: 10 classes of 1x8x8; 1,117 train, 340 val, 340 test; one val image is 0.294 points of error"
    )
