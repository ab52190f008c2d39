"""`@op("name")` on an nn.Module -> OpKind in the registry.

The keyword-only arguments of `__init__` are the op's YAML arguments; a leading `channels` is the number of input
channels. The canonical form, the pictures, the theory and the op list use what an op declares; none of them knows an
op by its name, and an undeclared property is not assumed.
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

from resbench.language.graph.op_facts import FACTORS, Effect, Join, Role, effect_of, wrong_words
from resbench.ops.schema import table
from resbench.plugins.active import absent
from resbench.plugins.load import blocked, load

Identity = Callable[[Mapping[str, Any], int], bool]
SpellOut = Callable[[Mapping[str, Any]], dict[str, Any]]
Price = Callable[[Mapping[str, Any], Sequence[tuple[int, ...]]], int]
Stacked = Callable[[Mapping[str, Any], int, int], nn.Module | None]
Factor = Callable[[Mapping[str, Any]], float]
Channels = Callable[[Mapping[str, Any], int], Sequence[int | None]]
AtStart = Callable[[Mapping[str, Any], float | None], float | None]
Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Code:
    """The op in plain torch (`torch`, `nn`, `F` are imported), as a layer, a formula, or both.

    `module`: a constructor, `nn.BatchNorm2d(16, eps=1e-05)`; arguments by name that say torch's default are left out later.
    `call`: an expression for an op without parameters, over its inputs `{0}`, `{1}`, ... or `{all}` with commas between:
    `F.relu({0})`, `torch.cat(({all}), 1)`. One over `{0}` and `{1}` serves any number, from left to right: `{0} + {1}`.
    `of_vector`: the constructor where BC comes in, if it is another. `flat`: the module takes BC, the op
    BC11 too.
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
    What else it may say is described at `op` below.
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
    aliases: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    kernel_in_name: bool = False
    role: Role | None = None
    effect: Effect = "nonlinear"
    joins: Join | None = None
    factor: Factor | None = None
    channels: Channels | None = None
    at_start: AtStart | None = None
    shifts: bool = False
    gates: bool = False
    formula: str | None = None
    global_pool: bool = False
    yields_zero: bool = False
    fresh: bool = False

    @property
    def origin(self) -> str:
        return f"{self.module.__module__}.{self.module.__qualname__}"


_KINDS: dict[str, OpKind] = {}


def op(
    name: str, *, pure: bool = False, commutative: bool = False, idempotent: bool = False, keeps_zero: bool = False,
    by_channel: bool = False, stacked: Stacked | None = None, identity_when: Identity | None = None,
    spell_out: SpellOut | None = None, code: Write | None = None, macs: Price | None = None, version: int = 1,
    aliases: Sequence[str] = (), near: Sequence[str] = (), kernel_in_name: bool = False, role: Role | None = None,
    effect: Effect | None = None, joins: Join | None = None, factor: Factor | None = None, channels: Channels | None = None,
    at_start: AtStart | None = None, shifts: bool = False, gates: bool = False, formula: str | None = None,
    global_pool: bool = False, yields_zero: bool = False, fresh: bool = False,
) -> Callable[[type[Module]], type[Module]]:  # fmt: skip
    """Register a module class as the op `name`.

    Args:
        identity_when: `(arguments, channels in)`: whether the op changes nothing.
        spell_out: `(arguments)`: the arguments with defaults that depend on others written out (a window's padding) and what has
            no effect cleared (the start of no bias), so that both ways of saying it are one architecture.
        code: `(arguments, channels in)`: the op in plain torch, for exported files; without it the class is copied there.
        macs: The price that torch's counter cannot know.
        stacked: `(arguments, channels of one, K)`: a module that does the work of K such ops side by side in the channels
            (compiler/modules/stack.py), its parameters theirs one after the other along the first axis; None: not with
            these.
        aliases: Other names that mean this op. A literal, as are `near`, `kernel_in_name`, `role`, `effect` and `joins`.
        near: Names of other things, for which this op is the nearest; only hints name it.
        kernel_in_name: `name3x5` is this op with `kernel: [3, 5]`, `dwname3x5` also with as many groups as channels.
        role: What it is for, its colour in pictures (language/graph/op_facts.py); without it, by its parameters.
        effect: What it does to x on the identity path; without it, the most harm is assumed.
        joins: What it makes of several values; then it has the effect and the sign of that.
        factor: `(arguments)`: what x is multiplied by, as it starts or on average; with the effects that are a factor.
        channels: `(arguments, channels in)`: of each channel out, which channel in it holds unchanged, None for another; where it
            is not said and the numbers of channels agree, each its own.
        at_start: `(arguments, value)`: what a gate's op yields on average at the start, from what goes in, None where not known.
        shifts: It keeps x and adds something to it that does not depend on x.
        gates: Its result may be a gate, which equations call g.
        formula: How equations write it, `1 - {0}`; of a gate it makes another.
        global_pool: It pools whole maps: layers behind it do not count in a network's depth.
        yields_zero: It yields zeros whatever goes in.
        fresh: Its result is a tensor of its own, which its gradient does not need: a rectifier behind it may overwrite it.
    Raises:
        ValueError: The name is taken, with both origins, or what it says is none of the words or contradicts itself.
        TypeError: The class is not an nn.Module.
    """

    def register(module: type[Module]) -> type[Module]:
        if not module.__module__.startswith(f"{__package__}."):
            _fill_own()  # resbench's own come first, so that the plugin is refused
        if not issubclass(module, nn.Module):
            raise TypeError(f"op `{name}`: {module.__qualname__} must be a subclass of nn.Module")
        wrong = next(wrong_words(role, effect, joins), None)
        if wrong is not None:
            raise ValueError(f"op `{name}`: {wrong}")
        if (effect in FACTORS) != (factor is not None):
            raise ValueError(
                f"op `{name}`: `factor` goes with the effects {', '.join(sorted(FACTORS))}, and these with it"
            )
        kind = OpKind(
            name, module, pure, commutative, idempotent, keeps_zero, by_channel, stacked, identity_when, spell_out, code,
            macs, version, tuple(aliases), tuple(near), kernel_in_name, role, effect or effect_of(joins), joins, factor, channels,
            at_start, shifts, gates, formula, global_pool, yields_zero, fresh,
        )  # fmt: skip
        if name in _KINDS:
            raise ValueError(f"op `{name}` is registered twice: {_KINDS[name].origin} and {kind.origin}")
        _KINDS[name] = kind
        return module

    return register


@cache
def _fill_own() -> None:
    """Import every op of this folder; only on first use, since `ops.schema` is here too and needs no torch."""
    for module in walk_packages([str(Path(__file__).parent)], f"{__package__}."):
        import_module(module.name)


def fill() -> None:
    """Import resbench's ops, then those of the active plugins; a module that cannot be imported is skipped."""
    _fill_own()
    table()  # reads the plugins' sources, so that faulty ones are not imported
    load("ops")


def kind(name: str) -> OpKind:
    """Return the kind of an op. Raise PluginError for an op of a plugin that cannot be used, or is not active."""
    fill()
    if name not in _KINDS or name not in table():  # one of a plugin that this process used before
        raise blocked("ops", name) or absent(name)
    return _KINDS[name]


def kinds() -> Mapping[str, OpKind]:
    fill()
    return dict(_KINDS)


def sizes(x: torch.Tensor) -> str:
    """Return the shape of one image of a batch, as messages show it: BCHW -> `16x32x32`."""
    return "x".join(str(size) for size in x.shape[1:])
