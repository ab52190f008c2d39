"""Every unit and network of the library, small; emitted files -> their modules; two modules -> the same numbers or not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from compiler_sample import LIBRARY, bind, images, weighted
from torch import Tensor, nn

from resbench.compiler.export.python.module import FileHeader, network_file, unit_file
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.network import random_ops
from resbench.errors import SpecError

UNITS = LIBRARY.names("unit")
NETWORKS = LIBRARY.names("network")
WIDTHS = (4, 8, 16, 32, 64)  # the first that a unit can have: groups must divide it, gates must leave something
SMALL: dict[str, dict[str, Any]] = {  # a new network is taken as it is
    "densenet": {"depth": 26}, "pyramidnet": {"depth": 20}, "resnet_cifar": {"depth": 20}, "resnet_imagenet": {"depth": 26},
    "wide_resnet": {"depth": 16, "widen": 2}, "nasbench201": {"n": 1}, "shufflenet_v2": {"size": 0.5},
}  # fmt: skip


@cache
def small_unit(unit: str) -> BoundNetwork:
    """In the CIFAR net, two units a stage; a unit that does not fit there, in a network that has it for its own."""
    layers = LIBRARY.unit(unit).boundary.layers.value
    assert isinstance(layers, int)
    for width in WIDTHS:
        try:
            return bind("resnet_cifar", unit, depth=6 * layers + 2, width=width)
        except SpecError:
            continue
    return small_network(next(name for name in NETWORKS if LIBRARY.network(name).unit.name == unit))


@cache
def small_network(network: str) -> BoundNetwork:
    return bind(network, **SMALL.get(network, {}))


def about(bound: BoundNetwork) -> FileHeader:
    spec = LIBRARY.network(bound.name) if bound.name in NETWORKS else None
    stages = spec.stages if spec is not None else bound.stages
    units = tuple(getattr(getattr(stage, "unit", None), "name", None) or bound.unit for stage in stages)
    return FileHeader(
        "resbench net export", f"{bound.name}, a network", "small", units, lambda name: f"{name}: a unit or block"
    )


@cache
def text(bound: BoundNetwork) -> str:
    return network_file(bound, about(bound))


def text_of_unit(bound: BoundNetwork, number: int) -> str:
    return unit_file(bound, about(bound), number)


def module(source: str) -> nn.Module:
    """The network of a file: the last class in it; or what its `unit()` makes."""
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(source, "emitted.py", "exec"), names)
    if "unit" in names:
        return names["unit"]()  # type: ignore[no-any-return]
    classes = [value for value in names.values() if isinstance(value, type) and value.__module__ == "emitted"]
    return classes[-1]()  # type: ignore[no-any-return]


def randomised(network: nn.Module) -> None:
    """Factors of both signs and away from 0, where little is lost to rounding; running statistics that matter; no layer that
    starts at 0 and hides what is before it.
    """
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            noise = torch.randn(tensor.shape, generator=generator)
            if tensor.dim() == 1 and name.endswith(("bias", "running_mean")):
                tensor.copy_(0.3 * noise)
            elif tensor.dim() == 1:
                away = torch.rand(tensor.shape, generator=generator) + 0.5
                tensor.copy_(away if name.endswith("running_var") else away * noise.sign())
            elif tensor.dim() > 1 and not tensor.any():
                tensor.copy_(0.1 * noise)


def results(network: nn.Module, x: Tensor) -> Iterator[tuple[str, Tensor | None]]:
    """Output, the gradient of the input, of every parameter."""
    x = x.clone().requires_grad_()
    network.zero_grad()
    y = network(x)
    (y * torch.linspace(-1, 1, y.numel()).reshape(y.shape)).sum().backward()
    yield "output", y.detach()
    yield "input", x.grad
    yield from sorted((name, p.grad) for name, p in network.named_parameters())


def differences(bound: BoundNetwork, source: str, side: int | None = None) -> list[str]:
    """What of the emitted file's numbers is not, bit for bit, what was built: in evaluation, and in training where nothing
    is random. Raises AssertionError where the two have other names in their state_dicts.
    """
    ours, theirs = weighted(bound), module(source)
    randomised(ours)
    assert set(theirs.state_dict()) == set(ours.state_dict())
    theirs.load_state_dict(ours.state_dict())
    channels, *size = bound.input_shape
    x = images(3, (channels, *([side or n for n in size])))
    found = []
    for training in (False,) if random_ops(ours) else (False, True):
        pairs = zip(results(ours.train(training), x), results(theirs.train(training), x), strict=True)
        for (name, a), (other, b) in pairs:
            assert name == other
            same = (a is None and b is None) or (a is not None and b is not None and torch.equal(a, b))
            found += [] if same else [f"{name}, {'train' if training else 'eval'}"]
    return found
