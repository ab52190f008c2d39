"""The wheel holds what a user needs, and works from any folder after a plain installation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from command_line import one_core

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).parent.parent


def run(command: list[str | Path], folder: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """In a folder that is not the repository, with no network asked for; `path` goes before every installed package."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "RESBENCH_DB")} | {
        "PIP_NO_INDEX": "1"
    }
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    with one_core():
        done = subprocess.run(
            command, cwd=folder, env=environment, text=True, capture_output=True, timeout=900, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, REPOSITORY], folder)
    (path,) = folder.glob("resbench-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, wheel], folder)
    return folder


def below(folder: str, pattern: str) -> set[str]:
    return {path.relative_to(REPOSITORY / folder).as_posix() for path in (REPOSITORY / folder).rglob(pattern)}


def test_the_wheel_holds_code_library_data_and_licences(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"resbench/{path}" for path in below("resbench", "*.py")} <= names
    assert {f"resbench/library/arch_specs/{path}" for path in below("arch_specs", "*.yaml")} <= names
    assert {f"resbench/library/arch_specs/{path}" for path in below("arch_specs", "*.json")} <= names
    assert {f"resbench/library/studies/{path}" for path in below("studies", "*.yaml")} <= names
    assert {f"resbench/data/files/{path}" for path in below("resbench/data/files", "*")} <= names
    assert {f"resbench/html_report/page.{ending}" for ending in ("html.j2", "css", "js")} <= names
    assert {"resbench/data/files/digits.npz", "resbench/data/files/LICENSE-digits", "resbench/py.typed"} <= names
    licences = {name.partition(".dist-info/licenses/")[2] for name in names if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "resbench/data/files/LICENSE-digits", "resbench/data/files/LICENSE-fashion-mnist"}


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"resbench"}
    assert not [name for name in names if name.endswith((".pyc", ".db", ".log")) or "/tests/" in name]


def test_the_wheel_names_its_command_and_its_dependencies(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (folder,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    assert "resbench = resbench.cli.main:run" in archive.read(f"{folder}/entry_points.txt").decode()
    metadata = archive.read(f"{folder}/METADATA").decode()
    for name in (
        "torch",
        "optuna",
        "pyyaml",
        "sqlalchemy",
        "alembic",
        "typer",
        "rich",
        "pydantic",
        "numpy",
        "scipy",
        "jinja2",
    ):
        assert f"\nRequires-Dist: {name}" in metadata


def test_what_is_installed_works_from_any_folder(installed: Path, tmp_path: Path) -> None:
    where = run([sys.executable, "-c", "import resbench; print(resbench.__file__)"], tmp_path, installed)
    assert Path(where.stdout.strip()) == installed / "resbench" / "__init__.py"

    units = json.loads(run([sys.executable, "-m", "resbench", "unit", "list", "--json"], tmp_path, installed).stdout)
    assert {row["name"] for row in units} == {Path(path).stem for path in below("arch_specs/units", "*.yaml")}
    assert {row["file"].split("/")[0] for row in units} == {"library"}

    study = ["study", "run", "studies/quickstart.yaml", "network.depth=8", "recipe.epochs=1", "seeds=1", "--json"]
    done = run([sys.executable, "-m", "resbench", *study], tmp_path, installed)
    hint = "the warm-up lasts 1 epochs, the run 1: the learning rate `lr` is never reached"
    assert done.stderr.splitlines()[:2] == [hint, "0 cached, 4 new"]
    assert {row["n"] for row in json.loads(done.stdout)} == {1}
    assert len(json.loads(done.stdout)) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resbench.db", "resbench.db.checkpoints"]
