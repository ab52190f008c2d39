"""BoundNetwork and what was built of it -> the network of the exported file, made of torch's own layers, in evaluation
mode.

Other tools select layers by their class: a quantiser looks for `nn.Conv2d` and passes over a layer of ours that
computes the same.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec

import torch
from torch import nn

from resbench.compiler.export.python.module import FileHeader, network_file, unit_file
from resbench.compiler.graph import BoundNetwork, Shape
from resbench.errors import PluginError

NAME = "network"  # the module's name, which prefixes the names of its classes


def plain_network(bound: BoundNetwork, units: Sequence[str], network: nn.Module) -> nn.Module:
    """Make the network of the exported file, with the tensors of the built `network`, which are not copied.

    `units`: the name of each stage's unit. Raises PluginError for an op whose source cannot be copied, or is not the whole of it.
    """
    text = network_file(bound, _about(units))
    name = [item.name for item in ast.parse(text).body if isinstance(item, ast.ClassDef)][-1]
    return _made(text, name, network, bound.input_shape)


def plain_unit(bound: BoundNetwork, units: Sequence[str], number: int, unit: nn.Module) -> nn.Module:
    """Make the unit of that number in the network, in running order from 0. Raises as `plain_network` does."""
    _, graph = [part for part in bound.parts() if ".units." in part[0]][number]
    return _made(unit_file(bound, _about(units), number), "unit", unit, graph.input_shape)


class _Text(InspectLoader):
    """A loader of source text that is in no file."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_source(self, fullname: str) -> str:
        return self.text


def _about(units: Sequence[str]) -> FileHeader:
    """Return a header without user-written sentences, since the text is imported."""
    return FileHeader("resbench net export", "A network", "", tuple(units), lambda name: "A block")


@torch.no_grad()
def _made(text: str, name: str, original: nn.Module, shape: Shape) -> nn.Module:
    """Make the module and run it on an image: a plugin's source may need definitions that were not copied."""
    loader = _Text(text)
    module = module_from_spec(ModuleSpec(NAME, loader))
    image = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
    wanted = original.eval()(image)
    try:
        loader.exec_module(module)
        with torch.device("meta"):
            made: nn.Module = vars(module)[name]()
        made.load_state_dict(original.state_dict(), assign=True)
        result = made.eval()(image)
    except Exception as error:
        raise PluginError(f"the source of its ops does not run alone: {type(error).__name__}: {error}") from error
    if not torch.allclose(result, wanted, rtol=0, atol=0, equal_nan=True):
        raise PluginError("the source of its ops computes something else alone")
    return made
