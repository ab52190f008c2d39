"""`torchvision:resnet50`, `timm:resnetv2_50`, `torch_resnet:PreActResNet164` -> that network, weights drawn from a seed."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch import nn

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.escape import printable

PACKAGES = {
    "torchvision": "torchvision",
    "timm": "timm",
    "torch_resnet": "torch-resnet",
}

_OWN = (
    "weights",
    "pretrained",
    "checkpoint",
    "num_classes",
    "progress",
)  # prefixes of arguments that the user may not set


def reference(name: str, classes: int, arguments: Mapping[str, Any]) -> nn.Module:
    """Build a network with so many classes, weights drawn from seed 0. `arguments` are passed to the function that builds it.

    Raises BadInput: unknown scheme, package not installed, unknown network, arguments that the function refuses.
    """
    for word in arguments:
        if word.startswith(_OWN):
            raise BadInput(
                f"--reference-args: expected arguments that change the network itself, such as aux_logits=false, "
                f"got `{printable(word)}`; leave it out: resbench sets weights and classes"
            )
    scheme, _, model = name.partition(":")
    if scheme not in PACKAGES or not model:
        allowed = ", ".join(f"{one}:NAME" for one in PACKAGES)
        raise BadInput(f"--against: expected {allowed}, got `{printable(name)}`{did_you_mean(scheme, list(PACKAGES))}")
    try:
        package = import_module("torchvision.models" if scheme == "torchvision" else scheme)
    except ImportError as error:
        raise BadInput(f"`{name}` needs a package: pip install {PACKAGES[scheme]} ({error})") from None
    known, make = _BUILDERS[scheme](package)
    if model not in known:
        near = did_you_mean(model, known)
        raise BadInput(
            f"--against: expected one of the {len(known)} networks of {scheme}, got `{printable(model)}`{near}"
        )
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some networks announce changes of their initialisation
            torch.manual_seed(0)
            return make(model, classes, arguments)
    except Exception as error:  # third-party code may raise anything
        given = ", ".join(f"{key}={value}" for key, value in arguments.items())
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(
            f"`{printable(name)}` cannot be built with {printable(given or 'its defaults')}: {printable(reason, 300)}"
        ) from None


Builder = tuple[list[str], Callable[[str, int, Mapping[str, Any]], nn.Module]]


def _torchvision(package: ModuleType) -> Builder:
    return list(package.list_models(package)), lambda name, n, more: package.get_model(
        name, weights=None, num_classes=n, **more
    )


def _timm(package: ModuleType) -> Builder:
    return list(package.list_models()), lambda name, n, more: package.create_model(name, num_classes=n, **more)


def _torch_resnet(package: ModuleType) -> Builder:
    found = {name: c for name, c in inspect.getmembers(package, inspect.isclass) if name[-1].isdigit()}

    def make(name: str, classes: int, more: Mapping[str, Any]) -> nn.Module:
        made: Any = found[name](**more)
        made.head = nn.Linear(made.out_planes, classes)  # the package leaves the head to its user
        network: nn.Module = made
        return network

    return list(found), make


_BUILDERS: dict[str, Callable[[ModuleType], Builder]] = {
    "torchvision": _torchvision,
    "timm": _timm,
    "torch_resnet": _torch_resnet,
}
