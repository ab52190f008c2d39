"""A study's text -> its points; and Optuna's own view of a database."""

from __future__ import annotations

from pathlib import Path

import optuna
from optuna.trial import FrozenTrial

from resbench.data.registry import info
from resbench.language.library.library import Library
from resbench.language.study.study import StudySpec, parse_study
from resbench.language.yaml.problems import Problems
from resbench.ops.schema import table
from resbench.search.point import Point, Refused
from resbench.search.space import Space

HEAD = "study: small\nnetwork: {use: resnet_cifar, depth: 8, width: 2}\ndata: digits\n"


def study_spec(text: str, folder: Path) -> tuple[StudySpec, Library]:
    file = folder / "space.yaml"
    file.write_text(text if "network:" in text else HEAD + text, "utf-8")
    library, check = Library(table(), folder), Problems()
    spec = parse_study(library.read("study", file), library, check)
    check.done()
    assert spec is not None
    return spec, library


def points(text: str, folder: Path) -> list[Point]:
    spec, library = study_spec(text, folder)
    return Space(spec, info(str(spec.data.name), spec.data.given), library).all()[0]


def refused(text: str, folder: Path) -> list[Refused]:
    spec, library = study_spec(text, folder)
    return Space(spec, info(str(spec.data.name), spec.data.given), library).all()[1]


def names(text: str, folder: Path) -> list[str]:
    return [point.name for point in points(text, folder)]


def trials(database: Path, study: str = "small") -> list[FrozenTrial]:
    """As anybody with Optuna sees them."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{database}")
    found = optuna.load_study(study_name=study, storage=storage).trials
    storage.engine.dispose()
    return found
