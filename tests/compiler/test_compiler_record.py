"""What the database keeps of an architecture builds the same network again, without any YAML."""

from __future__ import annotations

import json

import pytest
import torch
from compiler_sample import LIBRARY, bind, chain, digest, images, small, weighted

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.serialize import from_json, to_json


def place_free(bound: BoundNetwork) -> object:
    """All that counts of a bound network, as plain data."""
    return (
        bound.name, bound.unit, bound.classes,
        [
            (path, graph.input_shape, graph.output, [(o.path, o.op, o.arguments, o.inputs, o.shape) for o in graph.ops])
            for path, graph in bound.parts()
        ],
    )  # fmt: skip


@pytest.mark.parametrize("unit", LIBRARY.names("unit"))
def test_back_and_forth(unit: str) -> None:
    bound = small(unit)
    text = to_json(bound)
    again = from_json(text)
    assert place_free(again) == place_free(bound)
    assert digest(again) == digest(bound)
    assert to_json(again) == text
    networks = [weighted(b, seed=2).eval() for b in (bound, again)]
    x = images(2, (3, 32, 32))
    assert torch.equal(networks[0](x), networks[1](x))


def test_every_kind_of_argument_survives() -> None:
    bound = chain(
        {"conv": {"kernel": [1, 3], "padding": [0, 2], "init": {"normal": 0.1}}},
        {"conv3x3": {"init": "ones", "bias": True, "bias_init": -0.1}},
        {"pad_channels": {"out": 7, "side": "both"}},
        {"avg_pool": {"kernel": 3, "ceil": True, "count_pad": False}},
        {"bn": {"eps": 1e-3, "init": 0}},
        {"scale": {"by": 1 / 3}},
    )
    assert place_free(from_json(to_json(bound))) == place_free(bound)
    assert [type(v) for op in from_json(to_json(bound)).stages[0].units[0].ops for _, v in op.arguments] == [
        type(v) for op in bound.stages[0].units[0].ops for _, v in op.arguments
    ]


def test_equal_units_are_written_once() -> None:
    short, long = (to_json(bind("resnet_cifar", depth=depth)) for depth in (20, 110))
    assert len(json.loads(long)["graphs"]) == len(json.loads(short)["graphs"])
    assert len(long) < 1.1 * len(short)


def test_another_format_is_refused() -> None:
    data = json.loads(to_json(chain("relu"))) | {"format": 2}
    with pytest.raises(ValueError, match="architecture format 2; this version reads 1"):
        from_json(json.dumps(data))
