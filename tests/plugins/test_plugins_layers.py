"""Ops made of torch's layers: they start as torch starts them, the same for a seed, alone and in a stack, and are trained."""

from __future__ import annotations

from pathlib import Path

import torch
from plugins_sample import Use, put

from resbench.api.architecture.request import request_of
from resbench.compiler.binding.network import bind_network
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import build
from resbench.compiler.modules.stack import initialize_stack, stack
from resbench.language.recipe.recipe import Optimizer
from resbench.testing import check_op
from resbench.train.optim import make_optimizer

LAYERED = '''\
"""Channel attention with a normalised hidden layer, and a constant.  BCHW -> BCHW"""

import torch
from torch import Tensor, nn

from resbench.ops.registry import op


@op("layered")
class Layered(nn.Module):
    def __init__(self, channels: int, *, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)
        self.mlp = nn.Sequential(nn.Linear(channels, channels), nn.LayerNorm(channels))
        self.gain = nn.Parameter(torch.full((1,), 0.5))
        self.register_buffer("shift", torch.arange(3.0))

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.mlp(x.mean((2, 3)))
        weight = self.conv(pooled.unsqueeze(1)).squeeze(1) + self.shift[1] * self.gain
        return x * torch.sigmoid(weight)[:, :, None, None]
'''
UNIT = """\
unit: attended
nodes:
  f: {from: x, ops: [conv3x3: {stride: $stride}, layered, drop_branch: {rate: 0.5, ops: [layered]}]}
  y: {from: f, ops: [bn, relu]}
"""


def test_an_op_of_torchs_layers(tmp_path: Path, use: Use) -> None:
    use(put(tmp_path / "mine", {"layered.py": LAYERED, "units/attended.yaml": UNIT}))
    assert check_op("layered").stacked == "by vmap"
    bound = bind_network(*request_of("resnet_cifar", ("depth=8", "width=2", "unit=attended")))
    numbers = canonical(bound).numbers

    def started(seed: int) -> dict[str, torch.Tensor]:
        network = build(bound)
        initialize_weights(network, numbers, seed, "he_normal")
        return network.state_dict()

    state = torch.random.get_rng_state()
    one, again, other = started(3), started(3), started(4)
    assert torch.equal(torch.random.get_rng_state(), state), "nobody else's draws are others for it"
    assert not torch.are_deterministic_algorithms_enabled()
    path = next(name.removesuffix("conv.weight") for name in one if name.endswith("layered1.conv.weight"))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one[path + "conv.weight"], other[path + "conv.weight"])
    paths = [name for name in one if name.endswith("mlp.0.weight")]
    assert len({float(one[name].flatten()[0]) for name in paths}) == len(paths), "each op draws for itself"
    assert float(one[path + "conv.weight"].abs().max()) <= 3**-0.5, "as nn.Conv1d starts, uniform within 1 / sqrt(3)"
    assert one[path + "gain"].tolist() == [0.5]
    assert one[path + "shift"].tolist() == [0.0, 1.0, 2.0]
    assert one[path + "mlp.1.weight"].tolist() == [1.0] * len(one[path + "mlp.1.weight"])
    inside = [name for name in paths if "drop_branch" in name]
    assert 0 < len(inside) < len(paths), "an op of a list inside an op"
    both = stack(bound, 2)
    initialize_stack(both, [3, 4], "he_normal")
    for number, alone in enumerate((one, other)):
        stacked = both.state(number)
        assert {*stacked} == {*alone}
        assert all(torch.equal(stacked[name], alone[name]) for name in alone)

    network = build(bound)
    optimizer = make_optimizer(network, Optimizer(use="sgd", lr=0.1, decay=("conv", "linear")))
    trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert trained == {id(parameter) for parameter in network.parameters()}
    decayed = {id(parameter) for parameter in optimizer.param_groups[0]["params"]}
    names = {
        name.removeprefix(path): id(p) in decayed for name, p in network.named_parameters() if name.startswith(path)
    }
    assert names == {
        "gain": False, "conv.weight": True, "mlp.0.weight": True, "mlp.0.bias": False, "mlp.1.weight": False,
        "mlp.1.bias": False,
    }  # fmt: skip
