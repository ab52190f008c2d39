"""`make clean` takes away what the Makefile made, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from shutil import copyfile

import pytest
from decoys import place, snapshot

MAKEFILE = Path(__file__).parent.parent / "Makefile"


def clean(folder: Path, *words: str) -> str:
    done = subprocess.run(["make", "clean", *words], cwd=folder, text=True, capture_output=True, check=True)
    return done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with a person's own things in it, also where caches and links to other folders are."""
    (tmp_path / "outside").write_bytes(b"elsewhere")
    clone = tmp_path / "clone"
    place(clone, tmp_path / "outside")
    copyfile(MAKEFILE, clone / "Makefile")
    for name in (".git/__pycache__", "data/__pycache__", "resbench/cli", "tests", "build/lib", "dist", "mine/bin"):
        (clone / name).mkdir(parents=True)
        (clone / name / "a.pyc").write_bytes(b"mine")
    (clone / "resbench" / "linked").symlink_to(clone / "data")
    (clone / "plugins").symlink_to(clone / "data")
    (clone / "dist" / "other-1.0.whl").write_bytes(b"mine")
    return clone


def test_what_a_person_has_there_stays(clone: Path) -> None:
    before = snapshot(clone)
    for name in ("resbench/__pycache__", "resbench/cli/__pycache__", "tests/__pycache__"):
        (clone / name).mkdir()
        (clone / name / "a.cpython-311.pyc").write_bytes(b"compiled")
    for name in (".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".venv"):
        (clone / name / "deep").mkdir(parents=True)
        (clone / name / "deep" / "file").write_bytes(b"ours")
    (clone / ".venv" / ".made-by-resbench").touch()
    (clone / "dist" / "resbench-0.1.0.whl").write_bytes(b"ours")
    clean(clone)
    assert snapshot(clone) == before
    clean(clone)
    assert snapshot(clone) == before


def test_what_goes_whole_is_said() -> None:
    (caches,) = [line.split()[2:] for line in MAKEFILE.read_text().splitlines() if line.startswith("\trm -rf ")]
    assert len(caches) == 4
    said = subprocess.run(["make", "help"], cwd=MAKEFILE.parent, text=True, capture_output=True, check=True).stdout
    for cache in caches:
        assert cache in said
        assert f"`{cache}`" in (MAKEFILE.parent / "SECURITY.md").read_text()


def test_an_environment_of_somebody_else_stays(clone: Path) -> None:
    (clone / ".venv").symlink_to(clone / "mine")
    (clone / "mine" / ".installed").touch()
    before = snapshot(clone)
    assert ".venv was not made by this Makefile, and was left as it is" in clean(clone)
    assert "mine was not made by this Makefile, and was left as it is" in clean(clone, "VENV=mine")
    (clone / "mine" / ".made-by-resbench").touch()
    clean(clone)  # through a link nothing goes
    (clone / "mine" / ".made-by-resbench").unlink()
    assert snapshot(clone) == before


@pytest.mark.parametrize(("there", "goes"), [(None, True), ([], True), (["other/file"], False), ([".hidden"], False)])
def test_a_folder_that_held_anything_before_the_environment_stays(
    there: list[str] | None, goes: bool, tmp_path: Path
) -> None:
    """`make VENV=envs` beside another's environment: what `make clean` takes away whole must have been made whole."""
    copyfile(MAKEFILE, tmp_path / "Makefile")
    python = tmp_path / "python"  # makes what `python -m venv` would, and checks nothing
    python.write_text('#!/bin/sh\n[ "$2" = venv ] || exit 0\nmkdir -p "$3/bin" && touch "$3/bin/python"\n')
    python.chmod(0o755)
    if there is not None:
        (tmp_path / "envs").mkdir()
    for name in there or ():
        (tmp_path / "envs" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "envs" / name).write_bytes(b"mine")
    words = ["make", "envs/bin/python", "VENV=envs", f"PYTHON={python}"]
    subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "envs" / "bin" / "python").exists()
    clean(tmp_path, "VENV=envs")
    assert (tmp_path / "envs").exists() != goes
    assert all((tmp_path / "envs" / name).read_bytes() == b"mine" for name in there or ())


def test_where_none_of_our_folders_is_nothing_is_looked_through(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"mine")
    copyfile(MAKEFILE, tmp_path / "Makefile")
    before = snapshot(tmp_path)
    clean(tmp_path)
    assert snapshot(tmp_path) == before
