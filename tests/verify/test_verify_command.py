"""`net verify` and `net import-weights`: what they print, their exit status, and files of `--map`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from command_line import Rb
from safetensors.torch import load_file
from small_networks import NETWORK, Basic, Small
from torch import nn
from torch.nn import functional as F

from resbench.verify import reference

torch.set_num_threads(1)
COMMAND = ("net", "verify", "small.yaml", "unit.change=project", "--against", "torchvision:small", "--size", "16")


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    """The reference that the command finds, whatever its name."""
    (tmp_path / "small.yaml").write_text(NETWORK.replace("UNIT", "original"), "utf-8")
    torch.manual_seed(0)
    made = Small(Basic)
    monkeypatch.setattr(reference, "reference", lambda name, classes, arguments: made)
    return made


@pytest.mark.usefixtures("theirs")
def test_equal(rb: Rb) -> None:
    result = rb(*COMMAND)
    assert result.status == 0, result.err
    assert "small of original is torchvision:small: 28,341 parameters, the reference has 28,341; " in result.out
    assert result.out.count("equal") == 2
    assert result.err == ""


def test_not_equal_with_its_place(theirs: Small, rb: Rb) -> None:
    theirs.units[1].bn2.eps = 1e-4  # type: ignore[union-attr, assignment]
    result = rb(*COMMAND)
    assert result.status == 1
    assert "small of original is NOT torchvision:small: " in result.out
    assert (
        "note: the two first differ at stages.0.units.1.f.bn2.weight: it returns other numbers than units.1.bn2.weight"
        in result.err
    )


def test_rates_that_differ_are_reported(theirs: Small, rb: Rb) -> None:
    theirs.fc.register_forward_pre_hook(lambda module, given: F.dropout(given[0], 0.2, module.training))
    result = rb(*COMMAND)
    assert result.status == 0
    assert "is torchvision:small apart from random dropping: " in result.out
    assert "note: in training the network drops at random nothing, the reference 0.2 (1 place); " in result.err
    found = json.loads(rb(*COMMAND, "--json").out)
    assert (found["equal"], found["equal_rates"]) == (True, False)


def test_float32_is_shown_and_decides_nothing(theirs: Small, rb: Rb) -> None:
    theirs.fc.register_forward_hook(lambda module, given, y: y * (1.01 if y.dtype == torch.float32 else 1))
    result = rb(*COMMAND, "--dtype", "float32")
    assert result.status == 0, result.err
    assert "differs, does not decide" in result.out
    found = json.loads(rb(*COMMAND, "--json").out)
    assert [(d["dtype"], d["decides"]) for d in found["differences"]] == [("float64", True), ("float32", False)]


def test_more_outputs_in_training_are_reported(theirs: Small, rb: Rb) -> None:
    theirs.aux = nn.Linear(5, 5)
    theirs.register_forward_hook(lambda module, given, y: (y, module.aux(y)) if module.training else y)
    result = rb(*COMMAND)
    assert result.status == 1
    assert "evaluation does not use 2 parameters of the reference: aux.weight, aux.bias; " in result.err
    assert "in training the reference returns 2 tensors, the network 1; " in result.err
    assert "--reference-args aux_logits=false" in result.err


@pytest.mark.usefixtures("theirs")
def test_a_map(rb: Rb, tmp_path: Path) -> None:
    """Every name, as `--json` gives them; one that is wrong is followed, and then the two are not equal."""
    names = json.loads(rb(*COMMAND, "--json").out)["map"]
    assert len(names) == 57
    (tmp_path / "map.yaml").write_text(json.dumps(names), "utf-8")
    assert rb(*COMMAND, "--map", "map.yaml").status == 0
    one, other = "stages.0.units.1.f.conv1.weight", "stages.0.units.1.f.conv2.weight"
    (tmp_path / "map.yaml").write_text(f"{one}: {names[other]}\n{other}: {names[one]}\n", "utf-8")
    result = rb(*COMMAND, "--map", "map.yaml")
    assert result.status == 1, result.out + result.err
    (tmp_path / "map.yaml").write_text("stem.conv1.weight: con.weight\n", "utf-8")
    result = rb(*COMMAND, "--map", "map.yaml")
    assert result.status == 2
    assert "--map: expected a parameter of the reference, got `con.weight`; did you mean `conv.weight`" in result.err
    (tmp_path / "map.yaml").write_text("stem.conv1.weight: [conv.weight]\nhead.linear1.weight: 3\n", "utf-8")
    result = rb(*COMMAND, "--map", "map.yaml")
    assert result.status == 2
    assert result.err.count("--map: expected the name of a parameter of the reference, got ") == 2
    assert "map.yaml:2:" in result.err


@pytest.mark.usefixtures("theirs")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--reference-args", "aux_logits"), "expected NAME=VALUE, as in aux_logits=false, got `aux_logits`"),
        (("--size", "7"), "--size: expected 8 to 4096 pixels, got 16, 7"),
        (("--dtype", "float16"), "--dtype: expected float32 or float64, got `float16`"),
    ],
)
def test_words_that_are_not_understood(words: tuple[str, ...], message: str, rb: Rb) -> None:
    result = rb(*COMMAND, *words)
    assert result.status == 2
    assert message in result.err


def test_arguments_reach_the_function_that_builds(rb: Rb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.yaml").write_text(NETWORK.replace("UNIT", "original"), "utf-8")
    given: list[object] = []

    def build(name: str, classes: int, arguments: object) -> nn.Module:
        given.append(arguments)
        return Small(Basic)

    monkeypatch.setattr(reference, "reference", build)
    result = rb(*COMMAND, "--reference-args", "aux_logits=false,drop_rate=0.5,layers=[1, 2],name=x")
    assert given == [{"aux_logits": False, "drop_rate": 0.5, "layers": [1, 2], "name": "x"}]
    assert "is torchvision:small with aux_logits=false,drop_rate=0.5,layers=[1, 2],name=x: " in result.out


def test_import_weights(theirs: Small, rb: Rb, tmp_path: Path) -> None:
    weight = theirs.units[2].down[0].weight.detach().clone()  # type: ignore[union-attr, index]
    result = rb("net", "import-weights", *COMMAND[2:], "-o", "x.safetensors")
    assert result.status == 0, result.err
    found = load_file(tmp_path / "x.safetensors")
    assert found["stages.1.units.0.h.shortcut1.y.conv1.weight"].equal(weight)
