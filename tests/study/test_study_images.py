"""A study on images as people have them: what check and run say before anything is trained, what is kept when a file is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
from command_line import Database, Rb
from images_sample import folder
from PIL import Image

from resbench.data import split

PLAN = "plan: {width: 2, workers: 0, threads: 1, layout: contiguous}"
STUDY = f"""\
study: pets
network: {{use: resnet_cifar, depth: 8, width: 2}}
units: [original, plain]
data: {{use: image_folder, path: pets, size: 8}}
recipe: {{use: he2016_small, epochs: 2, batch: 8, warmup: null, {PLAN}}}
seeds: 2
"""
Edit = Callable[[Path], object]


@pytest.fixture
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes that a glance tells apart, of 40 images each, and the study `pets.yaml` on them."""
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("RESBENCH_DATA", raising=False)
    monkeypatch.delenv("RESBENCH_DOWNLOAD", raising=False)
    (tmp_path / "pets.yaml").write_text(STUDY, "utf-8")
    return folder(tmp_path / "pets", each=40)


def cut_jpeg(path: Path) -> None:
    Image.effect_noise((40, 40), 90).save(path.with_suffix(".jpg"))
    path.with_suffix(".jpg").write_bytes(path.with_suffix(".jpg").read_bytes()[:600])
    path.unlink()


def test_check_says_how_many_images_there_are_and_that_val_is_too_small(rb: Rb, pets: Path) -> None:
    said = rb("study", "check", "pets.yaml")
    assert said.status == 0
    line = "data image_folder: 2 classes of 3x8x8; 66 train, 6 val, 8 test; one val image is 16.7 points of error"
    assert line in said.out.splitlines()
    assert "guess" not in said.out
    for path in [*pets.rglob("*.png")]:
        if int(path.stem) > 2:
            path.unlink()
    said = rb("study", "check", "pets.yaml", "recipe.batch=2")
    assert "2 classes of 3x8x8; 2 train, 2 val, 2 test; one val image is 50 points of error" in said.out
    assert (
        "2 val images cannot distinguish learning from guessing: guessing gets all right with probability 25 %"
        in said.out
    )
    said = rb("study", "check", "pets.yaml")
    assert said.status == 2
    assert "a batch of 8 is more than the 2 training images" in said.err


@pytest.mark.parametrize(("classes", "each", "batch"), [(2, 3, 2), (7, 4, 4)])
def test_few_images_and_more_classes_than_a_batch_are_trained_on(
    rb: Rb, pets: Path, database: Database, classes: int, each: int, batch: int
) -> None:
    folder(pets.with_name("few"), tuple(f"class{i}" for i in range(classes)), each)
    words = ("pets.yaml", "data.path=few", f"recipe.batch={batch}", "units=[original]")
    said = rb("study", "run", *words)
    assert said.status == 0, said.err
    assert database.rows("SELECT seed, epochs FROM v_runs ORDER BY seed") == [(0, 2), (1, 2)]


def test_notes_are_said_by_check_by_run_once_and_by_data(rb: Rb, pets: Path) -> None:
    (pets / "cat" / ".ipynb_checkpoints").mkdir()
    copyfile(pets / "cat" / "00.png", pets / "cat" / ".ipynb_checkpoints" / "00-checkpoint.png")
    deep = np.random.default_rng(0).integers(0, 65536, (9, 9)).astype(np.uint16)
    Image.fromarray(deep).save(pets / "dog" / "deep.png")
    notes = [
        "left out: 1 hidden file or folder: pets/cat/.ipynb_checkpoints",
        "1 image of more than 8 bits, scaled: 0 is black, 65535 is white: pets/dog/deep.png",
    ]
    check, table, run = (
        rb("study", "check", "pets.yaml"),
        rb("study", "check", "pets.yaml", "--json"),
        rb("study", "run", "pets.yaml"),
    )
    shown = rb("data", "image_folder", "path=pets", "size=8")
    listed = rb("data", "image_folder", "path=pets", "size=8", "--json").json
    for text in (check.out, table.err, run.err, shown.out):
        assert [text.count(note) for note in notes] == [1, 1]
    assert table.json[0]["name"] == "original"
    assert listed["notes"] == notes
    assert listed["classes"] == [
        {"name": "cat", "train": 33, "val": 3, "test": 4}, {"name": "dog", "train": 34, "val": 3, "test": 4}
    ]  # fmt: skip
    assert listed["digest"] in shown.out


@pytest.mark.parametrize("command", ["check", "run"])
def test_every_bad_file_is_named_before_anything_is_trained(rb: Rb, pets: Path, tmp_path: Path, command: str) -> None:
    for number in range(40):
        if number % 10 == 0:
            cut_jpeg(pets / "cat" / f"{number:02}.png")
    said = rb("study", command, "pets.yaml")
    assert said.status == 2
    head, source, caret, *lines = said.err.splitlines()
    assert head == "pets.yaml:4:7: data: 4 of 80 images cannot be read"
    assert (source.strip(), caret.strip()) == (STUDY.splitlines()[3], "^")
    assert all(" cannot be read as an image: image file is truncated" in line for line in lines)
    assert sorted(line.partition(" ")[0] for line in lines) == [
        f"pets/cat/{number:02}.jpg" for number in (0, 10, 20, 30)
    ]
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.parametrize("command", ["check", "run"])
def test_copies_are_refused_at_their_place_unless_they_are_allowed(rb: Rb, pets: Path, command: str) -> None:
    for name in ("cat", "dog"):
        (pets / "train" / name).parent.mkdir(exist_ok=True)
        (pets / name).rename(pets / "train" / name)
    (pets / "val" / "cat").mkdir(parents=True)
    (pets / "val" / "dog").mkdir()
    copyfile(pets / "train/cat/00.png", pets / "val/cat/copy.png")
    copyfile(pets / "train/dog/00.png", pets / "val/dog/copy.png")
    said = rb("study", command, "pets.yaml")
    assert said.status == 2
    words = "2 images are in two splits, byte for byte: pets/train/cat/00.png and pets/val/cat/copy.png; "
    assert said.err.startswith(f"pets.yaml:4:7: data: {words}")
    said = rb("study", command, "pets.yaml", "data.allow_copies=true")
    assert said.status == 0
    assert words in said.out + said.err


def test_a_numpy_file_is_trained_on_and_wrong_values_are_placed(
    rb: Rb, pets: Path, tmp_path: Path, database: Database
) -> None:
    random = np.random.default_rng(0)
    labels = np.arange(120) % 2
    images = random.uniform(0, 0.5, (120, 8, 8)) + labels[:, None, None] / 2
    np.savez(tmp_path / "x.npz", images=images, labels=labels)
    words = ("pets.yaml", "data={use: arrays, path: x.npz}", "units=[original]")
    assert rb("study", "run", *words).status == 0
    assert json.loads(database.one("SELECT settings FROM rb_data")) == {"path": "x.npz"}
    assert "data arrays: 2 classes of 1x8x8; 98 train, 10 val, 12 test" in rb("study", "check", *words).out
    images[5, 2, 2] = np.nan
    np.savez(tmp_path / "x.npz", images=images, labels=labels)
    for command in ("check", "run"):
        said = rb("study", command, *words, "--db", "other.db") if command == "run" else rb("study", command, *words)
        assert said.status == 2
        assert said.err.startswith(
            "command line:1:6: data: data set `arrays`: x.npz: `images`: image 5: 1 of its values are not finite"
        )
    np.savez(tmp_path / "x.npz", images=images[:9], labels=labels)
    said = rb("study", "check", *words)
    assert said.err.startswith(
        "command line:1:6: data: data set `arrays`: x.npz: `labels`: expected one label for each of the 9 images, "
        "got shape (120,)"
    )


def test_check_says_that_public_data_are_not_there_and_where_it_looked(
    rb: Rb, pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESBENCH_DATA", str(tmp_path / "nowhere"))
    said = rb("study", "check", "pets.yaml", "data=cifar10")
    assert said.status == 0
    words = f"`cifar10` cannot be trained on yet: the folder cifar-10-batches-py is not in {tmp_path}/nowhere. Put it there "
    assert words in said.out
    monkeypatch.setenv("RESBENCH_DOWNLOAD", "1")
    said = rb("study", "check", "pets.yaml", "data=cifar10")
    assert f"is not in {tmp_path}/nowhere; a run downloads it, since RESBENCH_DOWNLOAD is 1" in said.out
    assert not (tmp_path / "nowhere").exists(), "a check fetches nothing"
    shown = rb("data", "cifar10", "--json")
    assert (shown.status, shown.json["absent"].split(" is not in")[0]) == (0, "the folder cifar-10-batches-py")
    assert rb("data", "cifar10").out.startswith("cifar10: the folder cifar-10-batches-py is not in ")


@pytest.mark.parametrize("held", [True, False])
def test_a_test_image_that_is_lost_while_a_network_trains_loses_its_score_alone(
    rb: Rb, pets: Path, database: Database, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    """It is cut at the end of the last epoch; two units of two seeds, each with one whole training to lose."""
    from resbench.data.image_files import ImageFiles
    from resbench.workers.train_cell import CellTraining

    if not held:
        monkeypatch.setattr(split, "HELD_BYTES", 0)
    plain = CellTraining._hooks

    def cutting(desk: object, task: object, *more: object) -> object:
        files = task.data.images  # type: ignore[attr-defined]
        assert isinstance(files, ImageFiles)
        victim = files.paths[int(task.data.splits["test"][-1])]  # type: ignore[attr-defined]
        hooks = plain(desk, task, *more)  # type: ignore[arg-type]
        told = hooks.on_epoch

        def on_epoch(seed: int, epoch: object) -> None:
            told(seed, epoch)  # type: ignore[arg-type]
            if epoch.epoch == 2:  # type: ignore[attr-defined]
                victim.write_bytes(victim.read_bytes()[:60])

        return type(hooks)(on_epoch, *(getattr(hooks, name) for name in hooks.__slots__[1:]))

    monkeypatch.setattr(CellTraining, "_hooks", cutting)
    said = rb("study", "run", "pets.yaml")
    assert said.status == 0, said.err
    assert database.rows("SELECT unit, seed, status, epochs FROM v_runs ORDER BY unit, seed") == [
        ("original", 0, "complete", 2), ("original", 1, "complete", 2), ("plain", 0, "complete", 2), ("plain", 1, "complete", 2)
    ]  # fmt: skip
    assert database.one("SELECT COUNT(*) FROM rb_epoch WHERE val_error_pct IS NOT NULL") == 8
    assert database.one("SELECT COUNT(*) FROM rb_test_score") == 0
    assert said.err.count("its runs are saved with their val numbers and without a test score") == 2
    why = rb("results", "show", "1", "--json").json["untested"]
    assert "cannot be read as an image: " in why
    assert f"no test score     {why}" in rb("results", "show", "1").out
    assert rb("db", "check").status == 0
    again = rb("study", "run", "pets.yaml")
    assert again.status == 2, "it is not the study's data any more"
    assert "1 of 80 images cannot be read" in again.err
