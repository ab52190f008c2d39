"""Folders as people have them: hidden files, links, other endings, copies; and digests that stay where pixels do."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
import torch
from images_sample import CORNERS, block, folder, turned
from PIL import Image

from resbench.data import split
from resbench.data.dataset import Dataset, digest
from resbench.data.duplicates import duplicate_notes, refuse_duplicates
from resbench.data.image_files import ImageFiles
from resbench.data.notes import notes
from resbench.data.registry import info, load
from resbench.data.split import normalised, whole
from resbench.errors import BadInput


def pets(root: Path, **settings: object) -> Dataset:
    return load("image_folder", {"path": str(root), "size": 8, **settings})  # type: ignore[arg-type]


def names(data: Dataset) -> list[str]:
    assert isinstance(data.images, ImageFiles)
    return sorted(f"{path.parent.name}/{path.name}" for path in data.images.paths)


def test_what_programs_put_there_is_left_out_and_told(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets")
    before = digest(pets(root))
    for hidden in ("cat/.ipynb_checkpoints", "dog/@eaDir", "__MACOSX", ".git"):
        (root / hidden).mkdir()
        copyfile(root / "cat/00.png", root / hidden / "00-checkpoint.png")
    (root / "dog/._00.png").write_bytes(b"\0\5\x16\7")
    data = pets(root)
    assert data.classes == ("cat", "dog")
    assert digest(data) == before
    (told,) = data.notes
    assert told.startswith(f"left out: 5 hidden files or folders: {root}/.git, {root}/__MACOSX, ")


def test_a_split_beside_hidden_folders_is_one(tmp_path: Path) -> None:
    for name, each in (("train", 4), ("test", 2)):
        folder(tmp_path / "all" / name, each=each)
    (tmp_path / "all" / "__MACOSX").mkdir()
    assert info("image_folder", {"path": str(tmp_path / "all")}).n_test == 4


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets", each=4)
    folder(tmp_path / "more", ("a", "b"), each=3)
    for link, target in (
        ("cat/linked", tmp_path / "more"), ("cat/twice", tmp_path / "more" / "a"), ("cat/self", root / "cat"),
        ("cat/up", tmp_path), ("dog/nowhere.png", tmp_path / "gone.png"),
        ("dog/round.png", root / "dog" / "round.png"),
    ):  # fmt: skip
        (root / link).symlink_to(target)
    (root / "cow").symlink_to(tmp_path / "more" / "b")
    data = pets(root, allow_copies=True)
    assert [names(data).count(name) for name in ("a/00.png", "b/00.png", "cow/00.png")] == [1, 1, 1]
    assert len(names(data)) == 4 + 6 + 4 + 3
    assert data.notes == (
        f"followed: 1 link to folders: {root}/cat/linked",
        f"not followed: 3 links to folders already read or to parent folders: {root}/cat/self, {root}/cat/twice, {root}/cat/up",
        f"left out: 2 broken links: {root}/dog/nowhere.png, {root}/dog/round.png",
    )


def test_a_link_does_not_hide_the_folder_that_it_leads_to(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets", each=4)
    (root / "cat" / "real").mkdir()
    (root / "cat" / "00.png").rename(root / "cat" / "real" / "00.png")
    before = digest(pets(root))
    (root / "cat" / "a_link").symlink_to(root / "cat" / "real")
    assert digest(pets(root)) == before


def test_what_is_not_read_is_counted_and_named(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets")
    for name in ("a.heic", "b.heic", "c.txt", "README"):
        (root / "cat" / name).write_bytes(b"x")
    copyfile(root / "cat/00.png", root / "loose.png")
    (root / "labels.csv").write_bytes(b"x")
    assert pets(root).notes == (
        f"left out: 4 files not read as an image (.heic 2, no ending 1, .txt 1): {root}/cat/README, {root}/cat/a.heic, "
        f"{root}/cat/b.heic and 1 more",
        f"left out: 1 image in no folder of a class: {root}/loose.png",
    )


def test_every_format_of_a_mixed_folder_is_read(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets", each=3)
    for name in ("x.avif", "x.jfif", "x.jp2", "x.TGA", "x.qoi"):
        Image.new("RGB", (9, 9), (len(name), 0, 9)).save(root / "dog" / name, "JPEG" if name == "x.jfif" else None)
    data = pets(root)
    assert (len(data.images), data.notes) == (11, ())
    assert whole(normalised(data, "train"))[0].isfinite().all()


def test_copies_in_two_splits_are_refused_unless_they_are_allowed(tmp_path: Path) -> None:
    for name, each in (("train", 6), ("val", 2), ("test", 2)):
        folder(tmp_path / "all" / name, each=each)  # the first images of each class are the same everywhere
    root = tmp_path / "all"
    with pytest.raises(
        BadInput,
        match=rf"^4 images are in two splits, byte for byte: {root}/train/cat/00\.png and {root}/val/cat/00\.png; .*; and 1 "
        r"more\. Remove them from one, or allow copies of training images in val and test by `allow_copies: true`$",
    ):
        refuse_duplicates(pets(root))
    allowed = pets(root, allow_copies=True)
    refuse_duplicates(allowed)
    assert next(duplicate_notes(allowed)).startswith("4 images are in two splits, byte for byte: ")
    assert digest(allowed) == digest(pets(root)), "the setting changes no number"


def test_an_image_of_two_classes_is_told(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets")
    data = pets(root)
    assert isinstance(data.images, ImageFiles)
    train = [data.images.paths[i] for i in data.splits["train"].tolist()]
    copyfile(train[0], train[-1])
    data = pets(root)
    refuse_duplicates(data)
    assert f"1 image is in two classes, byte for byte: {train[0]} and {train[-1]}" in notes(data)


# Of the files below, as they were digested before there were any rules: the same pixels, the same digest.
PLAIN = "d1_ba46966094866990ebdd09c30b8e47de01b188fe301d8c65ef93b0736a65c420"
PLAIN_GREY = "d1_16f456bd5410b13348313d64f27c03d4ebf82326cf36b2357466b441d5da37f4"


@pytest.fixture
def portable(tmp_path: Path) -> Path:
    """Written by hand, so that no encoder has a say."""
    root = tmp_path / "ppm"
    for name, count in (("cat", 12), ("dog", 11)):
        (root / name).mkdir(parents=True)
        for i in range(count):
            pixels = bytes((i * 7 + k * 5 + len(name) * (name == "dog")) % 256 for k in range(36))
            (root / name / f"{i:02}.ppm").write_bytes(b"P6 3 4 255\n" + pixels)
    (root / "cat" / "sub").mkdir()
    (root / "cat" / "sub" / "b.pgm").write_bytes(b"P5 3 3 255\n" + bytes(range(9)))
    return root


def test_a_folder_that_is_read_as_before_has_the_digest_of_before(portable: Path) -> None:
    assert digest(pets(portable)) == PLAIN
    assert digest(pets(portable, channels=1)) == PLAIN_GREY
    assert digest(pets(portable, levels=[0, 1], transparent="black")) == PLAIN, "settings that concern no file"


def test_a_file_that_a_rule_reads_has_another_digest_by_each_rule(portable: Path) -> None:
    values = np.arange(16, dtype=np.uint16).reshape(4, 4) * 100
    values[3, 3] = 2000
    Image.fromarray(values).save(portable / "cat" / "sub" / "deep.png")
    (portable / "dog" / "turned.png").write_bytes(turned(6, "PNG").getvalue())
    Image.new("RGBA", (4, 4), (9, 9, 9, 9)).save(portable / "dog" / "clear.png")
    ways = [{}, {"levels": [0, 2000]}, {"transparent": "black"}]
    found = [digest(pets(portable, **way)) for way in ways]
    assert len(set(found)) == 3
    data = pets(portable)
    assert isinstance(data.images, ImageFiles)
    plain = sha256(b"resbench data set, layout 1\n")
    plain.update(f"files {'x'.join(map(str, data.images.shape))}\n".encode())
    plain.update(b"".join(sha256(path.read_bytes()).digest() for path in data.images.paths))
    for name, tensor in {"labels": data.labels, **data.splits}.items():
        plain.update(f"{name} int64 {len(tensor)}\n".encode() + tensor.numpy().astype("<i8").tobytes())
    assert f"d1_{plain.hexdigest()}" not in found, "what it was before the rules"


def test_the_rules_hold_where_images_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(tmp_path / "pets", each=4)
    Image.fromarray(np.full((9, 9), 41500, np.uint16)).save(root / "cat" / "deep.png")
    (root / "dog" / "turned.png").write_bytes(turned(3, "PNG").getvalue())
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(root / "dog" / "clear.png")
    held = normalised(pets(root), "train")
    monkeypatch.setattr(split, "HELD_BYTES", 0)
    streamed = normalised(pets(root), "train")
    assert type(held) is not type(streamed)
    assert torch.equal(whole(held)[0], whole(streamed)[0])


def test_an_image_is_turned_before_its_middle_is_taken(tmp_path: Path) -> None:
    wide = Image.fromarray(np.hstack([np.asarray(block(CORNERS, 4)), np.zeros((8, 16), np.uint8)]))
    exif = Image.Exif()
    exif[0x0112] = 6
    wide.save(tmp_path / "wide.png", exif=exif)
    upright = np.rot90(np.asarray(wide), -1)
    pixels = ImageFiles((tmp_path / "wide.png",), 8).read(0)
    assert np.array_equal(pixels[0].numpy(), upright[8:16]), "the square in the middle of what is upright"


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(tmp_path / "pets")
    scan = os.scandir

    def refused(path: Path) -> object:
        if path == root / "dog":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(BadInput, match=rf"^data set `image_folder`: {root}/dog cannot be read: Permission denied$"):
        info("image_folder", {"path": str(root)})
