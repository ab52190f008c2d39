"""An op is tried on values, and what it reads is compared before and after: what it changes there, others would read.

Built-in ops are held to this by their tests; those of plugins are tried here, once for each kind of op, arguments and shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import torch
from torch import Tensor, nn

from resbench.errors import PluginError
from resbench.ops.parameter import Random
from resbench.ops.registry import OpKind
from resbench.plugins.load import owner_of


def refuse_in_place(what: OpKind, module: nn.Module, tensors: Sequence[Tensor]) -> None:
    """Raises PluginError for a plugin's op that changes an input, training or evaluating; on `meta`, where torch sees it."""
    if what.origin.startswith("resbench.ops."):
        return
    on_meta = any(tensor.is_meta for tensor in tensors)
    for training in (False,) if on_meta else (False, True):
        changed = changes(module.train(training), [x if x.is_meta else _spread(x) for x in tensors])
        if changed is not None:
            owner = owner_of(what.module)
            whose = f"{owner.label}: " if owner is not None else ""
            raise PluginError(
                f"{whose}op `{what.name}` changes {changed} in place: expected a new tensor, since others may read what it "
                "reads; write `x * 2` for `x.mul_(2)`, and leave `inplace=True` out"
            )


def changes(module: nn.Module, tensors: Sequence[Tensor]) -> str | None:
    """Which input a forward pass changes, `its input` or `input 1`, None where all are left as they were.

    torch counts what is done to a tensor; what goes by it (`x.data`) is seen in the values.
    """
    before = [(tensor._version, tensor.clone()) for tensor in tensors]
    with torch.random.fork_rng(devices=[]), suppress(Exception):  # what cannot run is told where it is needed
        for part in module.modules():
            if isinstance(part, Random) and part.generator is None:
                part.generator = torch.Generator()
        module(*tensors)
    for number, (tensor, (version, values)) in enumerate(zip(tensors, before, strict=True)):
        if tensor._version != version or not (tensor.is_meta or torch.equal(tensor, values)):
            return "its input" if len(tensors) == 1 else f"input {number}"
    return None


def _spread(tensor: Tensor) -> Tensor:
    """Return values of both signs: zeros would hide what is multiplied."""
    return torch.linspace(-2.0, 3.0, tensor.numel()).reshape(tensor.shape)
