"""The shipped files: sizes, balance, no image in two splits, licences beside them, and the digests that runs are kept by."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from resbench.data.dataset import SPLITS, Dataset, digest
from resbench.data.registry import info, listed, load, names
from resbench.data.shipped import FILES
from resbench.data.split import normalised, sealed_test, whole


@dataclass(frozen=True, slots=True)
class Expected:
    shape: tuple[int, ...]
    sizes: tuple[int, int, int]
    digest: str
    licence: str
    licence_file: str
    licence_words: tuple[str, ...]


SHIPPED = {
    "digits": Expected(
        (1797, 1, 8, 8),
        (1117, 340, 340),
        "d1_510e455af238e8aa1dd01bfe9c6d950f7c1833d1c5bdd3c208ddebe8e57c2b3a",
        "CC BY 4.0",
        "LICENSE-digits",
        ("Creative Commons Attribution 4.0", "Alpaydin", "Kaynak", "10.24432/C50P49", "Changes made"),
    ),
    "fashion_mini": Expected(
        (5000, 1, 14, 14),
        (3000, 1000, 1000),
        "d1_2aa0303630a2432163aea7ddc4c836fd0e0632607b2900fbc4a9ddd0264bb54a",
        "MIT",
        "LICENSE-fashion-mnist",
        ("Copyright (c) 2017 Zalando SE", "Permission is hereby granted", "arXiv:1708.07747"),
    ),
}


@pytest.fixture(params=sorted(SHIPPED))
def data(request: pytest.FixtureRequest) -> Dataset:
    return load(request.param)


def test_every_registered_set_is_tested_here() -> None:
    assert set(SHIPPED) == {file.stem for file in FILES.glob("*.npz")}
    assert {name for name in names() if (about := listed(name)) and about.offline} == {*SHIPPED, "shapes"}


def test_sizes(data: Dataset) -> None:
    expected = SHIPPED[data.name]
    assert data.images.shape == expected.shape
    assert tuple(len(data.splits[split]) for split in SPLITS) == expected.sizes
    assert torch.cat([data.splits[split] for split in SPLITS]).sort().values.equal(torch.arange(len(data.images)))


def test_digest(data: Dataset) -> None:
    assert digest(data) == SHIPPED[data.name].digest


@pytest.mark.parametrize("split", ["val", "test"])
def test_held_out_classes_are_equally_frequent(data: Dataset, split: str) -> None:
    counts = torch.bincount(data.labels[data.splits[split]], minlength=data.n_classes).tolist()
    assert counts == [len(data.splits[split]) // data.n_classes] * data.n_classes


def test_train_classes() -> None:
    fashion, digits = load("fashion_mini"), load("digits")
    assert torch.bincount(fashion.labels[fashion.splits["train"]]).tolist() == [300] * 10
    in_all = torch.bincount(digits.labels)
    assert in_all.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert torch.bincount(digits.labels[digits.splits["train"]]).tolist() == (in_all - 68).tolist()


def test_no_image_is_there_twice(data: Dataset) -> None:
    assert len({bytes(image.flatten().tolist()) for image in data.images}) == len(data.images)


def test_the_split_of_digits_mixes_the_order_of_the_file() -> None:
    """Each split stands for each tenth of the file, so for all its writers."""
    digits = load("digits")
    for split in SPLITS:
        shares = torch.bincount(digits.splits[split] * 10 // len(digits.images), minlength=10) / len(
            digits.splits[split]
        )
        assert float(shares.min()) > 0.06
        assert float(shares.max()) < 0.14


def test_pixels_use_the_whole_scale(data: Dataset) -> None:
    assert (int(data.images.min()), int(data.images.max())) == (0, 255)


def test_digits_start_as_the_source_does() -> None:
    """The first line of the source: 0 0 5 13 9 1 0 0, on the scale of 0 to 16; it is a 0."""
    digits = load("digits")
    assert (digits.images[0, 0, 0].double() * 16 / 255).round().tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert digits.labels[:10].tolist() == list(range(10))


def test_normalised(data: Dataset) -> None:
    x, y = whole(normalised(data, "train"))
    assert x.shape == (len(data.splits["train"]), *info(data.name).input_shape)
    assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
    assert abs(float(x.double().mean())) < 1e-6
    assert abs(float(x.double().std(correction=0)) - 1) < 1e-6
    assert whole(sealed_test(data))[0].shape == (len(data.splits["test"]), *data.input_shape)


def test_licence_lies_beside_the_file(data: Dataset) -> None:
    expected = SHIPPED[data.name]
    text = (FILES / expected.licence_file).read_text(encoding="utf-8")
    assert info(data.name).licence == expected.licence
    assert info(data.name).source.split()[-1].removeprefix("doi:") in text
    assert text.startswith(f"{data.name}.npz\n")
    assert [words for words in expected.licence_words if words not in text] == []
