"""`unit export`, `net export`: what is written, that the four agree, and what is said of wrong words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from command_line import Rb, one_core
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

SMALL = ("resnet_cifar", "unit=plain", "depth=8", "width=2")


def module(source: str, name: str) -> nn.Module:
    names: dict[str, object] = {}
    exec(compile(source, "emitted.py", "exec"), names)
    made = names[name]
    assert callable(made)
    network = made()
    assert isinstance(network, nn.Module)
    return network.eval()


def test_python_weights_and_program_are_one_network(rb: Rb, tmp_path: Path) -> None:
    said = rb("net", "export", *SMALL, "--to", "python")
    assert (said.status, said.err) == (0, "")
    assert "`resbench net export resnet_cifar unit=plain depth=8 width=2 --to python`" in said.out.replace("\n", " ")
    written = rb("net", "export", *SMALL, "-o", "net.py")
    assert (written.status, written.out, written.err) == (0, "", "net.py: resnet_cifar of plain\n")
    assert (tmp_path / "net.py").read_text("utf-8") == said.out
    drawn = rb("net", "export", *SMALL, "--seed", 3, "-o", "net.safetensors")
    note = "note: untrained weights, seed 3: its running statistics are 0 and 1, as before the first image, "
    assert drawn.err.startswith(f"net.safetensors: resnet_cifar of plain\n{note}")
    read = rb("net", "export", *SMALL, "--weights", "net.safetensors", "-o", "net.pt2")
    assert (read.status, read.err) == (0, "net.pt2: resnet_cifar of plain\n")
    with safe_open(tmp_path / "net.safetensors", "pt") as file:
        about, weights = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    digest = rb("net", "show", *SMALL, "--json").json["digest"]
    assert {key: about[key] for key in ("network", "unit", "digest", "from")} == {
        "network": "resnet_cifar", "unit": "plain", "digest": digest, "from": "he_normal, seed 3",
    }  # fmt: skip
    network = module(said.out, "ResnetCifar")
    network.load_state_dict(weights)
    x = torch.randn(3, 3, 32, 32)
    assert torch.equal(torch.export.load(tmp_path / "net.pt2").module()(x), network(x))


def test_weights_are_those_of_the_seed(rb: Rb, tmp_path: Path) -> None:
    for number, seed in enumerate(([], ["--seed", 0], ["--seed", 1])):
        assert rb("net", "export", *SMALL, *seed, "-o", f"{number}.safetensors").status == 0
    first, same, other = (load_file(tmp_path / f"{number}.safetensors") for number in range(3))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["stem.conv1.weight"], other["stem.conv1.weight"])


def test_statistics_of_images(rb: Rb, tmp_path: Path) -> None:
    words = ("net", "export", *SMALL, "data=digits", "--calibrate", "digits", "-o", "net.safetensors")
    assert rb(*words).err == "net.safetensors: resnet_cifar of plain\nnote: untrained weights, seed 0\n"
    with safe_open(tmp_path / "net.safetensors", "pt") as file:
        assert file.metadata()["statistics"] == "1117 training images of digits"
        assert file.get_tensor("stem.bn1.running_mean").abs().min() > 0


def test_a_unit_at_a_place(rb: Rb, tmp_path: Path) -> None:
    said = rb("unit", "export", "original", "width=2", "--place", "transition", "--to", "python")
    assert (said.status, said.err) == (0, "")
    assert said.out.endswith("    return OriginalTransition()\n")
    written = rb("unit", "export", "original", "width=2", "--place", "transition", "-o", "unit.safetensors")
    assert written.err == (
        "unit.safetensors: stages.1.units.0 of resnet_cifar of original\nnote: untrained weights, seed 0\n"
    )
    with safe_open(tmp_path / "unit.safetensors", "pt") as file:
        assert file.metadata()["place"] == "stages.1.units.0"
        assert set(file.keys()) == set(module(said.out, "unit").state_dict())


def test_a_unit_of_a_file_is_described(rb: Rb, tmp_path: Path) -> None:
    unit = "unit: mine\ndoc: Half of it\ncite: nobody\nnodes:\n  y: {from: x, ops: [conv3x3: {stride: $stride}]}\n"
    (tmp_path / "some_file.yaml").write_text(unit, "utf-8")
    for words in (
        ("unit", "export", "some_file.yaml"),
        ("net", "export", "resnet_cifar", "unit=some_file.yaml", "depth=8"),
    ):
        source = rb(*words, "--to", "python").out
        assert 'class Mine(nn.Module):\n    """mine: Half of it. nobody"""\n' in source


def test_the_op_of_a_plugin_comes_along_as_source(tmp_path: Path) -> None:
    """In a process of its own, where the plugin's op stays."""
    plugin = Path(__file__).parents[2] / "plugins" / "global_response_norm"
    words = ["unit", "export", "convnext_v2", "network=convnext", "--plugins", str(plugin), "--to", "python"]
    with one_core():
        done = subprocess.run(
            [sys.executable, "-m", "resbench", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"--plugins {plugin} " in done.stdout.replace("\n", " ")
    assert "class GlobalResponseNorm(nn.Module):\n" in done.stdout
    unit = module(done.stdout, "unit")
    assert "f.global_response_norm1.gamma" in unit.state_dict()
    assert unit(torch.randn(2, 96, 7, 7)).shape == (2, 96, 7, 7)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--to", "pyhton"], "--to: expected python, onnx, torch, safetensors, got pyhton; did you mean `python`?"),
        ([], "export: no format; give `--to` with one of python, onnx, torch, safetensors, or `-o` with a file that ends "
            "in .py, .onnx, .pt2, "
             ".safetensors"),
        (["-o", "net.txt"], "export: no format; "),
        (["--to", "onnx"], "onnx is a binary format and requires `-o FILE`"),
        (["--to", "python", "--seed", "1"], "a Python file holds no weights: leave out --seed, --weights and --cali"),
        (["--to", "python", "--calibrate", "digits"], "a Python file holds no weights: "),
        (["-o", "a.pt2", "--calibrate", "digit"], "no data set is called `digit`; "),
        (["-o", "a.pt2", "--calibrate", "digits"], "statistics of `digits`: expected images of 3x32x32, which the network "
             "takes, got 1x8x8; `data=digits` makes a network for them\n"),
        (["-o", "a.pt2", "--seed", "1", "--weights", "b"], "--seed draws weights and --weights reads them: give one of them"),
        (["-o", "nowhere/net.py"], "nowhere/net.py: there is no folder nowhere"),
        (["--to", "python", "-o", "."], ".: expected a file, got a folder"),
        (["-o", "a.safetensors", "--weights", "b.safetensors"], "b.safetensors: no weights can be read: "),
    ],
)  # fmt: skip
def test_wrong_words(rb: Rb, tmp_path: Path, words: list[str], error: str) -> None:
    said = rb("net", "export", *SMALL, *words)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(error)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_not_there(rb: Rb) -> None:
    said = rb("unit", "export", "plain", "--place", "iner", "--to", "python")
    assert (said.status, said.err) == (
        2,
        "--place: expected first, inner, transition, got iner; did you mean `inner`?\n",
    )


def test_weights_of_another_network(rb: Rb) -> None:
    assert rb("net", "export", *SMALL, "-o", "small.safetensors").status == 0
    said = rb(
        "net",
        "export",
        "resnet_cifar",
        "unit=plain",
        "depth=14",
        "width=4",
        "--weights",
        "small.safetensors",
        "-o",
        "x.pt2",
    )
    assert said.status == 2
    head, *lines = said.err.splitlines()
    assert head.startswith(
        "small.safetensors: weights do not fit: expected the 80 tensors of the network, got 44, of which "
    )
    assert "; `resbench net import-weights` converts weights of torchvision's, " in head
    assert lines[:2] == ["  not in the file, 30:", "    stages.0.units.1.f.conv1.weight"]
    assert "    stem.conv1.weight: the shape is (2, 3, 3, 3) in the file, (4, 3, 3, 3) in the network" in lines


def test_a_state_dict_of_the_emitted_file_is_taken(rb: Rb, tmp_path: Path) -> None:
    """As a training loop saves it, wrapped and in a checkpoint."""
    network = module(rb("net", "export", *SMALL, "--to", "python").out, "ResnetCifar")
    state = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save({"model": state, "epoch": 3}, tmp_path / "mine.pth")
    assert rb("net", "export", *SMALL, "--weights", "mine.pth", "-o", "net.safetensors").err == (
        "net.safetensors: resnet_cifar of plain\n"
    )
    written = load_file(tmp_path / "net.safetensors")
    assert all(written[name].equal(tensor) for name, tensor in network.state_dict().items())


def test_onnx_without_its_packages(rb: Rb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    said = rb("net", "export", *SMALL, "-o", "net.onnx")
    assert said.status == 2
    assert said.err.startswith("onnx export needs a package that is not here (")
    assert said.err.endswith("): pip install 'resbench[onnx]'\n")
    assert list(tmp_path.iterdir()) == []
