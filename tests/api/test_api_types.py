"""A program of a user passes `mypy --strict` against the installed types."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import resbench

PROGRAM = """\
from pathlib import Path

import torch

import resbench as rb
from resbench.api.study.events import Event, RunSaved
from resbench.plugin import Parametric, op

unit = rb.load_unit(Path("mine.yaml"), gate_bias=-3)
net = rb.build_network("resnet_cifar", unit=unit, depth=56, seed=0)
module: torch.nn.Module = net
count: int = net.params
logits: torch.Tensor = net.head(torch.zeros(2, 64, 8, 8))


def told(event: Event) -> None:
    if isinstance(event, RunSaved):
        reveal_type(event.val_error_pct)


study = rb.load_study("quickstart.yaml", "recipe.epochs=2", seeds=5, units=["plain", unit])
outcome = study.run("results.db", workers=2, progress=told)
with rb.open_results("results.db") as results:
    reveal_type(results.leaderboard("quickstart").to_pandas())
    reveal_type(results.load_network("quickstart", "original", seed=0))
for epoch in rb.batches("he2016", "cifar10", seed=0):
    for images, labels in epoch:
        reveal_type(images)
run = rb.train_network(net, {"use": "he2016", "epochs": 2}, rb.load_data("digits"))
reveal_type(run.val_error_pct)


@op("mine")
class Mine(Parametric):
    pass
"""


@pytest.mark.long
def test_a_users_program_is_typed(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, "utf-8")
    (tmp_path / "wrong.py").write_text("import resbench as rb\n\nrb.load_study('x', seeds=1.5)\nrb.nowhere\n", "utf-8")
    package = Path(resbench.__file__).parents[1]
    environment = os.environ | {"MYPYPATH": str(package)}
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "program.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    shown = [
        line.partition("is ")[2].strip('"').replace("builtins.", "")
        for line in done.stdout.splitlines()
        if "Revealed" in line
    ]
    assert shown[0] in ("float | None", "Union[float, None]")
    assert shown[2:] == ["resbench.api.architecture.network.BuiltNetwork", "torch._tensor.Tensor", "float"]
    done = subprocess.run(
        [*command[:-1], "wrong.py"], cwd=tmp_path, env=environment, text=True, capture_output=True, check=False
    )
    assert [line.rpartition("[")[2] for line in done.stdout.splitlines() if "error:" in line] == [
        "arg-type]",
        "attr-defined]",
    ]
