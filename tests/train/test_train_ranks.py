"""Two processes train as one: torchrun, gloo, the same batches, the same numbers; and where they cannot, why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from train_sample import network, recipe

from resbench.compiler.modules.stack import single
from resbench.errors import BadInput
from resbench.ops.normalization.bn import BatchNorm
from resbench.random_streams import Shard
from resbench.train.execution import parallel, ranks
from resbench.train.step import training

pytestmark = pytest.mark.long

SCRIPT = Path(__file__).with_name("rank_script.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the cases have been trained, by one process and by two."""
    folder = tmp_path_factory.mktemp("ranks")
    paths = filter(None, (str(SCRIPT.parent), os.environ.get("PYTHONPATH")))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
    for launch, cases in (
        ([], ["branch", "plain"]),
        (
            ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"],
            ["branch", "plain", "own_statistics", "lost", "lost_while_read"],
        ),
    ):
        command = [sys.executable, *launch, str(SCRIPT), str(folder), *cases]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr[-3000:]
    return folder


def ran(folder: Path, case: str, processes: int) -> tuple[Any, list[dict[str, Tensor]]]:
    told = json.loads((folder / f"{case}_{processes}.json").read_text())
    return told, torch.load(folder / f"{case}_{processes}.pt", weights_only=True)


@pytest.mark.parametrize("case", ["branch", "plain"])
def test_two_processes_are_one(case: str, folder: Path) -> None:
    one, two = ran(folder, case, 1), ran(folder, case, 2)
    for alone, together in zip(one[0], two[0], strict=True):
        for a, b in zip(alone, together, strict=True):
            assert a.pop("train_s") > 0 < b.pop("train_s")
            unjudged = [key for key, value in a.items() if value is None]  # an epoch before the last
            assert [key for key, value in b.items() if value is None] == unjudged
            for key in a.keys() - unjudged:
                assert b[key] == pytest.approx(a[key], rel=1e-6), key
    for alone, together in zip(one[1], two[1], strict=True):
        for name, tensor in alone.items():
            if tensor.is_floating_point():
                assert float((tensor - together[name]).abs().max()) < 1e-9, name


def test_in_bfloat16_statistics_are_as_fine_as_torchs() -> None:
    x = (3 + torch.randn(64, 4, 8, 8, generator=torch.Generator().manual_seed(0))).bfloat16()
    norms = [BatchNorm(4), BatchNorm(4)]
    for norm in norms:
        for name, start in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            norm.state_dict()[name].fill_(start)
    with torch.autocast("cpu", torch.bfloat16):
        expected, found = norms[0](x), parallel.SyncedBatchNorm(norms[1])(x)
    assert found.dtype == expected.dtype == torch.bfloat16
    torch.testing.assert_close(found, expected, rtol=0.01, atol=0.01)
    for name in ("running_mean", "running_var"):
        torch.testing.assert_close(norms[1].state_dict()[name], norms[0].state_dict()[name], rtol=1e-5, atol=1e-6)


def test_with_devices_each_has_its_own_statistics(folder: Path) -> None:
    told, (state, _) = ran(folder, "own_statistics", 2)
    plain, (synced, _) = ran(folder, "plain", 2)
    assert told[0][0]["train_loss"] != pytest.approx(plain[0][0]["train_loss"], rel=1e-4)
    name = next(name for name in state if name.endswith("running_var"))
    assert not torch.equal(state[name], synced[name])


@pytest.mark.parametrize("case", ["lost", "lost_while_read"])
def test_where_one_process_cannot_read_its_test_images_none_waits_and_the_training_is_kept(
    folder: Path, case: str
) -> None:
    of_two = json.loads((folder / f"{case}_2_test.json").read_text())
    assert of_two == [["complete", None, "another process of the training cannot read its images"]] * 2
    scored = json.loads((folder / "plain_2_test.json").read_text())
    assert all(error is not None and why == "" for _, error, why in scored)


def test_devices_are_part_of_the_identity() -> None:
    assert recipe({"devices": 2}).digest != recipe().digest


@pytest.fixture
def as_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ranks, parallel):
        monkeypatch.setattr(module, "shard", lambda: Shard(0, 2))


def test_one_process_cannot_be_two_devices() -> None:
    with pytest.raises(
        BadInput,
        match=r"^devices: expected 2 processes, as the recipe requires, got 1; start it with `torchrun --nproc-p",
    ):
        ranks.own_batch(64, 2)


@pytest.mark.usefixtures("as_of_two")
def test_a_batch_must_divide() -> None:
    assert ranks.own_batch(64, 2) == ranks.own_batch(64, None) == 32
    with pytest.raises(BadInput, match=r"^batch: expected a multiple of the 2 processes, got 7$"):
        ranks.own_batch(7, None)
    with pytest.raises(BadInput, match="devices: expected 3 processes, as the recipe requires, got 2"):
        ranks.own_batch(64, 3)


@pytest.mark.usefixtures("as_of_two")
def test_statistics_that_cannot_be_shared_are_refused() -> None:
    net, _ = network("original")
    net.add_module("foreign", torch.nn.BatchNorm2d(3))
    with pytest.raises(
        BadInput, match=r"^foreign \(BatchNorm2d\) keeps statistics of a batch that several processes cannot sh"
    ):
        parallel.as_one(training(single(net, {}), recipe()))
