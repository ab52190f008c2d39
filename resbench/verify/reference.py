"""`torchvision:resnet50`, `timm:resnetv2_50`, `torch_resnet:PreActResNet164` -> that network, weights drawn from a seed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch import nn

from resbench.errors import BadInput, did_you_mean
from resbench.escape import printable

PACKAGES = {
    "torchvision": "torchvision",
    "timm": "timm",
    "torch_resnet": "torch-resnet",
}  # by scheme, as pip calls them


def reference(name: str, classes: int, seed: int = 0) -> nn.Module:
    """A network of that many classes. Raises BadInput: unknown scheme, package not installed, unknown network."""
    scheme, _, model = name.partition(":")
    if scheme not in PACKAGES or not model:
        allowed = ", ".join(f"{one}:NAME" for one in PACKAGES)
        raise BadInput(f"`{printable(name)}` is no reference; write {allowed}{did_you_mean(scheme, list(PACKAGES))}")
    try:
        package = import_module("torchvision.models" if scheme == "torchvision" else scheme)
    except ImportError as error:
        raise BadInput(f"`{name}` needs a package: pip install {PACKAGES[scheme]} ({error})") from None
    known, make = _BUILDERS[scheme](package)
    if model not in known:
        near = did_you_mean(model, known)
        raise BadInput(f"{scheme} has no network `{printable(model)}`{near or f' (it has {len(known)})'}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(model, classes)


Builder = tuple[list[str], Callable[[str, int], nn.Module]]


def _torchvision(package: ModuleType) -> Builder:
    return list(package.list_models(package)), lambda name, n: package.get_model(name, weights=None, num_classes=n)


def _timm(package: ModuleType) -> Builder:
    return list(package.list_models()), lambda name, n: package.create_model(name, num_classes=n)


def _torch_resnet(package: ModuleType) -> Builder:
    found = {name: c for name, c in inspect.getmembers(package, inspect.isclass) if name[-1].isdigit()}

    def make(name: str, classes: int) -> nn.Module:
        made: Any = found[name]()
        made.head = nn.Linear(made.out_planes, classes)  # it leaves the head to its user
        network: nn.Module = made
        return network

    return list(found), make


_BUILDERS: dict[str, Callable[[ModuleType], Builder]] = {
    "torchvision": _torchvision,
    "timm": _timm,
    "torch_resnet": _torch_resnet,
}
