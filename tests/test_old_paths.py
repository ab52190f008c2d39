"""What plugins of version 0.1 import is still found, with a DeprecationWarning that names the new path."""

from __future__ import annotations

import subprocess
import sys

import pytest

from resbench.old_paths import MOVED, RENAMED

# As the guide, the sample plugins and `plugins new` of version 0.1 had them.
TAUGHT = (
    ("resbench.ops.conv", "Conv"),
    ("resbench.ops.bn", "BatchNorm"),
    ("resbench.spec.library", "Library"),
    ("resbench.spec.node", "Node"),
    ("resbench.spec.recipe", "Optimizer"),
    ("resbench.compiler.architecture", "bind_network"),
    ("resbench.compiler.canonical", "canonical"),
    ("resbench.compiler.network", "build"),
    ("resbench.compiler.materialise", "materialise"),
    ("resbench.compiler.stack", "materialise_stack"),
)
UNCHANGED = (
    "from resbench.ops.registry import op",
    "from resbench.ops.schema import table",
    "from resbench.ops.parameter import Parametric, Start, empty",
    "from resbench.ops.initialisers import initialiser",
    "from resbench.data.registry import dataset",
    "from resbench.data.info import DatasetInfo",
    "from resbench.data.items import from_items",
    "from resbench.data.dataset import Dataset",
    "from resbench.study.trackers import TrackedRun, TrackedStudy, tracker",
    "from resbench.testing import check_op",
)


@pytest.mark.parametrize(("old", "name"), TAUGHT, ids=[old for old, _ in TAUGHT])
def test_an_old_path_gives_the_new_thing(old: str, name: str) -> None:
    from importlib import import_module

    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=f"^{old} is now {MOVED[old]}$") as told:
        given = getattr(import_module(old), name)
    assert given is getattr(import_module(MOVED[old]), RENAMED.get((MOVED[old], name), name))
    sys.modules.pop(old, None)
    assert len(told) == 1


def test_every_path_of_the_table_leads_somewhere() -> None:
    code = f"import warnings; warnings.simplefilter('ignore')\nfor old in {sorted(MOVED)}: __import__(old)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_warning_points_at_the_import() -> None:
    code = "import resbench.spec.node\nprint('on')"
    done = subprocess.run([sys.executable, "-W", "default", "-c", code], capture_output=True, text=True)
    assert done.stdout == "on\n"
    assert done.stderr.startswith(
        "<string>:1: DeprecationWarning: resbench.spec.node is now resbench.language.yaml.node"
    )


@pytest.mark.parametrize("line", UNCHANGED)
def test_what_most_plugins_import_has_not_moved(line: str) -> None:
    exec(compile(line, "plugin", "exec"), {})


def test_old_names_of_errors() -> None:
    import resbench.errors

    with pytest.warns(DeprecationWarning, match=r"resbench\.errors\.Fact is now Reason"):
        assert resbench.errors.Fact is resbench.errors.Reason  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["resbench.spec.nothing", "resbench.report.nothing", "resbench.nothing"])
def test_other_paths_are_not_there(path: str) -> None:
    from importlib import import_module

    with pytest.raises(ModuleNotFoundError):
        import_module(path)
