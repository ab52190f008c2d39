"""What keeps a study from running is told before anything is written or trained."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import SMALL, Rb

from resbench.data import registry
from resbench.data.registry import info
from resbench.errors import Reason


def refused(rb: Rb, folder: Path, words: tuple[str, ...], status: int, told: str) -> None:
    """Exit status and message; nothing on stdout; no file made, none changed."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    said = rb("study", "run", *words)
    assert said.status == status
    assert told in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("data=digtis", "`mnist`, `shapes`, `svhn`; did you mean `digits`?"),
        ("units+=plian", "no unit is called `plian`; did you mean `plain`?"),
        ("units+=gone.yaml", "gone.yaml"),
        ("recipe.use=he2017", "no recipe is called `he2017`; did you mean `he2016`"),
        ("network.use=resnet_cipher", "no network is called `resnet_cipher`"),
        ("network.depth=9", "unit plain: "),
        ("recipe.lr=0", "recipe.lr=0"),
        ("recipe.batch=2000", "a batch of 2000 is more than the 1117 training images"),
        ("seeds=0", "seeds=0"),
        ("seeds=[1, 1]", "seeds must be different from each other"),
        ("seedz=3", "no key `seedz`"),
        ("budget.runs=none", "an amount such as 2M or 300_000 is needed, got none"),
        ("network.depth", "a change is written name=value"),
    ],
)
def test_a_study_that_cannot_be(change: str, told: str, rb: Rb, small: Path, tmp_path: Path) -> None:
    refused(rb, tmp_path, ("small.yaml", change), 2, told)


def test_a_unit_that_does_not_compile_is_told_with_its_line(rb: Rb, small: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "unit: bad\nnodes:\n  f: {from: x, ops: [conv3x3: {stride: 2, out: 8}]}\n  y: {from: [x, f], ops: [add]}\n",
        "utf-8",
    )
    refused(rb, tmp_path, ("small.yaml", "units+=bad.yaml"), 2, "bad.yaml:4:")


def test_every_problem_of_the_study_is_told_at_once(rb: Rb, tmp_path: Path) -> None:
    text = (
        SMALL.replace("digits", "digtis")
        .replace("plain", "plian")
        .replace("lr: 0.1", "lr: -1")
        .replace("seeds: 2", "seds: 2")
    )
    (tmp_path / "small.yaml").write_text(text, "utf-8")
    said = rb("study", "run", "small.yaml")
    assert said.status == 2
    for told in (
        "small.yaml:4:9: units[0]",
        "small.yaml:5:7: data",
        "small.yaml:6:69: recipe.lr",
        "small.yaml:7:1: seds",
    ):
        assert told in said.err, told
    assert not (tmp_path / "resbench.db").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("gone.yaml",), "gone.yaml: no such study file; studies of the library: arranged, identity_mappings, "),
        (("quikstart",), "did you mean `quickstart`?"),
        ((".",), ".:1:1: a folder; a YAML file is needed"),
        (("small.yaml", "--device", "warp"), "--device warp: "),
        (("small.yaml", "--device", "cuda:99"), "--device cuda:99: "),
    ],
)
def test_a_file_or_a_device_that_is_not_there(
    words: tuple[str, ...], told: str, rb: Rb, small: Path, tmp_path: Path
) -> None:
    refused(rb, tmp_path, words, 2, told)


def test_data_that_cannot_be_loaded(rb: Rb, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registered and known by name, but its file is gone."""

    def gone() -> object:
        raise Reason("gone.npz is missing")

    registry.names()
    monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    registry.dataset(replace(info("digits"), name="gone"))(gone)
    refused(rb, tmp_path, ("small.yaml", "data=gone"), 2, "data set `gone`: gone.npz is missing. Still available")


def test_a_database_that_is_none(rb: Rb, small: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("dear diary " * 100, "utf-8")
    refused(rb, tmp_path, ("small.yaml", "--db", "notes.txt"), 4, "notes.txt: is not an SQLite database")
    (tmp_path / "folder").mkdir()
    refused(rb, tmp_path, ("small.yaml", "--db", "folder"), 4, "folder: is a folder")
    refused(rb, tmp_path, ("small.yaml", "--db", "no/such/x.db"), 4, "does not exist")
    refused(rb, tmp_path, ("small.yaml", "--db", "mysql://me:secret@host/x"), 4, "unknown kind of database 'mysql'")
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection, connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    refused(
        rb,
        tmp_path,
        ("small.yaml", "--db", "other.db"),
        4,
        "other.db: is the database of another program (tables songs",
    )


def test_a_read_only_database_is_found_before_training(rb: Rb, tmp_path: Path, ran: None) -> None:
    refused(rb, tmp_path, ("small.yaml", "seeds=3", "--db", "sqlite:///resbench.db?mode=ro"), 4, "read-only")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "recipe.devices=2",
            "devices: expected 2 processes, as the recipe requires, got 1; start it with `torchrun --nproc-",
        ),
        (
            "recipe.precision=tf32",
            "precision: tf32 requires a CUDA device, got cpu; change the recipe's precision or the device",
        ),
    ],
)
@pytest.mark.usefixtures("small")
def test_a_recipe_that_cannot_be_trained_here(rb: Rb, tmp_path: Path, change: str, words: str) -> None:
    refused(rb, tmp_path, ("small.yaml", change, "--device", "cpu"), 2, words)
