"""The house rules of resbench/, held by reading its source: order of rooms, doors, cycles, sizes, style.

Each checker is tried on a house of one bad file as well as on the real one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from house_rules import (
    Sources,
    crowded_folders,
    crowded_ops,
    cycles,
    escaped_elsewhere,
    frowned_upon,
    known_by_name,
    named_twice,
    opened_elsewhere,
    out_of_order,
    past_the_terminal,
    through_walls,
    too_long,
    too_many_arguments,
    without_docstring,
)

import resbench

HERE = Path(resbench.__file__).parent
Checker = Callable[[Sources], list[str]]
CHECKERS: tuple[Checker, ...] = (
    out_of_order, through_walls, cycles, too_long, without_docstring, too_many_arguments, frowned_upon, crowded_ops,
    known_by_name, past_the_terminal, escaped_elsewhere, opened_elsewhere, crowded_folders, named_twice,
)  # fmt: skip


@pytest.fixture(scope="module")
def house() -> Sources:
    return {path.relative_to(HERE).as_posix(): path.read_text("utf-8") for path in sorted(HERE.rglob("*.py"))}


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda checker: checker.__name__)
def test_the_house_keeps_its_rules(checker: Checker, house: Sources) -> None:
    assert len(house) > 100
    assert checker(house) == []


def sees(checker: Checker, good: Sources, bad: Sources, words: str) -> None:
    """The valid and the invalid twin."""
    assert checker(good) == []
    assert len(checker(bad)) == 1
    assert words in checker(bad)[0]


BAD_IMPORTS = (
    "from resbench.store import runs",
    "import resbench.store.results.runs",
    "from resbench import store",
    "def f():\n    from resbench.store.results.runs import save_run",
    "if TYPE_CHECKING:\n    from resbench.store.results.runs import RunRow",
    "from ..store import runs",
    "from .. import store",
)


@pytest.mark.parametrize("line", BAD_IMPORTS)
def test_a_room_to_the_right_is_seen_however_it_is_imported(line: str) -> None:
    good = {
        "study/x.py": line,
        "train/y.py": "from resbench.language import yaml",
        "cli/z.py": "import resbench.study.optuna_mirror",
    }
    sees(out_of_order, good, {"train/x.py": line}, "train may not import store")


def test_rooms_beside_others_and_rooms_nobody_knows() -> None:
    good = {"testing.py": "import resbench.cli.main", "plugins.py": "import resbench.ops", "__init__.py": "import sys"}
    sees(out_of_order, good, {"plugins.py": "import resbench.compiler"}, "ops may not import compiler")
    sees(out_of_order, good, {"utils/x.py": ""}, "no such room")
    sees(out_of_order, good, {"cli/x.py": "import resbench.utils"}, "may not import utils")
    sees(out_of_order, good, {"__init__.py": "from resbench import errors"}, "resbench.errors")


@pytest.mark.parametrize(
    ("library", "inside", "outside"),
    [
        ("yaml", "language/x.py", "study/x.py"),
        ("optuna", "study/x.py", "store/x.py"),
        ("optuna.storages", "store/optuna/storage.py", "cli/x.py"),
        ("typer", "cli/x.py", "study/x.py"),
        ("rich.text", "cli/x.py", "drawing/x.py"),
        ("matplotlib.pyplot", "drawing/x.py", "cli/x.py"),
        ("sqlalchemy", "store/x.py", "evidence/x.py"),
        ("alembic", "store/migrate/x.py", "cli/x.py"),
        ("torch", "train/x.py", "evidence/x.py"),
        ("torch.nn", "ops/x.py", "language/x.py"),
        ("torch", "study/x.py", "store/x.py"),
        ("torch", "compiler/x.py", "random_streams.py"),
    ],
)
def test_each_library_has_its_door(library: str, inside: str, outside: str) -> None:
    line = f"def f():\n    import {library}"
    sees(through_walls, {inside: line}, {outside: line}, f"{outside}:2: {library.split('.')[0]}")


def test_a_ring_of_imports_is_seen() -> None:
    good = {"language/a.py": "from resbench.language import b", "language/b.py": "", "language/__init__.py": ""}
    bad = {**good, "language/b.py": "def f():\n    from resbench.language.a import x"}
    sees(cycles, good, bad, "resbench.language.a -> resbench.language.b")


def test_sizes_docstrings_and_arguments_are_seen() -> None:
    sees(too_long, {"a.py": "x\n" * 400}, {"a.py": "x\n" * 401}, "a.py")
    sees(without_docstring, {"a.py": '"""What."""'}, {"a.py": "x = 1\n'''late'''"}, "a.py")
    sees(without_docstring, {"a.py": '"""What."""'}, {"a.py": '"""  """'}, "a.py")
    five, six = "def f(self, a, b, c, d, e, *, g, h): ...", "def f(a, b, c, d, e, g): ..."
    sees(too_many_arguments, {"language/a.py": five}, {"language/a.py": six}, "f takes 6")
    sees(too_many_arguments, {"cli/a.py": f"@app.command()\n{six}"}, {"cli/a.py": six}, "f takes 6")


def test_two_classes_of_one_name_are_seen() -> None:
    good = {"a.py": "class A: ...", "b.py": "class _A: ...", "c.py": "class B:\n    class A: ..."}
    sees(named_twice, good, good | {"d.py": "class A: ..."}, "A: a.py, d.py")


def test_a_crowded_folder_is_seen() -> None:
    fifteen = {f"data/f{n}.py": "" for n in range(15)} | {"data/__init__.py": ""}
    sees(crowded_folders, fifteen, fifteen | {"data/one.py": ""}, "data: 16 files")


@pytest.mark.parametrize(
    "line",
    ["def f(**options): ...", "hasattr(x, 'y')", "eval('1')", "exec('1')", "torch.load(x)", "torch.load(x, weights_only=no)",
     "pickle.loads(x)"],
)  # fmt: skip
def test_what_is_frowned_upon_is_seen(line: str) -> None:
    good = "torch.load(x, weights_only=True)\nnetwork.eval()\nf(**options)\ngetattr(x, 'y')"
    sees(frowned_upon, {"a.py": good}, {"a.py": line}, "a.py:1")


@pytest.mark.parametrize("line", ["print(x)", "typer.echo(x)", "def f():\n    sys.stderr.write(x)"])
def test_printing_past_the_terminal_is_seen(line: str) -> None:
    good = {"cli/echo.py": line, "cli/x.py": "echo(x)\nwrite(x)\nfile.write(x)\nconsole.print(x)"}
    sees(past_the_terminal, good, {"cli/x.py": line}, "cli/x.py:")


@pytest.mark.parametrize("line", ["import shlex", "from shlex import quote", "from xml.sax.saxutils import escape"])
def test_escaping_elsewhere_is_seen(line: str) -> None:
    good = {
        "escape.py": line,
        "drawing/x.py": "from resbench.escape import xml_text\nfrom html.parser import HTMLParser",
    }
    sees(escaped_elsewhere, good, {"drawing/x.py": line}, "drawing/x.py:1")
    sees(escaped_elsewhere, good, {"escape.py": "import numpy"}, "escape.py:1: numpy")


def test_opening_a_file_elsewhere_is_seen() -> None:
    line = "with closing(sqlite3.connect(path)) as connection: ..."
    sees(
        opened_elsewhere,
        {"store/connection/sqlite_open.py": line, "store/x.py": "connect(uri)"},
        {"store/x.py": line},
        "x.py:1",
    )


def test_an_op_has_a_file_of_its_own_name() -> None:
    one, two = '@op("one", pure=True)\nclass One: ...\n', '@op("two")\nclass Two: ...\n'
    good = {"ops/one.py": one, "ops/two.py": two, "ops/convolution/window.py": "class Window: ..."}
    sees(crowded_ops, good, {"ops/one.py": one + two}, "one, two")
    sees(crowded_ops, good, {"ops/three.py": one}, "ops/three.py")


@pytest.mark.parametrize(
    "line",
    ['if op.op == "one": ...', 'if op.op in ("two", "one"): ...', 'KINDS = {"one": 1}', 'match op.op:\n    case "one": ...',
     'kind("one").module', 'label.startswith("one@")', 'table()["one"]'],
)  # fmt: skip
def test_an_op_known_by_its_name_is_seen(line: str) -> None:
    own = {"ops/one.py": '@op("one")\nclass One:\n    """one"""\n    name = "one"\n'}
    good = {**own, "theory/x.py": 'if kind(op.op).effect == "kept": ...\n"""An op called one."""\none = ones["only"]'}
    sees(known_by_name, good, {**own, "theory/x.py": line}, "theory/x.py:")
    sees(known_by_name, good, {**own, "ops/two.py": line}, "ops/two.py:")


def test_words_that_mean_something_else_are_told_apart_by_file() -> None:
    ops = {f"ops/{name}.py": f'@op("{name}")\nclass Op: ...\n' for name in ("add", "conv")}
    line = 'MERGES = ("add",)'
    sees(
        known_by_name,
        {**ops, "language/generate/orderings.py": line},
        {**ops, "spec/other.py": line},
        "spec/other.py:1: add",
    )
    sees(
        known_by_name,
        {**ops, "ops/activations/relu.py": 'Start("conv")'},
        {**ops, "ops/activations/relu.py": line},
        "ops/activations/relu.py:1: add",
    )
    idle = "OTHER_WORDS: language/generate/orderings.py has no `add`"
    sees(
        known_by_name,
        {**ops, "language/generate/orderings.py": line},
        {**ops, "language/generate/orderings.py": "MERGES = ()"},
        idle,
    )
