"""Exported files: what they say of the network, nothing of the machine, and the same bytes each time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import onnx
import pytest
import torch
from command_line import Rb, one_core
from safetensors import safe_open

import resbench
from resbench.cli.architecture.export import FORMATS

SMALL = ("resnet_cifar", "unit=full_preactivation", "depth=8", "width=2", "data=digits")
HERE = Path(__file__).parents[1]
CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from command_line import say
for ending in sys.argv[3:]:
    said = say(("net", "export", *sys.argv[2].split(), "-o", f"net{ending}"), Path.cwd())
    assert said.status == 0, said.err
"""
PLUGIN = '''\
"""Ones, by a name that is bound inside of a statement.  BCHW -> BCHW"""

import torch
from torch import Tensor, nn

from resbench.ops.registry import op

try:
    from math import e as FACTOR
except ImportError:
    FACTOR = 2.7


@op("grown")
class Grown(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * FACTOR
'''


def about(path: Path) -> dict[str, str]:
    """The metadata of a file."""
    if path.suffix == ".onnx":
        return {one.key: one.value for one in onnx.load(path).metadata_props}
    if path.suffix == ".pt2":
        extra = {"resbench.json": ""}
        torch.export.load(path, extra_files=extra)
        found: dict[str, str] = json.loads(extra["resbench.json"])
        return found
    with safe_open(path, "pt") as file:
        return dict(file.metadata())


def sums(folder: Path, words: tuple[str, ...], endings: list[str], seed: int) -> list[str]:
    """Of the files that a process of its own writes into a folder, in which Python's hashes are others."""
    folder.mkdir()
    child = [sys.executable, "-c", CHILD, str(HERE), " ".join(words), *endings]
    env = os.environ | {"HOME": str(folder), "PYTHONPATH": str(HERE.parent), "PYTHONHASHSEED": str(seed)}
    with one_core():
        done = subprocess.run(child, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [sha256((folder / f"net{ending}").read_bytes()).hexdigest() for ending in endings]


@pytest.mark.long
def test_two_processes_write_the_same_bytes(rb: Rb, tmp_path: Path) -> None:
    endings = list(FORMATS.values())
    first, second = (sums(tmp_path / f"folder{seed}", SMALL, endings, seed) for seed in (1, 2))
    assert dict(zip(endings, first, strict=True)) == dict(zip(endings, second, strict=True))
    digest = rb("net", "show", *SMALL, "--json").json["digest"]
    for ending in endings:
        path = tmp_path / "folder1" / f"net{ending}"
        found = path.read_bytes()
        for folder in (sys.prefix, torch.__path__[0], resbench.__path__[0], str(tmp_path), "site-packages", '.py"'):
            assert folder.encode() not in found, (ending, folder)
        if ending != ".py":
            assert about(path) == {
                "digest": digest, "from": "he_normal, seed 0", "network": "resnet_cifar", "unit": "full_preactivation",
                "resbench": resbench.__version__,
            }  # fmt: skip


@pytest.mark.long
def test_two_processes_take_the_same_statistics(tmp_path: Path) -> None:
    words = (*SMALL, "--calibrate", "digits")
    first, second = (sums(tmp_path / f"folder{seed}", words, [".safetensors"], seed) for seed in (1, 2))
    assert first == second


def test_weights_and_text_twice(rb: Rb, tmp_path: Path) -> None:
    for ending in (".py", ".safetensors"):
        written = []
        for _ in range(6):  # an order of chance is the same twice now and then
            assert rb("net", "export", *SMALL, "-o", f"net{ending}", "--force").status == 0
            written.append((tmp_path / f"net{ending}").read_bytes())
        assert written == written[:1] * 6


def test_what_else_is_known_goes_into_the_file(tmp_path: Path) -> None:
    """Of a study's run: whoever named the study."""
    from resbench.cli.architecture.export_subject import Source, network_subject

    subject = network_subject(SMALL[0], SMALL[1:], Source(None, None))
    drawn = network_subject(SMALL[0], SMALL[1:], Source(3, None)).export("safetensors")
    (tmp_path / "drawn.safetensors").write_bytes(drawn.data)
    with safe_open(tmp_path / "drawn.safetensors", "pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    kept = subject.export("torch", state, {"study": "gates \u202e\ud800", "run": "12"})
    assert kept.notes == ()
    (tmp_path / "kept.pt2").write_bytes(kept.data)
    said = about(tmp_path / "kept.pt2")
    assert (said["study"], said["run"], said["unit"]) == ("gates \\u202e\\ud800", "12", "full_preactivation")
    assert "from" not in said
    program = torch.export.load(tmp_path / "kept.pt2")
    assert all(program.state_dict[name].equal(tensor) for name, tensor in state.items())


def test_an_op_whose_source_does_not_run_alone(rb: Rb, tmp_path: Path) -> None:
    """It is written all the same, and whoever quantises it is told."""
    from resbench.plugins.active import activate

    (tmp_path / "pl").mkdir()
    (tmp_path / "pl" / "grown.py").write_text(PLUGIN, "utf-8")
    unit = "unit: mine\nnodes:\n  y: {from: x, ops: [conv3x3: {stride: $stride}, grown]}\n"
    (tmp_path / "mine.yaml").write_text(unit, "utf-8")
    try:
        said = rb("unit", "export", "mine.yaml", "-o", "unit.pt2", "--plugins", "pl")
    finally:
        activate((), lambda failure: None)
    assert said.status == 0, said.err
    assert said.err.splitlines()[1:] == [
        "note: untrained weights, seed 0",
        "note: the source of its ops does not run alone: NameError: name 'FACTOR' is not defined; it consists of resbench's own "
        "classes, which quantisers and other tools for torch's classes do not recognise",
    ]
    torch.export.load(tmp_path / "unit.pt2")
