"""A simplified network computes what the network computes."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Sequence

import pytest
import torch
from compiler_oracle import SINGLE, Nodes
from compiler_sample import digest, images, of, weighted
from torch import nn

from resbench.compiler.binding.shapes import make_module
from resbench.compiler.identity.simplify import GraphValue, simplify

LOOSE = (
    *SINGLE,
    "relu",
    "relu",
    "zero",
    "zero",
    {"scale": {"by": 1}},
    {"max_pool": {"kernel": 3}},
    {"slice": {"stop": 4}},
)


def loose(rng: random.Random, count: int) -> Nodes:
    """A graph with much in it to simplify."""
    names = ["x", *(f"n{i}" for i in range(count))]
    nodes: Nodes = {}
    for i in range(1, count + 1):
        many = rng.random() < 0.6
        sources = rng.choices(names[:i], k=rng.choice([2, 3]) if many else 1)
        join = [rng.choice(["add", "add", "multiply", "concat"])] if many else []
        ops = [*join, *([{"slice": {"start": 2, "stop": 6}}] if join == ["concat"] and rng.random() < 0.5 else [])]
        ops += ["conv1x1"] if ops == ["concat"] else []
        nodes[names[i]] = {"from": sources, "ops": ops or rng.choices(LOOSE, k=rng.choice([1, 2]))}
    read = {source for node in nodes.values() for source in node["from"]}
    return {**nodes, "y": {"from": [n for n in nodes if n not in read], "ops": ["concat", "conv1x1"]}}


def evaluate(values: Sequence[GraphValue], network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The simplified values as a program of their own."""
    results = [x]
    for value in values:
        given = [results[i] for i in value.inputs]
        name, _, arguments = value.label.partition("@1 ")
        if value.path is not None:
            results.append(network.get_submodule(value.path)(*given))
        elif name.startswith("zero_like"):
            results.append(0 * functools.reduce(torch.mul, given))
        else:
            said = tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in json.loads(arguments).items())
            results.append(make_module(name, said, given[0].shape[1])(*given))
    return results[-1]


@pytest.mark.parametrize("seed", range(60))
def test_the_simplified_network_computes_the_same(seed: int) -> None:
    bound = of(loose(random.Random(seed), 5))
    simple = simplify(bound)
    assert simple.result == len(simple.values)
    assert len(simple.values) <= sum(1 for _ in bound.ops())
    network = weighted(bound).double().eval()
    x = images(2, (4, 8, 8), torch.float64)
    torch.testing.assert_close(evaluate(simple.values, network, x), network(x), rtol=1e-9, atol=1e-9)


def test_equal_digests_give_equal_numbers() -> None:
    """Of graphs drawn at random many are twins; with the weights of one seed, each computes what its twin computes, to the
    last bit, and so do the gradients.
    """
    x = images(2, (4, 8, 8), torch.float32)
    seen: dict[str, tuple[Nodes, list[torch.Tensor]]] = {}
    twins = 0
    for seed in range(300):
        rng = random.Random(seed)
        nodes = loose(rng, rng.choice([1, 2, 2]))
        bound = of(nodes)
        given = x.clone().requires_grad_()
        result = weighted(bound)(given)
        result.square().sum().backward()
        gradient = torch.zeros_like(given) if given.grad is None else given.grad
        other, numbers = seen.setdefault(digest(bound), (nodes, [result.detach(), gradient]))
        twins += other != nodes
        assert torch.equal(result, numbers[0])
        assert torch.equal(gradient, numbers[1])
    assert twins > 10
