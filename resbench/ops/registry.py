"""`@op("name")` on an nn.Module -> OpKind in the registry.

The keyword-only arguments of `__init__` are the op's YAML arguments; a leading `channels` is what reaches the op. What an
op says of itself (`pure`, `commutative`, `idempotent`, `identity_when`) is used by the canonical form; silence claims nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, TypeVar

import torch
from torch import nn

from resbench.ops.schema import table
from resbench.plugins.active import absent
from resbench.plugins.load import blocked, load

Identity = Callable[[Mapping[str, Any], int], bool]
SpellOut = Callable[[Mapping[str, Any]], dict[str, Any]]
Price = Callable[[Mapping[str, Any], Sequence[tuple[int, ...]]], int]
Stacked = Callable[[Mapping[str, Any], int, int], nn.Module | None]
Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Code:
    """How a person would write the op in plain torch (`torch`, `nn`, `F` are imported), as a layer, in a formula, or both.

    `module`: a constructor, `nn.BatchNorm2d(16, eps=1e-05)`; arguments by name that say torch's default are left out later.
    `call`: an expression for an op without parameters, over its inputs `{0}`, `{1}`, ... or `{all}` with commas between:
    `F.relu({0})`, `torch.cat(({all}), 1)`. One over `{0}` and `{1}` serves any number, from left to right: `{0} + {1}`.
    `of_vector`: the constructor where BC comes in, if it is another. `flat`: the module takes BC, the op BC11 too.
    """

    module: str | None = None
    call: str | None = None
    of_vector: str | None = None
    flat: bool = False


Write = Callable[[Mapping[str, Any], int], Code]


@dataclass(frozen=True, slots=True)
class OpKind:
    """`pure`: no parameters and no randomness, each image by itself. `idempotent`: op(op(x)) = op(x). `keeps_zero`: op(0) = 0.
    `by_channel`: each channel of the result rests on that channel of the inputs alone, and parameters are one a channel.

    `version` is part of the identity. `macs(arguments, input shapes without the batch)`: the op's own price for one image.
    """

    name: str
    module: type[nn.Module]
    pure: bool = False
    commutative: bool = False
    idempotent: bool = False
    keeps_zero: bool = False
    by_channel: bool = False
    stacked: Stacked | None = None
    identity_when: Identity | None = None
    spell_out: SpellOut | None = None
    code: Write | None = None
    macs: Price | None = None
    version: int = 1

    @property
    def origin(self) -> str:
        return f"{self.module.__module__}.{self.module.__qualname__}"


_KINDS: dict[str, OpKind] = {}


def op(
    name: str, *, pure: bool = False, commutative: bool = False, idempotent: bool = False, keeps_zero: bool = False,
    by_channel: bool = False, stacked: Stacked | None = None, identity_when: Identity | None = None,
    spell_out: SpellOut | None = None, code: Write | None = None, macs: Price | None = None, version: int = 1,
) -> Callable[[type[Module]], type[Module]]:  # fmt: skip
    """Register a module class as the op `name`. Raises ValueError when the name is taken, with both origins.

    `identity_when(arguments, channels in)` says when the op changes nothing; `spell_out(arguments)` writes
    defaults that depend on other arguments (a window's padding) and clears what has no effect (the start of no bias), so
    that both ways of saying it are one architecture. `code(arguments, channels in)` is the op in plain torch, for exported
    files; without it the class itself is copied there. `macs` prices what torch's counter cannot. `stacked(arguments, channels
    of one, K)` is a module that does the work of K such ops side by side in the channels (compiler/modules/stack.py), its
    parameters theirs one after the other along the first axis; None: not with these arguments.
    """

    def register(module: type[Module]) -> type[Module]:
        if not module.__module__.startswith(f"{__package__}."):
            _fill_own()  # first come resbench's own, so that it is the plugin that is refused
        if not issubclass(module, nn.Module):
            raise TypeError(f"op `{name}`: {module.__qualname__} is no nn.Module")
        kind = OpKind(
            name, module, pure, commutative, idempotent, keeps_zero, by_channel, stacked, identity_when, spell_out, code,
            macs, version,
        )  # fmt: skip
        if name in _KINDS:
            raise ValueError(f"op `{name}` is registered twice: {_KINDS[name].origin} and {kind.origin}")
        _KINDS[name] = kind
        return module

    return register


@cache
def _fill_own() -> None:
    """Import every op of this folder; not before an op is asked for, since `ops.schema` lies here too and needs no torch."""
    for module in walk_packages([str(Path(__file__).parent)], f"{__package__}."):
        import_module(module.name)


def fill() -> None:
    """Import resbench's ops, then those of the active plugins; a module that cannot be imported is left out."""
    _fill_own()
    table()  # reads the plugins' sources, so that what is wrong there is not imported
    load("ops")


def kind(name: str) -> OpKind:
    """Raises PluginError for an op of a plugin that cannot be used, or is not."""
    fill()
    if name not in _KINDS or name not in table():  # one of a plugin that this process used before
        raise blocked("ops", name) or absent(name)
    return _KINDS[name]


def kinds() -> Mapping[str, OpKind]:
    fill()
    return dict(_KINDS)


def sizes(x: torch.Tensor) -> str:
    """The shape of one image of a batch, as messages show it: BCHW -> `16x32x32`."""
    return "x".join(str(size) for size in x.shape[1:])
