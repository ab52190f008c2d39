"""Two files that mean one network train to the same bits; so does stochastic depth, whichever way it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from train_sample import recipe, train

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import build
from resbench.data.registry import load
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node
from resbench.ops.schema import table

FLAT = """unit: first
nodes:
  a: {from: x, ops: [conv3x3: {stride: $stride}, bn, silu]}
  b: {from: x, ops: [conv1x1: {stride: $stride}, dropout: {rate: 0.2}]}
  h: {from: x, ops: [shortcut]}
  y: {from: [a, b, h], ops: [add, relu]}
boundary: {layers: 1}
"""
NESTED = """unit: second
nodes:
  s: {from: x, ops: [shortcut: {change: pad, norm: [bn]}]}
  q: {from: x, ops: [conv: {kernel: 1, stride: $stride, bias: false}, scale: {by: 1}, dropout: {rate: 0.2}]}
  p: {from: x, ops: [conv3x3: {stride: $stride, padding: 1}, bn, dropout: {rate: 0}, silu]}
  sp: {from: [s, p], ops: [add]}
  y: {from: [q, sp], ops: [add, relu, relu]}
boundary: {layers: 1}
"""
WHOLE = """unit: first
nodes:
  f: {from: x, ops: [drop_branch: {rate: 0.5, ops: [conv3x3: {stride: $stride}, bn, relu]}]}
  h: {from: x, ops: [shortcut]}
  y: {from: [h, f], ops: [add]}
boundary: {layers: 1}
"""
BLOCK = """unit: second
nodes:
  k: {from: x, ops: [shortcut]}
  y: {from: [g, k], ops: [add]}
  g: {from: x, ops: [drop_branch: {rate: 0.5, ops: [conv_bn_relu: {kernel: 3, stride: $stride}]}]}
boundary: {layers: 1}
"""


@pytest.mark.parametrize(("first", "second"), [(FLAT, NESTED), (WHOLE, BLOCK)], ids=["sums", "branches"])
def test_one_architecture_trains_to_the_same_bits(first: str, second: str, tmp_path: Path) -> None:
    found = []
    for name, text in (("first", first), ("second", second)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        network = Use("resnet_cifar", {"depth": Node(8), "width": Node(4)}, Node("resnet_cifar"))
        bound = bind_network(Request(network, Use(name, {}, Node(name)), (1, 8, 8), 10), Library(table(), tmp_path))
        form = canonical(bound)
        built = build(bound)
        initialize_weights(built, form.numbers, 3, "he_normal")
        outcome = train(built, form.numbers, recipe({"epochs": 2}), load("digits"), 3)
        weights = {
            (form.numbers[path], key): tensor
            for path, module in built.named_modules()
            for key, tensor in module.state_dict().items()
            if path in form.numbers and "." not in key
        }
        found.append((form.digest, [(e.train_loss, e.val_loss, e.val_error_pct) for e in outcome.epochs], weights))
    (digest, losses, weights), (other_digest, other_losses, other_weights) = found
    assert digest == other_digest
    assert losses == other_losses
    assert weights.keys() == other_weights.keys()
    assert all(torch.equal(weights[key], other_weights[key]) for key in weights)
