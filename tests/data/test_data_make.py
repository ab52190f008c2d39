"""The makers on small made data: pooling, drawing, reading and writing, twice the same bytes."""

from __future__ import annotations

import gzip
import struct
import time
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from numpy.typing import NDArray

from resbench.data.make import digits, fashion_mini
from resbench.data.make.archive import Arrays, write_archive
from resbench.data.make.command import command
from resbench.data.make.draw import shuffled_by_class, take
from resbench.data.make.idx import read_idx
from resbench.errors import BadInput


def idx(array: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def fashion_like(folder: Path, per_class: int, packed: bool) -> Path:
    """The four files with random pixels; as many t10k images as train images."""
    folder.mkdir()
    for part, seed in (("train", 1), ("t10k", 2)):
        draw = np.random.default_rng(seed)
        labels = draw.permutation(np.repeat(np.arange(10, dtype=np.uint8), per_class))
        images = draw.integers(0, 256, (len(labels), 28, 28), dtype=np.uint8)
        images[:, 0, 0] = labels  # so that a test can see whether images and labels stayed together
        images[:, 0, 1] = images[:, 1, 0] = images[:, 1, 1] = labels
        for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array), compresslevel=1))
            else:
                (folder / name).write_bytes(idx(array))
    return folder


def digits_like(path: Path, rows: list[list[int]]) -> Path:
    path.write_bytes(gzip.compress("".join(",".join(map(str, row)) + "\n" for row in rows).encode()))
    return path


ROWS = [[(i + j) % 17 for j in range(64)] + [i % 2] for i in range(200)]


def test_pooling_is_the_rounded_mean_of_blocks() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    pooled = fashion_mini.pool(images)
    assert pooled.shape == (3, 1, 14, 14)
    assert pooled.dtype == np.uint8
    exact = (
        images[:, 0::2, 0::2] / 4 + images[:, 1::2, 0::2] / 4 + images[:, 0::2, 1::2] / 4 + images[:, 1::2, 1::2] / 4
    )
    assert np.array_equal(pooled[:, 0], np.floor(exact + 0.5))
    assert int(fashion_mini.pool(np.full((1, 2, 2), 255, dtype=np.uint8)).max()) == 255


def test_scaling_keeps_all_seventeen_values() -> None:
    scaled = digits.scale(np.arange(17))
    assert scaled.tolist() == [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]


def test_drawing_is_pinned() -> None:
    """A changed draw would change the shipped splits, and with them what every stored run was trained on."""
    by_class = shuffled_by_class(np.arange(20) % 2, "a test")
    assert [positions.tolist() for positions in by_class] == [
        [18, 12, 14, 0, 16, 8, 2, 4, 10, 6],
        [1, 17, 11, 9, 3, 7, 19, 15, 5, 13],
    ]


def test_drawing_keeps_to_the_class_and_depends_on_the_purpose() -> None:
    labels = np.arange(300) % 3
    by_class = shuffled_by_class(labels, "one")
    for one, positions in enumerate(by_class):
        assert sorted(positions.tolist()) == list(range(one, 300, 3))
        assert positions.tolist() != sorted(positions.tolist())
    assert [p.tolist() for p in by_class] != [p.tolist() for p in shuffled_by_class(labels, "two")]


def test_parts_do_not_overlap_and_leave_nothing() -> None:
    by_class = shuffled_by_class(np.arange(301) % 3, "one")
    parts = [take(by_class, 0, 10), take(by_class, 10, 30), take(by_class, 30, None)]
    assert [len(part) for part in parts] == [30, 60, 211]
    assert sorted(np.concatenate(parts).tolist()) == list(range(301))
    assert all(np.array_equal(part, np.sort(part)) for part in parts)
    assert all(part.dtype == np.int64 for part in parts)


def test_digits_from_a_table(tmp_path: Path) -> None:
    made = digits.arrays(digits_like(tmp_path / "d.csv.gz", ROWS))
    assert made["images"].shape == (200, 1, 8, 8)
    assert made["images"][3].ravel().tolist() == digits.scale(np.array(ROWS[3][:64])).tolist()
    assert [len(made[split]) for split in ("train", "val", "test")] == [64, 68, 68]
    for split in ("train", "val", "test"):
        assert np.ptp(np.bincount(made["labels"][made[split]])) == 0
    assert sorted(np.concatenate([made["train"], made["val"], made["test"]]).tolist()) == list(range(200))


@pytest.mark.parametrize("row", [[17] * 64 + [0], [-1] * 64 + [0], [0] * 64])
def test_digits_refuses_another_table(tmp_path: Path, row: list[int]) -> None:
    with pytest.raises(BadInput, match="expected 64 values of 0 to 16 and a class in each line"):
        digits.arrays(digits_like(tmp_path / "d.csv.gz", [row, row]))


def test_digits_refuses_what_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("0,1\n")
    for path in (tmp_path / "d.csv", tmp_path / "none.csv.gz"):
        with pytest.raises(BadInput, match="cannot be read as a gzipped table of integers"):
            digits.arrays(path)


def test_fashion_mini_from_idx_files(tmp_path: Path) -> None:
    made = fashion_mini.arrays(fashion_like(tmp_path / "plain", 410, packed=False))
    assert made["images"].shape == (5000, 1, 14, 14)
    assert [len(made[split]) for split in ("train", "val", "test")] == [3000, 1000, 1000]
    assert np.array_equal(made["images"][:, 0, 0, 0], made["labels"]), "images and labels stayed together"
    assert len(np.unique(made["images"].reshape(5000, -1), axis=0)) == 5000, "no image was drawn twice"
    for split in ("train", "val", "test"):
        assert np.ptp(np.bincount(made["labels"][made[split]])) == 0
    source = fashion_mini.pool(read_idx(tmp_path / "plain", "t10k-images-idx3-ubyte"))
    from_t10k = {image.tobytes() for image in source}
    assert [image.tobytes() in from_t10k for image in made["images"]] == [False] * 4000 + [True] * 1000


def test_gzipped_sources_are_the_same(tmp_path: Path) -> None:
    plain = fashion_mini.arrays(fashion_like(tmp_path / "plain", 400, packed=False))
    packed = fashion_mini.arrays(fashion_like(tmp_path / "packed", 400, packed=True))
    assert all(np.array_equal(plain[key], packed[key]) for key in plain)


def test_fashion_mini_needs_enough_of_each_class(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"train in .*: expected 400 images of each of 10 classes, got \[399, 399,"):
        fashion_mini.arrays(fashion_like(tmp_path / "few", 399, packed=False))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "neither x nor x.gz is in "),
        (b"", "x in .* is not an IDX file of bytes: it starts with nothing"),
        (b"\x89PNG....", "is not an IDX file of bytes: it starts with 89504e47"),
        (idx(np.zeros((3, 4), dtype=np.uint8))[:-1], r"is cut or damaged: 23 bytes for an array of shape \(3, 4\)"),
        (b"\0\0\x08\x03\0\0", "is cut or damaged: 6 bytes"),
    ],
)
def test_idx_refuses(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "x").write_bytes(content)
    with pytest.raises(BadInput, match=words):
        read_idx(tmp_path, "x")


def test_idx_refuses_a_cut_gz(tmp_path: Path) -> None:
    (tmp_path / "x.gz").write_bytes(gzip.compress(idx(np.zeros((3, 4), dtype=np.uint8)))[:-9])
    with pytest.raises(BadInput, match=r"x\.gz cannot be read: "):
        read_idx(tmp_path, "x")


def test_archive_has_the_same_bytes_at_another_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = digits.arrays(digits_like(tmp_path / "d.csv.gz", ROWS))
    first = write_archive(tmp_path / "a.npz", made)
    later = time.time() + 1e6
    monkeypatch.setattr(time, "time", lambda: later)
    swapped: Arrays = {key: array.astype(array.dtype.newbyteorder(">")) for key, array in made.items()}
    assert write_archive(tmp_path / "b.npz", swapped) == first
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with ZipFile(tmp_path / "a.npz") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {member.create_system for member in archive.infolist()} == {3}


def test_archive_reads_back(tmp_path: Path) -> None:
    made = digits.arrays(digits_like(tmp_path / "d.csv.gz", ROWS))
    write_archive(tmp_path / "a.npz", made)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as read:
        assert {key: read[key].dtype.str for key in read} == {
            "images": "|u1",
            "labels": "<i8",
            "train": "<i8",
            "val": "<i8",
            "test": "<i8",
        }
        assert all(np.array_equal(read[key], made[key]) for key in made)


def test_archive_says_where_it_cannot_write(tmp_path: Path) -> None:
    made = digits.arrays(digits_like(tmp_path / "d.csv.gz", ROWS))
    with pytest.raises(BadInput, match=r"no/a\.npz: there is no folder "):
        write_archive(tmp_path / "no" / "a.npz", made)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = str(digits_like(tmp_path / "d.csv.gz", ROWS)), str(tmp_path / "a.npz")
    command("digits", "a table", digits.arrays, "0", [source, target])
    found = capsys.readouterr().out.split("sha256 ")[1].split(":")[0]
    command("digits", "a table", digits.arrays, found, [source, target])
    assert capsys.readouterr().out == f"{target}: sha256 {found}: the shipped file\n"
    Path(target).write_text("mine")
    with pytest.raises(SystemExit) as caught:
        command("digits", "a table", digits.arrays, found, [source, target])
    assert caught.value.code == 2
    assert "a.npz: exists already and was left as it is" in capsys.readouterr().err
    command("digits", "a table", digits.arrays, found, [source, target, "--force"])
    assert "the shipped file" in capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        command("digits", "a table", digits.arrays, "0", [str(tmp_path / "none"), target])
    assert caught.value.code == 2
    assert "cannot be read as a gzipped table" in capsys.readouterr().err
