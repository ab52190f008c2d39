"""Random valid units compile, take a step of training and stay finite."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from fuzz_case import Figures, cases, chunks
from fuzz_specs import unit
from torch.nn import functional as F

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import build, random_ops
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node, flow
from resbench.ops.schema import table

torch.set_num_threads(1)
SAMPLE, WANTED = 40, 2_000


@pytest.fixture(scope="module", autouse=True)
def imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What torch imports for its first step, so that no case is charged with it."""
    take_a_step(0, tmp_path_factory.mktemp("first"))


@pytest.mark.parametrize("chunk", chunks(SAMPLE))
def test_a_random_unit_compiles_and_takes_a_step(chunk: int, figures: Figures, tmp_path: Path) -> None:
    for number in cases(chunk, SAMPLE, WANTED):
        with figures.case(number):
            take_a_step(number, tmp_path)


def take_a_step(number: int, folder: Path) -> None:
    rng = random.Random(number)
    data = unit(rng)
    path = folder / "fuzzed.yaml"
    path.write_text("".join(f"{key}: {flow(value)}\n" for key, value in data.items()), encoding="utf-8")
    library = Library(table(), folder)
    network = Use("resnet_cifar", {"depth": Node(8), "width": Node(4)}, Node("resnet_cifar"))
    bound = bind_network(Request(network, Use("fuzzed", {}, Node("fuzzed")), (3, 12, 12), 4), library)
    net, numbers = build(bound), canonical(bound).numbers
    initialize_weights(net, numbers, number, "he_normal")
    for name, op in random_ops(net).items():
        op.generator = torch.Generator().manual_seed(numbers[name])
    images = torch.randn(8, 3, 12, 12, generator=torch.Generator().manual_seed(number))
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    loss = F.cross_entropy(net(images), torch.arange(8) % 4)
    loss.backward()
    optimizer.step()
    finite = all(bool(torch.isfinite(p).all()) for p in net.parameters())
    assert torch.isfinite(loss), (number, path.read_text("utf-8"))
    assert finite, (number, path.read_text("utf-8"))
