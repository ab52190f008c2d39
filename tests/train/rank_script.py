"""`rank_script.py FOLDER CASE ...`: train cases in float64, alone or as one of several ranks; rank 0 writes what came out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor
from train_sample import recipe

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.modules.stack import initialize_stack, stack
from resbench.data import split
from resbench.data.dataset import Dataset
from resbench.data.registry import load
from resbench.data.split import Split
from resbench.errors import BadInput
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node, Plain
from resbench.ops.schema import table
from resbench.random_streams import Shard
from resbench.train import fit as loop
from resbench.train.execution.ranks import joined, shard
from resbench.train.fit import Hooks

BRANCH = """unit: branch
nodes:
  f: {from: x, ops: [drop_branch: {rate: 0.4, ops: [conv3x3: {stride: $stride}, bn, relu]}, dropout: {rate: 0.2}]}
  h: {from: x, ops: [shortcut, drop_branch: {rate: 0.3, per: image}]}
  y: {from: [h, f], ops: [random_mix, bn]}
boundary: {layers: 1}
"""
EVERYTHING: dict[str, Plain] = {
    "batch": 64, "epochs": 2, "clip_norm": 1.0, "average": {"decay": 0.9}, "label_smoothing": 0.1,
    "augment": [{"pad_crop": {"pad": 1}}, {"flip": {}}, {"cutout": {"size": 2}}, {"random_resized_crop": {}}],
}  # fmt: skip
CASES: dict[str, tuple[str, dict[str, Plain], bool]] = {  # unit, changes of the recipe, recompute
    "branch": ("branch.yaml", EVERYTHING, False),
    "plain": ("original", {"batch": 64, "epochs": 2}, True),
    "own_statistics": ("original", {"batch": 64, "epochs": 2, "devices": 2}, False),
    "lost": ("original", {"batch": 64, "epochs": 2}, False),
    "lost_while_read": ("original", {"batch": 64, "epochs": 2}, False),
}


def in_float64() -> None:
    plain = split._normalised

    def double(data: Dataset, name: str, device: torch.device | str) -> split.Split:
        x, y = split.whole(plain(data, name, device))
        return split.InMemorySplit(x.double(), y)

    split._normalised = double


class Cut:
    """A split whose files cannot be read."""

    def __init__(self, data: Dataset, device: torch.device) -> None:
        self.labels = data.labels[data.splits["test"]].to(device)

    def batches(self, chosen: Iterable[Tensor]) -> Iterator[Tensor]:
        raise BadInput("x.png cannot be read as an image")


def lose_test_images(case: str) -> None:
    """As if this process could not read its copy of the test split: as a whole, or once it is asked for a batch."""

    def gone(data: Dataset, device: torch.device) -> Split:
        raise BadInput("x.png cannot be read as an image")

    loop.sealed_test = gone if case == "lost" else Cut


def train(case: str, folder: Path, own: Shard) -> None:
    unit, changes, again = CASES[case]
    (folder / "branch.yaml").write_text(BRANCH, "utf-8")
    library = Library(table(), folder)
    layers = int(str(library.unit(unit).boundary.layers.value))
    network = Use("resnet_cifar", {"depth": Node(3 * layers + 2), "width": Node(4)}, Node("resnet_cifar"))
    bound = bind_network(Request(network, Use(unit, {}, Node(unit)), (1, 8, 8), 10), library)
    stacked = stack(bound, 2)
    initialize_stack(stacked, (0, 1), "he_normal")
    stacked.network.double()
    if again:
        from resbench.compiler.modules.network import recompute

        recompute(stacked.network)
    if case.startswith("lost") and own.rank == 1:
        lose_test_images(case)
    outcomes = loop.fit(stacked, recipe(changes), load("digits"), (0, 1), Hooks(lambda seed, epoch: None))
    if own.rank == 0:
        told = [[asdict(epoch) for epoch in outcome.epochs] for outcome in outcomes]
        (folder / f"{case}_{own.of}.json").write_text(json.dumps(told))
        untested = [(outcome.status, outcome.test_error_pct, outcome.untested) for outcome in outcomes]
        (folder / f"{case}_{own.of}_test.json").write_text(json.dumps(untested))
        torch.save([stacked.state(k) for k in range(2)], folder / f"{case}_{own.of}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    in_float64()
    with joined(torch.device("cpu")):
        for case in sys.argv[2:]:
            train(case, Path(sys.argv[1]), shard())
