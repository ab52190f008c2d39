"""A study on data with settings: they reach the training, stand in the database, and name the data that are trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import Database, Rb
from PIL import Image

from resbench.data import split

RUNS = "SELECT unit, seed, val_loss FROM v_runs ORDER BY unit, seed"


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two classes that a glance tells apart."""
    generator = np.random.default_rng(0)
    for name, dark in (("cat", 0), ("dog", 90)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(40):
            pixels = generator.integers(dark, dark + 150, (9, 12, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / name / f"{i}.png")
    return tmp_path / "pets"


FOLDER = "data={use: image_folder, path: pets, size: 8}"


@pytest.mark.long
@pytest.mark.usefixtures("pets", "small")
def test_a_folder_of_images_is_trained_on_streamed_as_held(
    rb: Rb, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (
        "small.yaml",
        FOLDER,
        "recipe.batch=32",
        "recipe.plan={workers: 1, width: 2, layout: contiguous, threads: 1}",
    )
    assert rb("study", "run", *words).status == 0
    held = database.rows(RUNS)
    assert len(held) == 4
    settings = json.loads(database.one("SELECT settings FROM rb_data"))
    assert settings == {"path": "pets", "size": 8}
    assert rb("study", "run", *words).err.startswith("4 cached, 0 new\n")
    monkeypatch.setattr(split, "HELD_BYTES", 0)
    assert rb("study", "run", *words, "--db", "streamed.db").status == 0
    assert Database(database.path.parent / "streamed.db").rows(RUNS) == held, "the same bits"


@pytest.mark.usefixtures("small")
def test_a_folder_that_has_moved_is_the_same_data(rb: Rb, pets: Path, database: Database) -> None:
    assert rb("study", "run", "small.yaml", FOLDER, "recipe.batch=32").status == 0
    pets.rename(pets.with_name("animals"))
    said = rb(
        "study", "run", "small.yaml", FOLDER.replace("pets", "animals"), "recipe.batch=32", "--fork", "again", "seeds=3"
    )
    assert said.status == 0
    assert said.err.startswith("4 cached, 2 new\n")


@pytest.mark.usefixtures("small")
def test_settings_are_part_of_what_a_study_is_about(rb: Rb, database: Database) -> None:
    words = ("small.yaml", "units=[original]", "seeds=1", "data={use: shapes, n_train: 200}")
    assert rb("study", "run", *words).status == 0
    said = rb("study", "run", *words, "data.noise=0.3")
    assert said.status == 2
    assert "data was {n_train: 200, use: shapes}, now {n_train: 200, noise: " in said.err
    assert "noise: 0.3" in said.err
    assert rb("study", "run", *words, "data.noise=0.3", "--fork", "noisy").status == 0
    assert database.one("SELECT COUNT(DISTINCT data_digest) FROM v_runs") == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("data={use: shapes, nois: 1}", "data.nois: unknown key `nois`; allowed: noise, rotation, clutter, n_train"),
        ("data={use: image_folder}", "data: key `path` is missing"),
        ("data={use: image_folder, path: birds}", "data: data set `image_folder`: `path`: there is no folder birds"),
        ("data.noise=1", "data.noise: data set digits has no settings, so there is no `noise`"),
    ],
)
@pytest.mark.usefixtures("small")
def test_settings_that_cannot_be(rb: Rb, tmp_path: Path, change: str, words: str) -> None:
    for command in ("run", "check"):
        said = rb("study", command, "small.yaml", change)
        assert said.status == 2
        assert words in said.err
    assert not list(tmp_path.glob("*.db"))
