"""A network and images -> its uses of parameters and buffers, in running order, each with the uses whose results it reads.

The dispatcher reports every operation; one that combines data and parameters is a use. A tensor computed from a parameter only
(a transpose, a standardisation) counts as that parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from resbench.verify.fingerprint import Fingerprint, fingerprint
from resbench.verify.forward import first_tensor

Sizes = tuple[int, ...]
INPUT = -1  # the source that stands for the images


@dataclass(frozen=True, slots=True)
class TensorUse:
    """One operation on data and parameters.

    `names`: parameters and buffers, matrices and kernels first; `sizes`: theirs; `sources`: uses, by number; `reads`: the input
    data; `gives`: the output, of `numel` values; None before it has run.
    """

    names: tuple[str, ...]
    sizes: tuple[Sizes, ...]
    sources: frozenset[int]
    reads: tuple[Fingerprint, ...]
    gives: Fingerprint | None = None
    numel: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """The uses of a network in running order, and its output."""

    uses: tuple[TensorUse, ...]
    output: Tensor


# A use that has not run, a function that runs it with the current parameters, whether it may run repeatedly -> the use.
Visit = Callable[[TensorUse, Callable[[], TensorUse], bool], TensorUse]


def trace(network: nn.Module, images: Tensor, visit: Visit | None = None) -> Trace:
    """Run the network in evaluation mode and restore its mode. `visit` may change a use's parameters before it runs."""
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    training = network.training
    recorder = _Recorder(tensors, images, visit)
    network.eval()
    try:
        with torch.no_grad(), recorder:
            output = first_tensor(network(images))
    finally:
        network.train(training)
    return Trace(tuple(recorder.found), output)


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, tensors: Mapping[str, Tensor], images: Tensor, visit: Visit | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tensors = tensors
        self.visit = visit
        self.found: list[TensorUse] = []
        self.held: list[Any] = [images]  # keeps tensors alive, so that no id is reused
        self.parameters: dict[int, tuple[str, ...]] = {id(tensor): (name,) for name, tensor in tensors.items()}
        self.data = {id(images): frozenset({INPUT})}
        self.derived: list[tuple[tuple[str, ...], Callable[[], Any], list[Tensor]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        def run() -> Any:
            return func(*args, **(kwargs or {}))

        given = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        names = tuple(dict.fromkeys(n for t in given for n in self.parameters.get(id(t), ())))
        data = [t for t in given if id(t) in self.data]
        sources = frozenset[int]().union(*(self.data[id(t)] for t in data))
        if names and sources:
            result = self.use(run, names, data, repeatable=not func._schema.is_mutable)
            sources = frozenset({len(self.found) - 1})
        else:
            result = run()
        made = [t for t in tree_leaves(result) if isinstance(t, Tensor)]
        self.held.append((given, made))
        if sources:
            self.data.update({id(t): sources for t in made})
        elif names:
            self.parameters.update({id(t): names for t in made})
            self.derived.append((names, run, made))
        return result

    def use(self, run: Callable[[], Any], names: tuple[str, ...], data: list[Tensor], *, repeatable: bool) -> Any:
        """Run one use, through the visitor if there is one."""
        ordered = tuple(sorted(names, key=lambda name: -len(bare(self.tensors[name].shape))))
        sizes = tuple(tuple(self.tensors[name].shape) for name in ordered)
        sources = frozenset[int]().union(*(self.data[id(t)] for t in data))
        pending = TensorUse(
            ordered, sizes, sources, tuple(sorted((fingerprint(t) for t in data), key=lambda f: f.largest))
        )
        results: list[Any] = []

        def once() -> TensorUse:
            self.derive(ordered)
            results[:] = [run()]
            out = first_tensor(results[0])
            return replace(pending, gives=fingerprint(out), numel=out.numel())

        self.found.append(once() if self.visit is None else self.visit(pending, once, repeatable))
        return results[0]

    def derive(self, names: tuple[str, ...]) -> None:
        """Recompute tensors that depend only on these parameters, since their values may have changed."""
        if self.visit is None:
            return
        for read, again, made in self.derived:
            if set(read) & set(names):
                for old, new in zip(made, (t for t in tree_leaves(again()) if isinstance(t, Tensor)), strict=True):
                    if new is not old:
                        old.copy_(new)


def shown(sizes: Sequence[Sizes]) -> str:
    """Return sizes as messages show them, without ones: 256x64, 64."""
    return ", ".join("x".join(map(str, bare(size))) or "1" for size in sizes)


def bare(size: Sizes) -> Sizes:
    """Return the sizes that are not 1: a linear layer and a 1x1 convolution hold the same matrix."""
    return tuple(one for one in size if one != 1)
