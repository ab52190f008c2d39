"""docs/api.md is what the docstrings say, and docs/notebook.ipynb runs.

The notebook's cells run one after the other in one namespace, without a kernel: nbclient and ipykernel would bring thirty
packages for what `exec` does; what a kernel adds, showing the last value of a cell, is done here by the method that it calls.
"""

from __future__ import annotations

import ast
import importlib.util
import json
from contextlib import chdir
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
import torch

REPOSITORY = Path(__file__).parents[2]
NOTEBOOK = REPOSITORY / "docs" / "notebook.ipynb"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("api_reference", REPOSITORY / "tools" / "docs" / "api_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_in_step_with_the_docstrings() -> None:
    assert (REPOSITORY / "docs" / "api.md").read_text("utf-8") == generator().page(), "make docs"


def test_the_page_has_every_function_and_error() -> None:
    import inspect

    import resbench

    made = generator()
    named = {name for name in resbench.__all__ if inspect.isfunction(getattr(resbench, name))}
    assert set(made.FUNCTIONS) == named
    assert {error.__name__ for error in made.ERRORS} == {n for n in resbench.__all__ if n[0].isupper()}


def cells() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    return found


def test_the_notebook_has_no_outputs() -> None:
    code = [cell for cell in cells() if cell["cell_type"] == "code"]
    assert len(code) > 5
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.long
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    names: dict[str, Any] = {"__name__": "__main__"}
    pictures = []
    threads = torch.get_num_threads()
    with chdir(tmp_path):
        for number, cell in enumerate(cells()):
            if cell["cell_type"] != "code":
                continue
            tree = ast.parse("".join(cell["source"]), f"cell {number}")
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, f"cell {number}", "exec"), names)
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names)
                if value is not None:
                    pictures.append(value._repr_html_())
    assert torch.get_num_threads() == threads
    assert len(pictures) == 6
    for html in pictures:
        ElementTree.fromstring(f"<div>{html}</div>")
    assert names["outcome"].complete
    assert [row["seed"] for row in names["errors"]] == [0, 1, 2] * 3
    said = capsys.readouterr().out.splitlines()
    [kept] = [row["val_error_pct"] for row in names["errors"] if (row["unit"], row["seed"]) == ("half_branch", 0)]
    assert said[-1] == f"{kept:.2f} % of the validation images"
