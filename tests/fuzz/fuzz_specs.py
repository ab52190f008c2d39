"""A seed -> a valid unit that nobody thought of: a random graph over ops that keep a shape, with params, rules, repeats."""

from __future__ import annotations

import random
from typing import Any

STEPS: tuple[Any, ...] = (
    "bn", "relu", "silu", "gelu", "tanh", "sigmoid", "hardswish", "conv3x3", "conv1x1", "dwconv3x3", "layer_norm", "bias", "gain",
    "one_minus", {"conv3x3": {"dilation": 2}}, {"conv3x3": {"bias": True, "bias_init": -1}}, {"conv": {"kernel": [1, 5]}},
    {"conv3x3": {"weight": "standardized"}}, {"conv3x3": {"weight": "scaled_standardized", "gain": 1.7}},
    {"conv1x1": {"weight": "spectral", "gain": 0.9}}, {"group_norm": {"groups": 2}}, {"dropout": {"rate": 0.2}},
    {"scale": {"by": 0.5}}, {"max_pool": {"kernel": 3}}, {"avg_pool": {"kernel": 3, "count_pad": False}},
    {"channel_shuffle": {"groups": 2}}, {"squeeze_excite": {"reduction": 2}}, {"conv_bn_relu": {"kernel": 3}},
    {"drop_branch": {"rate": 0.3, "per": "image"}}, {"drop_branch": {"rate": 0.3, "scale": "eval", "ops": ["conv3x3", "bn"]}},
    {"repeat": {"times": 2, "ops": ["conv3x3", "bn", "relu"]}}, {"repeat": {"times": "$times", "ops": ["bn", "relu"]}}, "$order",
)  # fmt: skip
JOINS: tuple[Any, ...] = ("add", "multiply", "subtract", ["concat", "conv1x1"], "random_mix")


def unit(rng: random.Random) -> dict[str, Any]:
    """Nodes read what stands above them; every one is read; at a transition one convolution has the stride."""
    names = ["s", *(f"n{i}" for i in range(rng.randrange(1, 6)))]
    nodes: dict[str, Any] = {
        "s": {"from": "x", "ops": [{"shortcut": {"change": rng.choice(["pad", "project", "pool_project"])}}]}
    }
    for i, name in enumerate(names[1:], 1):
        nodes[name] = _node(names[:i], rng)
    read = {source for node in nodes.values() for source in _sources(node)}
    loose = [name for name in names if name not in read]
    nodes["y"] = {"from": loose, "ops": ["add"] if len(loose) > 1 else []}
    params: dict[str, Any] = {
        "times": {"default": rng.randrange(3), "range": [0, 3]},
        "order": {"default": ["bn", "relu"], "choices": [["bn", "relu"], ["relu", "bn"], []]},
    }
    written = repr(nodes)
    found: dict[str, Any] = {
        "unit": "fuzzed",
        "params": {k: v for k, v in params.items() if f"${k}" in written},
        "nodes": nodes,
    }
    if rng.random() < 0.3:
        found["when"] = [
            {"if": rng.choice(["first", "transition or last", "pos % 2 == 1"]), "nodes": {"s": {"from": "x"}}}
        ]
    if rng.random() < 0.5:
        found["boundary"] = {"layers": 2, "after_stem": ["bn"], "after_last": rng.choice([[], ["bn", "relu"]])}
    return found


def _node(above: list[str], rng: random.Random) -> dict[str, Any]:
    steps = [rng.choice(STEPS) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
    if rng.random() < 0.4 and len(above) > 1:
        join = rng.choice(JOINS)
        sources = rng.sample(above, 2)
        return {"from": sources, "ops": [*(join if isinstance(join, list) else [join]), *steps]}
    return {"from": rng.choice(above), "ops": steps}


def _sources(node: dict[str, Any]) -> list[str]:
    return node["from"] if isinstance(node["from"], list) else [node["from"]]
