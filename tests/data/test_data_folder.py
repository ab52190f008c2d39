"""A folder of images: dealt to splits, decoded as they are needed, told where it cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from resbench.data import split
from resbench.data.dataset import Dataset, digest, moments
from resbench.data.image_files import ImageFiles
from resbench.data.images.pixels import Rules
from resbench.data.registry import info, listed, load
from resbench.data.split import InMemorySplit, StreamedSplit, normalised, sealed_test, whole
from resbench.errors import BadInput


def write(folder: Path, count: int, seed: int) -> None:
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    for i in range(count):
        Image.fromarray(generator.integers(0, 256, (10 + i % 3, 14, 3), np.uint8)).save(folder / f"{i:03}.png")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number, (name, count) in enumerate((("cat", 20), ("dog", 12), ("eel", 9))):
        write(tmp_path / "pets" / name, count, number)
    (tmp_path / "pets" / "cat" / "notes.txt").write_text("no image", "utf-8")
    return tmp_path / "pets"


def pets(tree: Path, **settings: int) -> Dataset:
    return load("image_folder", {"path": str(tree), "size": 8, **settings})


def test_a_tenth_of_each_class_is_val_and_test(tree: Path) -> None:
    data = pets(tree)
    assert data.classes == ("cat", "dog", "eel")
    counts = {name: torch.bincount(data.labels[index]).tolist() for name, index in data.splits.items()}
    assert counts == {"train": [17, 10, 7], "val": [1, 1, 1], "test": [2, 1, 1]}
    about = info("image_folder", {"path": str(tree), "size": 8})
    assert (about.input_shape, about.n_train, about.n_val, about.n_test) == ((3, 8, 8), 34, 3, 4)
    assert listed("image_folder") is None


def test_splits_that_are_there_are_taken(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    tree.rename(tmp_path / "whole" / "train")
    for name in ("cat", "dog", "eel"):
        write(tmp_path / "whole" / "test" / name, 2, 9)
    data = pets(tmp_path / "whole")
    assert [len(data.splits[name]) for name in ("train", "val", "test")] == [37, 4, 6]


def test_pixels_are_those_of_the_middle_square(tmp_path: Path) -> None:
    flag = np.zeros((8, 16, 3), np.uint8)
    flag[:, :4], flag[:, 4:12], flag[:, 12:] = 10, 100, 250  # the middle square is all 100
    Image.fromarray(flag).save(tmp_path / "flag.png")
    files = ImageFiles((tmp_path / "flag.png",), 8)
    assert torch.equal(files.read(0), torch.full((3, 8, 8), 100, dtype=torch.uint8))
    assert ImageFiles((tmp_path / "flag.png",), 4, Rules(1)).read(0).shape == (1, 4, 4)


def test_streamed_images_are_those_held_in_memory(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pets(tree)
    held = normalised(data, "train")
    monkeypatch.setattr(split, "HELD_BYTES", 0)
    streamed = normalised(data, "train")
    assert isinstance(held, InMemorySplit)
    assert isinstance(streamed, StreamedSplit)
    order = torch.randperm(34, generator=torch.Generator().manual_seed(0)).split(5)
    for a, b in zip(held.batches(order), streamed.batches(order), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(whole(streamed)[1], held.labels)
    x, _ = whole(held)
    assert x.mean((0, 2, 3)).abs().max() < 1e-6
    assert isinstance(sealed_test(data), StreamedSplit)


def test_who_has_enough_before_the_end_leaves_nothing_running(tree: Path) -> None:
    files = pets(tree).images
    assert isinstance(files, ImageFiles)
    batches = files.batches(torch.arange(len(files)).split(2))
    next(batches)
    batches.close()  # type: ignore[attr-defined]


def test_the_digest_is_of_bytes_labels_and_size(tree: Path) -> None:
    before = digest(pets(tree))
    assert digest(pets(tree)) == before
    assert digest(pets(tree, size=9)) != before
    assert digest(pets(tree, channels=1)) != before
    renamed = tree.rename(tree.parent / "other")
    assert digest(pets(renamed)) == before, "where it lies does not count"
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(renamed / "cat" / "000.png")
    assert digest(pets(renamed)) != before


def test_moments_of_many_are_those_of_a_sample(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pets(tree)
    every, _ = moments(data)
    monkeypatch.setattr("resbench.data.dataset.SAMPLE", 17)
    half, _ = moments(data)
    assert not torch.equal(every, half)
    torch.testing.assert_close(every, half, atol=0.05, rtol=0)


def test_a_file_that_is_no_image_is_named(tree: Path) -> None:
    (tree / "dog" / "000.png").write_bytes(b"not a picture")
    with pytest.raises(BadInput, match=r"dog/000\.png cannot be read as an image: cannot identify image file$"):
        whole(normalised(pets(tree), "train"))
    with pytest.raises(BadInput, match=r"dog/000\.png cannot be read as an image: cannot identify image file$"):
        digest(pets(tree))


def test_a_folder_is_looked_for_where_data_are(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESBENCH_DATA", str(tree.parent))
    assert info("image_folder", {"path": "pets"}).n_classes == 3
    with pytest.raises(
        BadInput, match=rf"^data set `image_folder`: `path`: there is no folder birds and no {tree.parent}/birds"
    ):
        info("image_folder", {"path": "birds"})


def test_classes_that_cannot_be_dealt_are_told(tree: Path, tmp_path: Path) -> None:
    (tree / "fox").mkdir()
    with pytest.raises(BadInput, match=r"fox: there is no image; the known suffixes are \.apng, "):
        info("image_folder", {"path": str(tree)})
    Image.new("RGB", (4, 4)).save(tree / "fox" / "a.png")
    with pytest.raises(BadInput, match=r"fox: expected at least 3 images for the splits, got 1$"):
        info("image_folder", {"path": str(tree)})
    with pytest.raises(BadInput, match="expected two or more folders of images, one for each class, got 0"):
        info("image_folder", {"path": str(tree / "cat")})
    for name in ("b.png", "c.png"):
        Image.new("RGB", (4, 4)).save(tree / "fox" / name)
    assert info("image_folder", {"path": str(tree)}).n_classes == 4, "three are enough"


def test_folders_of_splits_that_do_not_go_together_are_told(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    tree.rename(tmp_path / "all" / "train")
    write(tmp_path / "all" / "val" / "cow", 2, 0)
    with pytest.raises(BadInput, match="val: there are no training images of its class `cow`"):
        info("image_folder", {"path": str(tmp_path / "all")})
    (tmp_path / "all" / "val").rename(tmp_path / "all" / "validation")
    with pytest.raises(
        BadInput, match="expected only the folders train, val and test, of which train is required; check validation"
    ):
        info("image_folder", {"path": str(tmp_path / "all")})
    (tmp_path / "all" / "validation").rename(tmp_path / "all" / "test")
    (tmp_path / "all" / "train").rename(tmp_path / "all" / "training")
    with pytest.raises(
        BadInput, match="expected only the folders train, val and test, of which train is required; check train"
    ):
        info("image_folder", {"path": str(tmp_path / "all")})
