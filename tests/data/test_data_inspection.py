"""Every file is decoded once before the first epoch: all bad ones named at once, what was found kept, progress told."""

from __future__ import annotations

from pathlib import Path

import pytest
from images_sample import folder
from PIL import Image

from resbench.api.study.decoding import EVERY_S, Decoding
from resbench.data.dataset import Dataset, digest
from resbench.data.image_files import ImageFiles
from resbench.data.images import decoded, inspection
from resbench.data.images.inspection import inspect
from resbench.data.images.pixels import Rules
from resbench.data.registry import load
from resbench.errors import SpecError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "cache"))
    return folder(tmp_path / "pets")


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files were decoded, one entry each."""
    found: list[int] = []
    decode = inspection._decode

    def counted(content: bytes, rules: Rules) -> decoded.Finding:
        found.append(len(content))
        return decode(content, rules)

    monkeypatch.setattr(inspection, "_decode", counted)
    return found


def pets(root: Path, **settings: object) -> Dataset:
    return load("image_folder", {"path": str(root), "size": 8, **settings})  # type: ignore[arg-type]


def spoil(root: Path) -> list[str]:
    """Of val, test and train: a photo cut in half, an empty file, a text; none of which its own header betrays."""
    data = pets(root)
    assert isinstance(data.images, ImageFiles)
    paths = [data.images.paths[int(data.splits[split][0])] for split in ("train", "val", "test")]
    Image.effect_noise((40, 40), 90).save(paths[2], "JPEG")
    paths[2].write_bytes(paths[2].read_bytes()[:600])
    with Image.open(paths[2]) as image:
        image.verify()
    paths[1].write_bytes(b"")
    paths[0].write_text("no picture", "utf-8")
    return [str(path) for path in paths]


def test_every_bad_file_of_every_split_is_named_at_once(root: Path) -> None:
    train, val, test = spoil(root)
    with pytest.raises(SpecError) as caught:
        digest(pets(root))
    head, *lines = str(caught.value).splitlines()
    assert head == "3 of 24 images cannot be read"
    assert f"{train} cannot be read as an image: cannot identify image file" in lines
    assert f"{val} cannot be read as an image: cannot identify image file" in lines
    assert any(line.startswith(f"{test} cannot be read as an image: image file is truncated") for line in lines)
    assert len(lines) == 3


def test_of_very_many_bad_files_the_first_are_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "MOST_NAMED", 2)
    monkeypatch.setattr(inspection, "CHUNK", 5)
    for path in root.rglob("*.png"):
        path.write_bytes(b"x")
    with pytest.raises(SpecError) as caught:
        digest(pets(root))
    assert str(caught.value).splitlines()[0] == "24 of 24 images cannot be read"
    assert str(caught.value).splitlines()[-1] == "and 22 more"
    assert len(caught.value.problems) == 4


def test_what_was_decoded_once_is_only_hashed_wherever_it_lies(root: Path, decodings: list[int]) -> None:
    first = digest(pets(root))
    assert len(decodings) == 24
    moved = root.rename(root.with_name("animals"))
    assert digest(pets(moved)) == first
    assert len(decodings) == 24
    Image.new("RGB", (9, 9)).save(moved / "cat" / "new.png")
    digest(pets(moved))
    assert len(decodings) == 25, "the new one alone"
    digest(pets(moved, levels=[0, 9]))
    assert len(decodings) == 50, "another way to read them"


def test_a_bad_file_is_looked_at_again_and_good_ones_are_not(root: Path, decodings: list[int]) -> None:
    (root / "cat" / "00.png").write_bytes(b"x")
    for _ in range(2):
        with pytest.raises(SpecError):
            digest(pets(root))
    assert len(decodings) == 24 + 1


def test_a_kept_finding_that_is_damaged_is_found_again(root: Path, decodings: list[int]) -> None:
    first = inspect(pets(root).images)  # type: ignore[arg-type]
    for shard in (root.parent / "cache").rglob("decoded/*/?"):
        content = shard.read_bytes()
        shard.write_bytes(content[:-10].replace(b"\t", b"\n", 1) + b"\xff\nnot a line\n")
    again = inspect(pets(root).images)  # type: ignore[arg-type]
    assert (again.sha256s, again.findings) == (first.sha256s, first.findings)
    assert len(decodings) > 24


def test_where_nothing_can_be_kept_files_are_decoded_again(
    root: Path, decodings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (root.parent / "file").write_text("in the way", "utf-8")
    monkeypatch.setenv("RESBENCH_CACHE", str(root.parent / "file"))
    assert digest(pets(root)) == digest(pets(root))
    assert len(decodings) == 48


def test_the_cache_is_where_it_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESBENCH_CACHE")
    assert decoded.cache_folder() == Path.home() / ".cache" / "resbench"


def test_progress_is_told_by_chunks_and_now_and_then(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "CHUNK", 10)
    told: list[tuple[int, int]] = []
    digest(pets(root), lambda done, total: told.append((done, total)))
    assert told == [(10, 24), (20, 24), (24, 24)]
    now, lines = [0.0], list[str]()
    tell = Decoding(lines.append, lambda: now[0])
    for done in range(0, 4000, 1000):
        tell(done, 4000)
        now[0] += EVERY_S / 2
    assert lines == ["2,000 of 4,000 images are decoded"]
