"""Specs as texts, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resbench.errors import BadInput, SpecError
from resbench.language.expressions.expression import Expression
from resbench.language.library.library import Library
from resbench.language.study.study import StudySpec, parse_study
from resbench.language.yaml.problems import Problems
from resbench.ops.schema import table

UNIT = "unit: mine\nnodes:\n  y: {from: x, ops: [relu]}\n"
STUDY = {
    "study": "tried",
    "network": "{use: resnet_cifar, depth: 8, width: 4}",
    "units": "[plain]",
    "data": "digits",
    "recipe": "{use: he2016_small, epochs: 2}",
    "seeds": "2",
}


def put(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def lines(error: BadInput) -> list[str]:
    """Each problem's first line, without the source line and its caret."""
    return [str(problem).split("\n")[0] for problem in error.problems] if isinstance(error, SpecError) else [str(error)]


def told(folder: Path, text: str | bytes, kind: str = "unit") -> list[str]:
    """What is wrong with `mine.yaml` when it holds this text; nothing when all is well."""
    (folder / "mine.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    library = Library(table(), folder)
    load = {"unit": library.unit, "block": library.block, "network": library.network}[kind]
    try:
        load("mine.yaml")
    except BadInput as error:
        return [line.removeprefix("mine.yaml:") for line in lines(error)]
    return []


def study_text(**changes: str | None) -> str:
    """The sample study with keys changed, added, or (None) left out."""
    return "".join(f"{key}: {value}\n" for key, value in {**STUDY, **changes}.items() if value is not None)


def study(folder: Path, text: str) -> tuple[StudySpec | None, list[str]]:
    """The study of `st.yaml`, and what is wrong with it."""
    path = folder / "st.yaml"
    path.write_text(text, "utf-8")
    library, check = Library(table(), folder), Problems()
    try:
        spec = parse_study(library.read("study", path, check), library, check)
        check.done()
    except BadInput as error:
        return None, [line.removeprefix("st.yaml:") for line in lines(error)]
    return spec, []


def value(text: str, **names: Any) -> Any:
    """What `$(text)` is worth; a name that is not given must not be looked up."""
    return Expression.parse(f"$({text})").evaluate(names.__getitem__)
