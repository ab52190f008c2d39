"""Dataset: what is refused, what is normalised by what, and what the digest counts."""

from __future__ import annotations

import struct
from dataclasses import FrozenInstanceError, replace
from hashlib import sha256

import pytest
import torch

from resbench.data.dataset import Dataset, describe, digest
from resbench.data.info import DatasetInfo
from resbench.data.split import normalised, sealed_test, whole
from resbench.errors import BadInput


def tiny() -> Dataset:
    """Ten images of two channels, 2x3; channel 1 is constant over the train split."""
    images = torch.arange(10 * 2 * 2 * 3).reshape(10, 2, 2, 3).to(torch.uint8)
    images[:6, 1] = 7
    return Dataset(
        name="tiny",
        images=images,
        labels=torch.arange(10) % 3,
        splits={"train": torch.arange(6), "val": torch.tensor([7, 6]), "test": torch.tensor([8, 9])},
        classes=("a", "b", "c"),
        source="made up",
        licence="none",
    )


def test_describes_itself() -> None:
    assert describe(tiny()) == DatasetInfo("tiny", (2, 2, 3), 3, 6, 2, 2, "made up", "none")


def test_is_frozen_and_keeps_its_own_splits() -> None:
    data = tiny()
    with pytest.raises(FrozenInstanceError):
        data.name = "other"  # type: ignore[misc]
    given = dict(data.splits)
    copied = replace(data, splits=given)
    given["val"] = given["test"]
    assert copied.splits["val"].tolist() == [7, 6]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"images": torch.zeros(10, 2, 2, 3)},
            "images must be uint8 BCHW on the CPU and not empty, got float32 of shape",
        ),
        ({"images": torch.zeros(10, 2, 3, dtype=torch.uint8)}, "got uint8 of shape (10, 2, 3) on cpu"),
        ({"images": torch.zeros(0, 2, 2, 3, dtype=torch.uint8)}, "got uint8 of shape (0, 2, 2, 3) on cpu"),
        ({"images": torch.zeros(10, 2, 2, 3, dtype=torch.uint8, device="meta")}, "of shape (10, 2, 2, 3) on meta"),
        (
            {"labels": torch.zeros(10)},
            "labels must be int64 on the CPU, one per image (10), got float32 of shape (10,)",
        ),
        ({"labels": torch.arange(9) % 3}, "one per image (10), got int64 of shape (9,)"),
        ({"labels": torch.arange(10) % 4}, "labels must be 0 to 2 (3 classes), got 0 to 3"),
        ({"labels": torch.arange(10) % 3 - 1}, "labels must be 0 to 2 (3 classes), got -1 to 1"),
        ({"classes": ("a", "b", "a")}, "classes must be two or more different names, got ['a', 'b', 'a']"),
        ({"classes": ("a",)}, "classes must be two or more different names, got ['a']"),
    ],
)
def test_refuses(change: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        replace(tiny(), **change)  # type: ignore[arg-type]
    assert str(caught.value).startswith("data set `tiny`: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"val": torch.tensor([5, 6])}, "image 5 is in split `train` and in `val`; splits must not share images"),
        ({"test": torch.tensor([8, 8])}, "split `test` contains 1 image more than once"),
        ({"test": torch.tensor([8, 10])}, "split `test` must contain positions 0 to 9, got 8 to 10"),
        ({"test": torch.tensor([-1, 8])}, "split `test` must contain positions 0 to 9, got -1 to 8"),
        ({"val": torch.tensor([], dtype=torch.int64)}, "split `val` must be int64 with one axis"),
        ({"val": torch.tensor([6.0])}, "split `val` must be int64 with one axis"),
        ({"extra": torch.tensor([6])}, "must be `train`, `val` and `test`, got `train`, `val`, `test`, `extra`"),
    ],
)
def test_refuses_splits(change: dict[str, torch.Tensor], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        replace(tiny(), splits={**tiny().splits, **change})
    assert words in str(caught.value)


def test_all_faults_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        replace(tiny(), labels=torch.arange(10), splits={**tiny().splits, "val": torch.tensor([0, 6])})
    assert str(caught.value) == (
        "data set `tiny`: labels must be 0 to 2 (3 classes), got 0 to 9; "
        "image 0 is in split `train` and in `val`; splits must not share images"
    )


def test_normalised_by_the_train_split_alone() -> None:
    data = tiny()
    x, y = whole(normalised(data, "train"))
    assert x.dtype == torch.float32
    assert y.tolist() == [0, 1, 2, 0, 1, 2]
    pixels = data.images[:6, 0].double() / 255
    mean, sd = pixels.mean(), pixels.std(correction=0)
    torch.testing.assert_close(x[:, 0], ((pixels - mean) / sd).float())
    assert torch.equal(x[:, 1], torch.zeros(6, 2, 3)), "a constant channel becomes 0, not nan"
    held_out, labels = whole(normalised(data, "val"))
    torch.testing.assert_close(held_out[:, 0], ((data.images[[7, 6], 0].double() / 255 - mean) / sd).float())
    assert labels.tolist() == [1, 0]
    other = data.images.clone()
    other[6:] = 255
    assert torch.equal(whole(normalised(replace(data, images=other), "train"))[0], x)


def test_the_test_split_has_one_door() -> None:
    data = tiny()
    with pytest.raises(
        BadInput, match=r"must be `train` or `val`, not `test` \(`test` is sealed: `sealed_test` opens it"
    ):
        normalised(data, "test")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"must be `train` or `val`, not `valid`$"):
        normalised(data, "valid")  # type: ignore[arg-type]
    x, y = whole(sealed_test(data))
    as_val = replace(data, splits={**data.splits, "val": data.splits["test"], "test": data.splits["val"]})
    assert torch.equal(x, whole(normalised(as_val, "val"))[0])
    assert y.tolist() == [2, 0]


def test_digest_layout_1() -> None:
    """Written out by other means: who changes it must call it `d2`, for stored runs name their data by it."""
    data = tiny()
    written = b"".join(
        [
            b"resbench data set, layout 1\n",
            b"images uint8 10x2x2x3\n" + bytes(data.images.flatten().tolist()),
            b"labels int64 10\n" + struct.pack("<10q", 0, 1, 2, 0, 1, 2, 0, 1, 2, 0),
            b"train int64 6\n" + struct.pack("<6q", 0, 1, 2, 3, 4, 5),
            b"val int64 2\n" + struct.pack("<2q", 7, 6),
            b"test int64 2\n" + struct.pack("<2q", 8, 9),
        ]
    )
    assert digest(data) == f"d1_{sha256(written).hexdigest()}"


def test_digest_does_not_count_names_or_memory() -> None:
    data = tiny()
    strided = data.images.transpose(2, 3).contiguous().transpose(2, 3)
    renamed = replace(data, name="x", classes=("x", "y", "z"), source="x", licence="x", images=strided)
    assert not strided.is_contiguous()
    assert digest(renamed) == digest(data)


def test_digest_counts_shapes_pixels_labels_and_splits() -> None:
    data, pixel, label = tiny(), tiny().images, tiny().labels
    pixel[9, 1, 1, 2] += 1
    label[9] = 1
    variants = [
        data,
        replace(data, images=pixel),
        replace(data, labels=label),
        replace(data, images=data.images.reshape(10, 2, 3, 2)),
        replace(data, images=data.images.reshape(10, 1, 4, 3)),
        replace(data, splits={**data.splits, "val": torch.tensor([6, 7])}),
        replace(data, splits={**data.splits, "val": torch.tensor([7, 6, 8]), "test": torch.tensor([9])}),
        replace(data, splits={**data.splits, "val": data.splits["test"], "test": data.splits["val"]}),
    ]
    assert len({digest(one) for one in variants}) == len(variants)
