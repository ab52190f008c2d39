"""A numpy file as a data set: its layouts, types and splits, valid and invalid side by side; files that lie about their size."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from resbench.data.arrays import npz
from resbench.data.arrays.npz import headers
from resbench.data.dataset import Dataset, digest
from resbench.data.duplicates import refuse_duplicates
from resbench.data.registry import load
from resbench.errors import BadInput, Reason

Save = Callable[..., Path]
IMAGES = np.random.default_rng(0).integers(0, 256, (60, 6, 5, 3), np.uint8)
LABELS = np.arange(60) % 4


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(**arrays: NDArray[Any]) -> Path:
        np.savez_compressed(tmp_path / "x.npz", **arrays)  # type: ignore[arg-type]
        return tmp_path / "x.npz"

    return write


def arrays(path: Path, **settings: object) -> Dataset:
    return load("arrays", {"path": str(path), **settings})  # type: ignore[dict-item]


def fault(path: Path, **settings: object) -> str:
    """Of the data set, in the words behind the file's name."""
    with pytest.raises(BadInput) as caught:
        arrays(path, **settings)
    head, _, words = str(caught.value).partition(f"{path}: ")
    assert head == "data set `arrays`: ", str(caught.value)
    return words.partition(". Still available")[0]


def test_images_and_labels_alone_are_split_by_class(save: Save) -> None:
    data = arrays(save(images=IMAGES, labels=LABELS))
    assert (data.input_shape, data.classes, data.notes) == ((3, 6, 5), ("0", "1", "2", "3"), ())
    assert torch.equal(data.images, torch.from_numpy(IMAGES.transpose(0, 3, 1, 2)))  # type: ignore[arg-type]
    counts = {name: torch.bincount(data.labels[index]).tolist() for name, index in data.splits.items()}
    assert counts == {"train": [13] * 4, "val": [1] * 4, "test": [1] * 4}
    assert digest(data) == digest(arrays(save(images=IMAGES, labels=LABELS[:, None].astype(np.uint8))))


@pytest.mark.parametrize("names", [("images_{}", "labels_{}"), ("{}_images", "{}_labels"), ("x_{}", "y_{}")])
def test_a_pair_for_each_split(save: Save, names: tuple[str, str]) -> None:
    def of(split: str, part: slice) -> dict[str, NDArray[Any]]:
        return {names[0].format(split): IMAGES[part], names[1].format(split): LABELS[part]}

    data = arrays(save(**of("test", slice(40, 60)), **of("train", slice(0, 40))))
    assert {name: len(index) for name, index in data.splits.items()} == {"train": 36, "val": 4, "test": 20}
    assert data.splits["test"].tolist() == list(range(40, 60)), "one behind the other, train first"
    whole = arrays(save(**of("train", slice(0, 30)), **of("val", slice(30, 40)), **of("test", slice(40, 60))))
    assert {name: len(index) for name, index in whole.splits.items()} == {"train": 30, "val": 10, "test": 20}


def test_splits_as_positions_or_masks(save: Save) -> None:
    mask = np.zeros(60, np.bool_)
    mask[20:30] = True
    data = arrays(save(images=IMAGES, labels=LABELS, test=np.arange(5, 17, dtype=np.uint8), val=mask))
    assert data.splits["test"].tolist() == list(range(5, 17))
    assert data.splits["val"].tolist() == list(range(20, 30))
    assert len(data.splits["train"]) == 60 - 22, "without `train` it is what the others leave"
    some = arrays(
        save(images=IMAGES, labels=LABELS, train=np.arange(30), val=np.arange(30, 40), test=np.arange(40, 50))
    )
    assert sum(map(len, some.splits.values())) == 50, "the rest is not used"


@pytest.mark.parametrize(
    ("shape", "layout", "found"),
    [
        ((60, 6, 5), None, (1, 6, 5)), ((60, 6, 5, 1), None, (1, 6, 5)), ((60, 1, 6, 5), None, (1, 6, 5)),
        ((60, 3, 6, 5), None, (3, 6, 5)), ((60, 3, 6, 3), "NHWC", (3, 3, 6)), ((60, 3, 6, 3), "NCHW", (3, 6, 3)),
        ((60, 6, 5, 4), "NHWC", (4, 6, 5)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["C", "F"])
def test_where_the_channels_are(
    save: Save, shape: tuple[int, ...], layout: str | None, found: tuple[int, ...], order: Any
) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    data = arrays(save(images=np.asarray(images, order=order), labels=LABELS), **({"layout": layout} if layout else {}))
    assert data.input_shape == found
    last = layout == "NHWC" or (layout is None and shape[-1] == 1)
    expected = images.reshape(60, *found) if not last else images.transpose(0, 3, 1, 2)
    assert np.array_equal(data.images.numpy(), expected)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("values", "levels", "told"),
    [
        (IMAGES.astype(np.float32) / 255, None, "`images` (float32) scaled to 256 steps: 0 is black, 1 is white"),
        (IMAGES.astype(np.uint16) * 257, None, "`images` (uint16) scaled to 256 steps: 0 is black, 65535 is white"),
        (
            (IMAGES.astype(np.uint16) * 256).astype(">u2"),
            None,
            "`images` (>u2) scaled to 256 steps: 0 is black, 65535 is white",
        ),
        (IMAGES.astype(np.int64), [0, 255], "`images` (int64) scaled to 256 steps: 0 is black, 255 is white"),
        (
            IMAGES.astype(np.float64) - 100,
            [-100, 155],
            "`images` (float64) scaled to 256 steps: -100 is black, 155 is white",
        ),
    ],
)
def test_other_types_are_scaled_to_the_same_pixels(
    save: Save, values: NDArray[Any], levels: list[int] | None, told: str
) -> None:
    data = arrays(save(images=values, labels=LABELS), **({"levels": levels} if levels else {}))
    assert digest(data) == digest(arrays(save(images=IMAGES, labels=LABELS)))
    assert data.notes == (told,)


def test_what_is_worth_knowing_is_told(save: Save) -> None:
    data = arrays(save(images=IMAGES > 99, labels=LABELS, classes=np.array(list("wxyz")), extra=LABELS))
    assert data.classes == ("w", "x", "y", "z")
    assert data.notes == (
        "`images` (bool) scaled to 256 steps: 0 is black, 1 is white", "left out: arrays of other names: extra",
    )  # fmt: skip
    dark = arrays(save(images=IMAGES // 200, labels=LABELS))
    assert dark.notes == ("no pixel is brighter than 1 of 255; `levels` sets white",)
    assert arrays(save(images=IMAGES // 200, labels=LABELS), levels=[0, 1]).images.max() == 255  # type: ignore[union-attr]


def test_copies_are_refused_unless_they_are_allowed(save: Save) -> None:
    path = save(x_train=IMAGES[:40], y_train=LABELS[:40], x_test=IMAGES[38:58], y_test=LABELS[38:58])
    with pytest.raises(
        BadInput, match=r"^2 images are in two splits, byte for byte: (train|val)\[\d+\] and test\[0\]; "
    ):
        refuse_duplicates(arrays(path))
    refuse_duplicates(arrays(path, allow_copies=True))


L = {"labels": LABELS}
NAN = IMAGES / 255
NAN[7, 3, 3, 1] = np.nan
NAN[9, 0, 0, 0] = np.inf


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"x": IMAGES}, "expected arrays `images` and `labels`, or `images_train` and `labels_train`, got `x`"),
        ({"images": IMAGES}, "there is no `labels`"),
        ({"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES}, "there is no `y_test`"),
        ({"images": IMAGES, "labels": LABELS[:9]}, "`labels`: expected one label for each of the 60 images, got shape (9,)"),
        ({"images": IMAGES, "labels": np.eye(4)[LABELS]}, "`labels`: expected classes as integers from 0, got float64; "
         "an array `classes` may name them"),
        ({"images": IMAGES, "labels": LABELS - 1}, "`labels`: expected classes numbered from 0, but image 0 has the label -1"),
        ({"images": IMAGES, "labels": LABELS + (LABELS == 3) * 10**12}, "`labels`: expected at most 100000 classes, but image 3 "
         "has the label 1000000000003"),
        ({"images": IMAGES, "labels": np.array([object()] * 60)}, "`labels`: expected numbers or strings, got object"),
        ({"images": IMAGES.astype(complex), **L}, "`images`: expected numbers or strings, got complex128"),
        ({"images": IMAGES[:, 0, 0, 0], **L}, "`images`: expected images of shape BHW, BHWC or BCHW, got shape (60,)"),
        ({"images": IMAGES[:, :, :, :2], **L}, "`images`: its shape is (60, 6, 5, 2), and neither its last nor its second "
         "axis is 1 or 3 channels: give `layout: NHWC` or `layout: NCHW`"),
        ({"images": IMAGES[:, :3], **L}, "`images`: its shape is (60, 3, 5, 3), and either axis may be the channels: give "
         "`layout: NHWC` or `layout: NCHW`"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "`labels`: it is empty"),
        ({"images": IMAGES[:3], "labels": LABELS[:3]}, "class 0: expected at least 3 training images for the splits, got 1"),
        ({"images": NAN, **L}, "`images`: image 7: 2 of its values are not finite"),
        ({"images": IMAGES / 1.0, **L}, "`images`: image 0: expected values from 0 (black) to 1 (white), got 0 to 255; "
         "`levels: [low, high]` sets others"),
        ({"images": IMAGES.astype(np.int32), **L}, "`images`: the levels of black and white are unknown for int32: give them as "
         "`levels: [low, high]`"),
        ({"images": IMAGES, **L, "val": np.array([60])}, "`val`: expected positions from 0 to 59, got 60"),
        ({"images": IMAGES, **L, "val": np.zeros(60, np.bool_)}, "`val`: it is empty"),
        ({"images": IMAGES, **L, "val": np.zeros(9, np.bool_)}, "`val`: expected positions of images, or one boolean for each of "
         "the 60, got bool of shape (9,)"),
        ({"images": IMAGES, **L, "classes": np.array(["a"])}, "`classes`: expected the names of the 4 classes, got <U1 "
         "of shape (1,)"),
        ({"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:, :4], "y_test": LABELS}, "`x_test` holds images of shape "
         "(4, 5, 3), and `x_train` of (6, 5, 3)"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_data_set_is_told_with_the_array(
    save: Save, given: dict[str, NDArray[Any]], words: str
) -> None:
    assert fault(save(**given)) == words


def test_an_image_in_two_splits_is_refused(save: Save) -> None:
    path = save(images=IMAGES, labels=LABELS, val=np.arange(9), test=np.arange(8, 20))
    with pytest.raises(
        BadInput, match=r"^data set `arrays`: image 8 is in split `val` and in `test`; splits must not share images$"
    ):
        arrays(path)


def test_of_many_values_that_one_is_found_which_is_wrong(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "_AT_ONCE", 1000)
    assert fault(save(images=NAN, labels=LABELS)).startswith("`images`: image 7: ")
    assert fault(save(images=np.asfortranarray(NAN), labels=LABELS)).startswith("`images`: image 9: "), (
        "in the order of the file"
    )
    assert len(arrays(save(images=IMAGES, labels=LABELS)).images) == 60


# Files that lie


def entry(shape: object, descr: object = "|u1", *, size: int | None = None) -> bytes:
    """An array's bytes with a header that says this; `size`: of the header's length, where it lies."""
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\2\0" + struct.pack("<I", len(text) if size is None else size) + text


def archive(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(f"{name}.npy", content)
    return path


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (entry((10**9, 32, 32, 3)), "its header claims 3,072,000,000,000 bytes of values, and it has 0"),
        (entry((2**62, 2**62)), "bytes of values, and it has 0"),
        (entry((-1, -8)), "its header claims 8 bytes of values, and it has 0"),
        (entry((4,), "|O"), "expected numbers or strings, got object"),
        (entry((1,), "<U2000"), "expected numbers or strings, got <U2000"),
        (entry((1,), [("a", "<f8")]), "expected numbers or strings, got [('a', '<f8')]"),
        (entry((1,), size=2**32 - 1) + b" " * 20_000, "it is not a numpy array: a header of 4,294,967,295 bytes"),
        (entry("sixty"), "it is not a numpy array: shape is not valid"),
        (b"\x93NUMPY\7\0" + b" " * 99, "it is not a numpy array: version (7, 0) of the format"),
        (b"not an array", "it is not a numpy array: "),
        (b"", "it is not a numpy array: "),
    ],
)  # fmt: skip
def test_a_header_that_lies_is_found_before_anything_is_allocated(tmp_path: Path, content: bytes, words: str) -> None:
    path = archive(tmp_path / "lies.npz", images=content, labels=content)
    tracemalloc.start()
    try:
        with pytest.raises(Reason) as caught:
            headers(path)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}: `images`: ")
    assert words in str(caught.value)


def test_a_directory_that_lies_is_found_too(tmp_path: Path) -> None:
    """The sizes that a zip's directory states are raised to match the header: more than deflate can have packed."""
    path = archive(tmp_path / "lies.npz", images=entry((10**8,)))
    content = bytearray(path.read_bytes())
    size = len(entry((10**8,)))
    for at in (content.find(b"PK\1\2") + 24, content.find(b"PK\3\4") + 22):
        assert struct.unpack_from("<I", content, at) == (size,)
        struct.pack_into("<I", content, at, size + 10**8)
    path.write_bytes(content)
    with pytest.raises(Reason, match=r"packed bytes cannot hold the 100,000,\d+ that it claims$"):
        headers(path)


@pytest.mark.parametrize("damage", ["cut", "junk", "bit", "twice", "folder"])
def test_a_file_that_is_damaged_is_told(save: Save, damage: str) -> None:
    path = save(images=IMAGES, labels=LABELS)
    content = bytearray(path.read_bytes())
    if damage == "bit":
        content[content.find(b"images.npy") + 3000] ^= 255
    if damage == "twice":
        with zipfile.ZipFile(path) as file:
            one = file.read("images.npy")
        path.unlink()
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("images.npy", one)
            with pytest.warns(UserWarning, match="Duplicate name"):
                file.writestr("images.npy", one)
    elif damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes({"cut": content[:-300], "junk": b"junk", "bit": content}[damage])
    with pytest.raises(BadInput) as caught:
        arrays(path)
    said = {
        "cut": "is not a numpy file (.npz), or is damaged: ",
        "junk": "is not a numpy file (.npz), or is damaged: File is not a zip",
        "bit": "is not a numpy file (.npz), or is damaged: ",
        "twice": ": it contains `images` twice", "folder": "there is no file ",
    }  # fmt: skip
    assert said[damage] in str(caught.value)


def test_pickles_are_never_read(tmp_path: Path) -> None:
    content = BytesIO()
    np.lib.format.write_array(content, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    path = archive(tmp_path / "x.npz", images=content.getvalue(), labels=content.getvalue())
    with pytest.raises(BadInput, match="`images`: expected numbers or strings, got object"):
        arrays(path)
