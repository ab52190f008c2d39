"""A network and images -> its uses of parameters and buffers, in running order, each with the uses whose results it reads.

The dispatcher shows every operation; one that brings data and parameters together is a use. What a parameter goes through by
itself (a transpose, a standardisation) stays that parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Sizes = tuple[int, ...]
INPUT = -1  # stands among the sources of a use for the images themselves


@dataclass(frozen=True, slots=True)
class Use:
    """`names`: parameters and buffers, matrices and kernels first; `sizes`: theirs, without ones; `sources`: uses, by number."""

    names: tuple[str, ...]
    sizes: tuple[Sizes, ...]
    sources: frozenset[int]


def uses(network: nn.Module, images: Tensor) -> list[Use]:
    """In evaluation mode; leaves the network in the mode it found it in."""
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    training = network.training
    watch = _Watch(tensors, images)
    network.eval()
    with torch.no_grad(), watch:
        network(images)
    network.train(training)
    return watch.found


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, tensors: dict[str, Tensor], images: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tensors = tensors
        self.found: list[Use] = []
        self.held: list[Any] = [images]  # so that no tensor's id is given to another
        self.parameters: dict[int, tuple[str, ...]] = {id(tensor): (name,) for name, tensor in tensors.items()}
        self.data = {id(images): frozenset({INPUT})}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        made = [t for t in tree_leaves(result) if isinstance(t, Tensor)]
        self.held.append((given, made))
        names = tuple(dict.fromkeys(n for t in given for n in self.parameters.get(id(t), ())))
        sources = frozenset[int]().union(*(self.data.get(id(t), frozenset()) for t in given))
        if not sources:
            self.parameters.update({id(t): names for t in made if names})
            return result
        if names:
            ordered = sorted(names, key=lambda name: -len(bare(self.tensors[name])))
            sizes = tuple(bare(self.tensors[name]) for name in ordered)
            self.found.append(Use(tuple(ordered), sizes, sources))
            sources = frozenset({len(self.found) - 1})
        self.data.update({id(t): sources for t in made})
        return result


def bare(tensor: Tensor) -> Sizes:
    """The sizes that are not 1: a linear layer and a 1x1 convolution hold the same matrix."""
    return tuple(size for size in tensor.shape if size != 1)
