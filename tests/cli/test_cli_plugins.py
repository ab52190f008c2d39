"""`plugins new` writes what installs, is found and passes `plugins check`; `list` and `check` tell what is broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Rb, one_core

from resbench.errors import BadInput
from resbench.plugins.new import FILES, write_package

ODD = '@op("odd")\nclass Odd(:\n'
CONSTANT = """\
from resbench.ops.initialisers import initialiser
from resbench.measure.registry import metric

@initialiser("lazy")
def lazy(weight, start, generator):
    weight[0] = 1.0

@metric("depth_m")
def depth_m(bound, network):
    return "deep"

@metric("n_stages")
def n_stages(bound, network):
    return len(bound.stages)
"""


def resbench(folder: Path, *words: object, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """In a process of its own: what a plugin registers stays in it."""
    environment = {"PATH": "/usr/bin:/bin", **({"PYTHONPATH": str(path)} if path is not None else {})}
    command = [sys.executable, "-m", "resbench", *map(str, words)]
    with one_core():
        return subprocess.run(
            command, cwd=folder, env=environment, text=True, capture_output=True, timeout=120, check=False
        )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    done = resbench(folder, "plugins", "new", "leaky_gain")
    assert done.stdout == "leaky_gain: written. Next: resbench plugins check leaky_gain\n"
    return folder / "leaky_gain"


def test_new_writes_a_package_with_an_op_a_unit_and_a_test(written: Path) -> None:
    files = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    assert files == {name.replace("NAME", "leaky_gain") for name in FILES}
    op = (written / "src/leaky_gain/op.py").read_text()
    assert '@op("leaky_gain")\nclass LeakyGain(Parametric):' in op
    assert len(op.splitlines()) <= 20
    assert not [
        path for path in files if "NAME" in (written / path).read_text() or "CLASS" in (written / path).read_text()
    ]


def test_it_passes_its_check_and_its_own_test_as_it_stands(written: Path) -> None:
    done = resbench(written, "plugins", "check", ".")
    assert done.returncode == 0, done.stderr
    head, op, unit = done.stdout.splitlines()
    assert head == "plugin leaky_gain 0.1.0, from ."
    assert op == "  ok   op leaky_gain: leaky_gain(init=1.0) of 8x6x6 -> 8x6x6: 7 checks, 0 MACs, stacked: yes"
    assert unit.startswith(
        "  ok   unit leaky_gain_unit: first 16x32x32 -> 16x32x32; inner 16x32x32 -> 16x32x32; transition "
    )
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=written, text=True, capture_output=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert tested.returncode == 0, tested.stdout


def test_it_installs_and_is_found(written: Path, tmp_path: Path) -> None:
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", tmp_path / "site"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, written], check=True, capture_output=True, timeout=120
    )
    done = resbench(tmp_path, "plugins", "check", "leaky_gain", path=tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("plugin leaky_gain 0.1.0, from installed\n  ok   op leaky_gain: ")
    assert done.stdout.count("  ok   ") == 2


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(BadInput, match=r"^.*/mine is there already; nothing is overwritten$"):
        write_package("mine", tmp_path)
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("relu", "`relu` is the name of an op, a block or a unit already"),
        ("shortcut", "`shortcut` is the name of an op, a block or a unit already"),
        ("plain", "`plain` is the name of an op, a block or a unit already"),
        ("json", "`json` is the name of a Python package that is installed"),
        ("Gain", "`Gain` is no legal name: a small letter, then small letters, digits and `_`"),
        ("../up", "`../up` is no legal name"),
        ("class", "`class` is a word of Python"),
        ("x" * 58, f"`{'x' * 20}...` has 63 characters; at most 60 are allowed"),
    ],
)
def test_names_that_are_refused(name: str, reason: str, rb: Rb, tmp_path: Path) -> None:
    said = rb("plugins", "new", name)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(f"plugins new: {reason}")
    assert said.err.endswith("; choose another name\n")
    assert list(tmp_path.iterdir()) == []


def test_no_plugins_and_unknown_ones(rb: Rb, tmp_path: Path) -> None:
    done = resbench(tmp_path, "plugins", "check", "gone")
    assert done.returncode == 2
    assert done.stderr == "no plugin is called `gone`; plugins: none; or give its folder\n"


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "bad").mkdir()
    (folder / "bad/odd.py").write_text(ODD)
    (folder / "bad/lazy.py").write_text(CONSTANT)
    return folder


def test_list_tells_what_is_broken_and_lists_the_rest(broken: Path) -> None:
    done = resbench(broken, "plugins", "list", "--plugins", "bad")
    assert done.returncode == 0
    row = done.stdout.splitlines()[3]
    assert row.split()[:3] == ["bad", "–", "bad"]
    assert "initialisers: lazy; metrics: depth_m, n_stages" in row
    assert row.split()[-1] == "broken"
    assert done.stderr == "plugin bad (a folder): odd.py: SyntaxError: invalid syntax (odd.py, line 2)\n"
    traced = resbench(broken, "plugins", "list", "--trace", "--plugins", "bad").stderr
    assert f'File "{broken}/bad/odd.py", line 2\n    class Odd(:\n' in traced
    import json

    (item,) = json.loads(resbench(broken, "plugins", "list", "--json", "--plugins", "bad").stdout)
    assert (item["name"], item["version"], item["state"]) == ("bad", None, "broken")
    assert item["problems"][0]["what"] == "odd.py"
    assert item["problems"][0]["trace"].startswith("Traceback")


def test_check_tries_everything_and_ends_with_3(broken: Path) -> None:
    done = resbench(broken, "plugins", "check", "bad")
    assert done.returncode == 3
    assert done.stdout.splitlines() == [
        "plugin bad (a folder), from bad",
        "  FAIL odd.py: SyntaxError: invalid syntax (odd.py, line 2)",
        "  FAIL initialiser lazy: not every value of a conv's weight is drawn and finite",
        "  FAIL metric depth_m: metric `depth_m` of plugin bad (a folder): a finite number is needed, got 'deep'",
        "  ok   metric n_stages: 3 for resnet_cifar of original",
    ]
    assert f'File "{broken}/bad/odd.py", line 2' in done.stderr


def test_a_metric_of_a_plugin_stands_in_net_show_and_one_that_fails_is_a_note(broken: Path) -> None:
    done = resbench(broken, "net", "show", "resnet_cifar", "depth=8", "--plugins", "bad")
    assert done.returncode == 0
    assert "\nn_stages 3\n" in done.stdout
    assert done.stdout.endswith(
        "note: metric `depth_m` of plugin bad (a folder): a finite number is needed, got 'deep'\n"
    )
