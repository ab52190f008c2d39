"""Public data sets: found in a local folder, split by class, told where they are missing; the generated shapes."""

from __future__ import annotations

import gzip
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from resbench.data.dataset import digest
from resbench.data.make.shapes import CLASSES, draw
from resbench.data.public import read_public
from resbench.data.registry import info, load
from resbench.data.sets import cifar10, cifar100, fashion_mnist, mnist, svhn
from resbench.errors import BadInput, Reason

USUAL = (0.15, 25, 6)  # noise, rotation, clutter
PUBLIC = ("cifar10", "cifar100", "fashion_mnist", "mnist", "svhn")
MODULES = {"cifar10": cifar10, "cifar100": cifar100, "fashion_mnist": fashion_mnist, "mnist": mnist, "svhn": svhn}


def write_idx(folder: Path, name: str, array: NDArray[np.uint8], *, packed: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path = folder / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(content) if packed else content)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RESBENCH_DATA", str(tmp_path))
    monkeypatch.delenv("RESBENCH_DOWNLOAD", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", PUBLIC)
def test_sizes_are_those_of_the_papers(name: str) -> None:
    said = info(name)
    assert said.n_classes == len(MODULES[name].CLASSES)
    assert said.n_val % said.n_classes == 0
    whole = {"cifar10": 50_000, "cifar100": 50_000, "fashion_mnist": 60_000, "mnist": 60_000, "svhn": 73_257}[name]
    assert said.n_train + said.n_val == whole
    assert said.n_test == {"svhn": 26_032}.get(name, 10_000)


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "mnist", "svhn"])
def test_one_that_is_not_there_says_what_where_and_what_to_do(name: str, nowhere: Path) -> None:
    with pytest.raises(BadInput) as error:
        load(name)
    said = str(error.value)
    assert said.startswith(f"data set `{name}`: ")
    assert (
        f" is not in {nowhere}. Put it there as torchvision lays it out, name another folder in RESBENCH_DATA, " in said
    )
    assert "or allow a download: RESBENCH_DOWNLOAD=1. Still available: checking, compiling and " in said
    assert "`digits`" in said


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("place", ["MNIST/raw", "mnist"])
def test_the_files_of_mnist_are_read_and_split_by_class(place: str, packed: bool, nowhere: Path) -> None:
    rng = np.random.default_rng(0)
    for which, count in (("train", 100), ("t10k", 30)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        write_idx(nowhere / place, f"{which}-images-idx3-ubyte", images, packed=packed)
        write_idx(
            nowhere / place, f"{which}-labels-idx1-ubyte", (np.arange(count) % 10).astype(np.uint8), packed=packed
        )
    small = replace(mnist.INFO, n_train=80, n_val=20, n_test=30)
    data = read_public(small, mnist.CLASSES, "x", mnist._part)
    assert {split: len(index) for split, index in data.splits.items()} == {"train": 80, "val": 20, "test": 30}
    assert torch.bincount(data.labels[data.splits["val"]]).tolist() == [2] * 10
    assert data.splits["test"].tolist() == list(range(100, 130))
    assert digest(data) == digest(read_public(small, mnist.CLASSES, "x", mnist._part))


def test_a_download_that_fails_is_told(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESBENCH_DOWNLOAD", "1")
    asked: list[bool] = []

    def part(folder: Path, train: bool, download: bool) -> tuple[object, object]:
        asked.append(download)
        raise OSError("no route to host")

    with pytest.raises(Reason, match=r"^the files is not in .*, and the download failed: no route to host$"):
        read_public(mnist.INFO, mnist.CLASSES, "the files", part)
    assert asked == [False, True]


def test_shapes_are_the_same_everywhere_and_balanced() -> None:
    images, labels = draw(40, 7, *USUAL)
    again, _ = draw(40, 7, *USUAL)
    assert images.shape == (40, 3, 32, 32)
    assert np.array_equal(images, again)
    assert not np.array_equal(images, draw(40, 8, *USUAL)[0])
    assert np.array_equal(images[:20], draw(20, 7, *USUAL)[0]), "any number: more do not change the first"
    assert np.bincount(labels).tolist() == [4] * len(CLASSES)


def test_each_knob_of_the_shapes_does_something() -> None:
    plain = draw(20, 0, 0, 0, 0)[0]
    for knobs in ((0.2, 0, 0), (0, 40, 0), (0, 0, 4)):
        assert not np.array_equal(draw(20, 0, *knobs)[0], plain)
    assert len(np.unique(plain[0].reshape(3, -1), axis=1).T) < 200, "two colours and the edge between them"


@pytest.mark.long
def test_the_shapes_are_a_data_set() -> None:
    data = load("shapes")
    assert digest(data).startswith("d1_")
    assert torch.bincount(data.labels[data.splits["val"]]).tolist() == [100] * 10
    few = load("shapes", {"n_train": 2100, "clutter": 6})
    assert info("shapes", {"n_train": 2100}).n_train == len(few.splits["train"]) == 2100
    assert torch.equal(few.images[:2100], data.images[:2100]), "more of them do not change the first"
    assert not torch.equal(load("shapes", {"n_train": 2100, "noise": 0.5}).images, few.images)
