"""int8 by torchao of an exported network that was trained on digits: every convolution is found, and the error stays.

Quantisers go by the classes of layers: of resbench's own ones none is found, without a word.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from command_line import Rb
from torch import Tensor, nn
from torch.nn import functional as F

from resbench.data.registry import load
from resbench.data.split import normalised, whole

pytestmark = pytest.mark.long
NETWORK = ("resnet_cifar", "unit=full_preactivation", "depth=8", "width=8", "data=digits")
EPOCHS, BATCH = 8, 64


def trained(source: str) -> nn.Module:
    names: dict[str, type[nn.Module]] = {}
    exec(compile(source, "emitted.py", "exec"), names)
    torch.manual_seed(0)
    network = names["ResnetCifar"]()
    x, y = whole(normalised(load("digits"), "train"))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(network(x[chosen]), y[chosen]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return network.eval()


def error_pct(network: nn.Module, x: Tensor, y: Tensor) -> float:
    with torch.no_grad():
        return 100 * float((network(x).argmax(1) != y).double().mean())


def test_int8_of_an_exported_network(rb: Rb, tmp_path: Path) -> None:
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    network = trained(rb("net", "export", *NETWORK, "--to", "python").out)
    torch.save(network.state_dict(), tmp_path / "mine.pth")
    assert rb("net", "export", *NETWORK, "--weights", "mine.pth", "-o", "net.pt2").status == 0
    exported = torch.export.load(tmp_path / "net.pt2").module()
    train, val = (whole(normalised(load("digits"), split)) for split in ("train", "val"))
    before = error_pct(exported, *val)
    assert before == error_pct(network, *val) < 15
    quantizer = x86.X86InductorQuantizer().set_global(x86.get_default_x86_inductor_quantization_config())
    prepared = prepare_pt2e(exported, quantizer)
    convolutions = sum(isinstance(module, nn.Conv2d) for module in network.modules())
    observers = [module for module in prepared.modules() if "Observer" in type(module).__name__]
    assert len(observers) >= 2 * convolutions  # of what goes in and of the weights
    prepared(train[0][:256])
    int8 = convert_pt2e(prepared)
    quantised = [node for node in int8.graph.nodes if "dequantize_per_channel" in str(node.target)]
    assert len(quantised) >= convolutions
    assert abs(error_pct(int8, *val) - before) <= 1
