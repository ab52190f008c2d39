"""ONNX and torch.export programs give the built network's numbers, whatever the batch. Every op, and one shipped network, in the
ordinary suite; all units and networks of the library with RESBENCH_EXPORT=all (`make export`).
"""

from __future__ import annotations

import io
import os
import sys

import onnxruntime
import pytest
import torch
from compiler_sample import images, of, weighted
from emit_sample import NETWORKS, UNITS, about, differences, randomised, small_network, small_unit, text
from shortened import every
from torch import nn

from resbench.compiler.export.serialized import LARGEST_ONNX, onnx_bytes, torch_bytes
from resbench.compiler.export.torch_module import plain_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.normal_form import normal
from resbench.errors import BadInput
from resbench.ops.registry import kinds

OPS = sorted(kinds())
BATCHES = (1, 3, 5)
EVERY_OP = of(
    {
        "a": {"from": "x", "ops": [{"conv3x3": {"weight": "standardized"}}, "bn", "relu", {"conv1x1": {"weight": "spectral"}}]},
        "b": {"from": "a", "ops": [{"group_norm": {"groups": 2}}, "silu", {"conv1x1": {"weight": "scaled_standardized"}}]},
        "c": {"from": "x", "ops": [{"drop_branch": {"rate": 0.5, "ops": ["conv3x3", "layer_norm", "gelu"]}}, "gain", "bias"]},
        "d": {"from": "b", "ops": [{"max_pool": {"kernel": 3}}, {"avg_pool": {"kernel": 3}}, {"channel_shuffle": {"groups": 2}}]},
        "e": {"from": ["b", "c"], "ops": ["random_mix", {"scale": {"by": 0.5}}, "hardswish", "tanh"]},
        "g": {"from": "x", "ops": [{"conv1x1": {"bias": True}}, "sigmoid", "one_minus"]},
        "h": {"from": ["e", "g"], "ops": ["multiply"]},
        "s": {"from": ["d", "c"], "ops": ["subtract"]},
        "z": {"from": "x", "ops": ["zero"]},
        "j": {"from": ["h", "s", "z"], "ops": ["concat", {"slice": {"start": 1, "stop": 7}}, {"pad_channels": {"out": 8}}]},
        "k": {"from": "j", "ops": ["relu6", {"dropout": {"rate": 0.5}}, {"subsample": {"stride": 2}}]},
        "p": {"from": "x", "ops": [{"conv3x3": {"out": 8, "stride": 2}}]},
        "y": {"from": ["k", "p"], "ops": ["add", "global_avg_pool", {"linear": {"out": 3}}]},
    }
)  # fmt: skip


def sample() -> list[str]:
    if os.environ.get("RESBENCH_EXPORT") == "all":
        return ["every op", *(f"unit {name}" for name in UNITS), *(f"network {name}" for name in NETWORKS)]
    return ["every op", "unit exclusive_gating"]


def ready(subject: str) -> tuple[BoundNetwork, nn.Module, nn.Module]:
    """What was built, and the same of torch's own layers, which is written.

    Its statistics are those of images that it saw: with others, single precision itself is off by more than is allowed."""
    kind, _, name = subject.partition(" ")
    bound = EVERY_OP if kind == "every" else small_unit(name) if kind == "unit" else small_network(name)
    network = weighted(bound)
    randomised(network)
    for module in network.modules():
        if isinstance(module, kinds()["bn"].module):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(images(4, bound.input_shape))
    return bound, network.eval(), plain_network(bound, about(bound).units, network)


def largest_difference(network: nn.Module, x: torch.Tensor, other: torch.Tensor) -> float:
    """Relative to the largest value."""
    with torch.no_grad():
        own = network(x)
    assert own.shape == other.shape
    return float((own - other).abs().max() / own.abs().max())


def test_every_op_is_in_the_sample() -> None:
    found = {op.op for _, graph in normal(EVERY_OP).parts() for _, op in graph.walk()}
    assert sorted(found) == OPS


def test_every_op_in_python() -> None:
    assert differences(EVERY_OP, text(EVERY_OP)) == []


@pytest.mark.parametrize("subject", every(2, sample()))
def test_onnx(subject: str) -> None:
    bound, network, plain = ready(subject)
    data = onnx_bytes(plain, bound.input_shape, {})
    assert b"site-packages" not in data
    session = onnxruntime.InferenceSession(data)
    assert [given.name for given in session.get_inputs()] == ["images"]
    for batch in BATCHES:
        x = images(batch, bound.input_shape)
        (result,) = session.run(["result"], {"images": x.numpy()})
        assert largest_difference(network, x, torch.from_numpy(result)) <= 1e-5


@pytest.mark.parametrize("subject", sample())
def test_torch(subject: str) -> None:
    bound, network, plain = ready(subject)
    data = torch_bytes(plain, bound.input_shape, {})
    assert b"site-packages" not in data
    program = torch.export.load(io.BytesIO(data)).module()
    assert set(program.state_dict()) == set(network.state_dict())
    for batch in BATCHES:
        x = images(batch, bound.input_shape)
        with torch.no_grad():
            assert largest_difference(network, x, program(x)) <= 1e-6


def test_onnx_needs_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    words = r"^onnx export needs a package that is not here \(.*onnxscript.*\): pip install 'resbench\[onnx\]'$"
    with pytest.raises(BadInput, match=words):
        onnx_bytes(nn.ReLU(), (1, 2, 2), {})


def test_more_weights_than_one_onnx_file_holds() -> None:
    with torch.device("meta"):
        large = nn.Linear(LARGEST_ONNX // 4, 1, bias=False), nn.Linear(LARGEST_ONNX // 4 + 2, 1, bias=False)
    assert large[0].weight.nbytes <= LARGEST_ONNX
    with pytest.raises(BadInput, match="onnx: 2,147,483,652 bytes of weights; one file holds at most 2,147,483,647"):
        onnx_bytes(large[1], (1,), {})
