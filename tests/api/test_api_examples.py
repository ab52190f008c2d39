"""Every example of the Python door runs, and everything in `resbench.__all__` has one, with what it takes, returns and raises."""

from __future__ import annotations

import ast
import doctest
import inspect
from contextlib import chdir
from pathlib import Path
from types import ModuleType

import pytest
import torch

import resbench

FUNCTIONS = [name for name in resbench.__all__ if inspect.isfunction(getattr(resbench, name))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    function, threads = getattr(resbench, name), torch.get_num_threads()
    [test] = doctest.DocTestFinder(recurse=False).find(function, name, globs={})
    said: list[str] = []
    with chdir(tmp_path):
        result = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert result.failed == 0, "".join(said)
    assert result.attempted > 1
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_docstring_is_whole(name: str) -> None:
    function = getattr(resbench, name)
    doc = inspect.getdoc(function) or ""
    for section in ("Args:", "Raises:", "Example:"):
        assert f"\n{section}\n" in doc, section
    assert "\nReturns:\n" in doc or "\nYields:\n" in doc
    for argument in inspect.signature(function).parameters:
        assert f"    {argument}: " in doc, argument


@pytest.mark.parametrize("module", [resbench, resbench.plugin], ids=lambda module: module.__name__)
def test_type_checkers_and_programs_find_the_same_names(module: ModuleType) -> None:
    typed, _ = [node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.If)]
    names = [
        alias.asname or alias.name for line in typed.body if isinstance(line, ast.ImportFrom) for alias in line.names
    ]
    assert sorted(names) == sorted(module.__all__) == module.__all__
    for name in names:
        assert name in dir(module)
        assert getattr(module, name) is getattr(module, name)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"module `resbench\.plugin` has no attribute `opp`"):
        _ = resbench.plugin.opp  # type: ignore[attr-defined]
