"""The Python file of every unit and network of the library: the same names, the same numbers, torch alone, a clean lint."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from compiler_sample import bind
from emit_sample import NETWORKS, UNITS, differences, module, small_network, small_unit, text, text_of_unit
from shortened import every

from resbench.compiler.graph import BoundNetwork

TORCH_AND_PYTHON = {"__future__", "collections", "math", "typing", "functools", "torch"}


def everything() -> list[BoundNetwork]:
    return [*map(small_unit, UNITS), *map(small_network, NETWORKS)]


@pytest.mark.parametrize("unit", every(4, UNITS))
def test_the_numbers_of_a_unit(unit: str) -> None:
    bound = small_unit(unit)
    assert differences(bound, text(bound), 32) == []


@pytest.mark.parametrize("network", every(4, NETWORKS))
def test_the_numbers_of_a_network(network: str) -> None:
    bound = small_network(network)
    assert differences(bound, text(bound), min(64, bound.input_shape[1])) == []


def test_other_numbers_are_seen() -> None:
    bound = small_unit("original")
    wrong = text(bound).replace("F.relu(h + f)", "F.relu(h - f)")
    assert "output, eval" in differences(bound, wrong)
    with pytest.raises(AssertionError):
        differences(bound, text(bound).replace("conv2=", "conv3="))


@pytest.mark.parametrize("unit", every(4, UNITS))
def test_a_unit_alone(unit: str) -> None:
    """Every unit of the network, under the names that it has without the network."""
    bound = small_unit(unit)
    built = module(text(bound)).state_dict()
    for number, (path, _) in enumerate((p, g) for p, g in bound.parts() if ".units." in p):
        state = module(text_of_unit(bound, number)).state_dict()
        wanted = {k.removeprefix(f"{path}."): v.shape for k, v in built.items() if k.startswith(f"{path}.")}
        assert {name: tensor.shape for name, tensor in state.items()} == wanted


def test_nothing_but_torch_is_imported() -> None:
    for bound in everything():
        for node in ast.walk(ast.parse(text(bound))):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in modules} <= TORCH_AND_PYTHON


def test_a_file_runs_where_there_is_no_resbench(tmp_path: Path) -> None:
    bound = small_unit("dropout_shortcut")
    (tmp_path / "net.py").write_text(text(bound), "utf-8")
    code = (
        "import sys; sys.modules['resbench'] = None\nimport net, torch\n"
        "print(tuple(net.ResnetCifar()(torch.zeros(2, 3, 32, 32)).shape))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("(2, 10)\n", "")


def test_lint_and_layout(tmp_path: Path) -> None:
    for number, bound in enumerate(everything()):
        (tmp_path / f"{bound.unit}_{number}.py").write_text(text(bound), "utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--line-length", "120", str(tmp_path)]
    lint = subprocess.run([*ruff, "check", "--select", "E,F,I", *options], capture_output=True, text=True, check=False)
    assert lint.returncode == 0, lint.stdout
    layout = subprocess.run([*ruff, "format", "--diff", *options], capture_output=True, text=True, check=False)
    assert layout.returncode == 0, layout.stdout


def test_a_deep_network_is_as_short_as_a_shallow_one() -> None:
    shallow, deep = (text(bind("resnet_cifar", "full_preactivation", depth=depth)) for depth in (26, 110))
    assert len(shallow.splitlines()) == len(deep.splitlines())
    assert "*[FullPreactivation(64) for _ in range(17)]" in deep
