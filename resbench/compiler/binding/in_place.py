"""Check that an op does not change its inputs in place, since others may read them: run it on values and compare them
before and after.

Tests check the built-in ops; those of plugins are checked here, once for each op, arguments and shapes.
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
    """Raise PluginError for a plugin's op that changes an input in training or evaluation; on `meta`, only changes that
    torch detects.
    """
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
    """Return the input that a forward pass changes, `its input` or `input 1`, or None.

    torch counts changes of a tensor; a change past its counter (`x.data`) shows in the values.
    """
    before = [(tensor._version, tensor.clone()) for tensor in tensors]
    with torch.random.fork_rng(devices=[]), suppress(Exception):  # an op that cannot run is reported where it is used
        for part in module.modules():
            if isinstance(part, Random) and part.generator is None:
                part.generator = torch.Generator()
        module(*tensors)
    for number, (tensor, (version, values)) in enumerate(zip(tensors, before, strict=True)):
        if tensor._version != version or not (tensor.is_meta or torch.equal(tensor, values)):
            return "its input" if len(tensors) == 1 else f"input {number}"
    return None


def _spread(tensor: Tensor) -> Tensor:
    """Return values of both signs: zeros would hide a multiplication."""
    return torch.linspace(-2.0, 3.0, tensor.numel()).reshape(tensor.shape)
