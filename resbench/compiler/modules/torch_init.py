"""An op's module made of torch's own (`nn.Conv1d`, `nn.Linear`) -> its tensors as torch starts them, from a seed.

The module is constructed again on the CPU, with torch's generator seeded for it and restored afterwards, so that its
constructor runs in full; its author's `starts` take precedence. A network alone and one of a stack get the same
tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from resbench.errors import PluginError
from resbench.ops.parameter import names_with_start
from resbench.plugins.load import owner_of

_MAKER = "_resbench_maker"


def remember(module: nn.Module, make: Callable[[], nn.Module]) -> nn.Module:
    """Store the constructor of a module in it, and return the module."""
    object.__setattr__(module, _MAKER, make)
    return module


def remembers(module: nn.Module) -> bool:
    return _MAKER in module.__dict__


def silent(module: nn.Module) -> list[str]:
    """Return the tensors of a module and of those inside it that no `starts` covers, by name.

    An inner op that remembers its constructor is handled separately.
    """
    found = []
    for path, part in _parts(module, ""):
        names = [*part._parameters.items(), *part._buffers.items()]  # a tensor with two names is reported too
        found += [
            f"{path}.{name}".lstrip(".")
            for name, tensor in names
            if tensor is not None and name not in names_with_start(part)
        ]
    return found


def fill_silent(path: str, module: nn.Module, state: Mapping[str, Tensor], seed: int) -> None:
    """Fill the tensors of the op at `path` that no `starts` covers, in `state` of the whole network. Raise PluginError
    for values that cannot be determined.
    """
    names = silent(module)
    make = module.__dict__.get(_MAKER)
    if not names:
        return
    if make is None:
        raise _unknown(path, module, names[0])
    fresh = _made(make, seed)
    values = fresh.state_dict()
    every = [name for name, _ in fresh.named_parameters(remove_duplicate=False)]
    shared = sorted({*every} - {name for name, _ in fresh.named_parameters()})
    if shared:
        raise PluginError(f"{path}: {_whose(module)}: `{shared[0]}` is a parameter under two names; give it one")
    for name in names:
        if name not in values:
            raise PluginError(
                f"{path}: {_whose(module)}: buffer `{name}` is not persistent, so no checkpoint has it; let it be"
            )
        value = values[name]
        if value.is_floating_point() and bool(value.isnan().any()):
            raise _unknown(path, module, name)
        state[f"{path}.{name}" if path else name].copy_(value)


def _parts(module: nn.Module, path: str) -> Iterator[tuple[str, nn.Module]]:
    yield path, module
    for name, part in module._modules.items():
        if part is not None and not remembers(part):
            yield from _parts(part, f"{path}.{name}".lstrip("."))


def _made(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]), torch.device("cpu"), _nan_for_empty():
        torch.default_generator.manual_seed(seed)
        return make()


@contextmanager
def _nan_for_empty() -> Iterator[None]:
    """Fill uninitialized memory with NaN, so that it is detected."""
    was, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=warns)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(was, warn_only=warns)


def _whose(module: nn.Module) -> str:
    owner = owner_of(type(module))
    return type(module).__name__ + (f", {owner.label}" if owner is not None else "")


def _unknown(path: str, module: nn.Module, name: str) -> PluginError:
    return PluginError(
        f"{path}: {_whose(module)} does not say how `{name}` starts; make it of torch's layers, fill it in `__init__`, or be a "
        "Parametric with an entry for it in `starts` or `buffer_starts`"
    )
