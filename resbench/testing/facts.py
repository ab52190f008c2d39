"""What an op says of itself to pictures and theory, each fact tried on numbers; AssertionError where it is not true.

`analyze` and the normal form take the op's word: an effect that is not there would make an equation of what is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import torch
from torch import Tensor, nn

from resbench.compiler.graph import Graph
from resbench.compiler.modules.initialize import initialize_weights
from resbench.language.graph.op_facts import DIRECT, Join
from resbench.ops.parameter import Parametric
from resbench.testing.case import Case, bare, inputs, make, run
from resbench.testing.checks import require, same

CLOSE = 1e-12
_JOINS: Mapping[Join, tuple[str, Callable[[Sequence[Tensor]], Tensor]]] = {
    "sum": ("the sum of its inputs", lambda xs: reduce(torch.add, xs)),
    "difference": ("its first input less the second", lambda xs: xs[0] - xs[1]),
    "channels": ("the channels of its inputs in their order", lambda xs: torch.cat(list(xs), 1)),
    "product": ("the product of its inputs", lambda xs: reduce(torch.mul, xs)),
}


def joins(case: Case) -> None:
    """It is just that, in training and in evaluation: the normal form flattens sums and leaves zeros out of them."""
    assert case.kind.joins is not None
    words, of = _JOINS[case.kind.joins]
    for training in (True, False):
        claim = f'joins="{case.kind.joins}" says that it yields {words}'
        same(run(make(case).train(training), inputs(case)), of(inputs(case)), claim, CLOSE)


def effect(case: Case) -> None:
    """Check effects that leave x in its place, and that of a rectifier; an op around other ops does at least what those do."""
    if any(graph.ops for graph in case.arguments.values() if isinstance(graph, Graph)):
        return
    for training in (True, False):
        module, given = make(case).train(training), inputs(case)
        if case.kind.effect == "rectified":
            same(run(module, given), given[0].clamp(min=0), 'effect="rectified" says that it yields max(x, 0)')
        else:
            _in_place(case, module, given)
    _factor(case)


def _in_place(case: Case, module: nn.Module, given: list[Tensor]) -> None:
    """Linear in x, and each value a multiple of the value in its own place, where it has one."""
    claim = f'effect="{case.kind.effect}" says that x stays in its place'
    nothing = run(module, [torch.zeros_like(x) for x in given])
    if not case.kind.shifts:
        largest = float(nothing.detach().abs().max())
        require(
            largest == 0, f"{claim}, and of zeros it makes {largest:.3g}; `shifts=True` says that it adds something"
        )
    masks = [(torch.arange(x.numel()).reshape(x.shape) * 7 % 3 > 0).to(x) for x in given]
    whole, part = (
        run(module, given) - nothing,
        run(module, [x * m for x, m in zip(given, masks, strict=True)]) - nothing,
    )
    rest = run(module, [x * (1 - m) for x, m in zip(given, masks, strict=True)]) - nothing
    same(part + rest, whole, f"{claim}, times a factor; the parts of x do not add up", CLOSE)
    turned = run(module, [x * -0.5 for x in given]) - nothing
    same(turned, whole * -0.5, f"{claim}, times a factor; of -x / 2 it makes another", CLOSE)
    if case.kind.channels is None:
        require(
            whole.shape == given[0].shape, f"{claim}, and its shape changes; `channels` says where each channel goes"
        )
        same(part, whole * masks[0], f"{claim}; values meet others", CLOSE)
        if case.kind.effect == "kept":
            same(whole, given[0], 'effect="kept" says that x passes as it is', CLOSE)


def _factor(case: Case) -> None:
    """Check that in evaluation each input alone is multiplied by it; of a learned one as it starts, unless that is drawn."""
    if case.kind.factor is None:
        return
    by = case.kind.factor(dict(case.arguments))
    module = bare(case).double()
    drawn = [s.initial for m in module.modules() if isinstance(m, Parametric) for s in m.starts.values()]
    if not all(isinstance(initial, int | float | str) for initial in drawn):
        return
    with torch.no_grad():
        initialize_weights(module, {"": 0}, 0, "he_normal")
    for number, x in enumerate(inputs(case)):
        alone = [x if i == number else torch.zeros_like(x) for i in range(len(case.shapes))]
        same(run(module.eval(), alone), x * by, f"`factor` says {by:g} times x in evaluation", 1e-6)


def channels(case: Case) -> None:
    """A channel out that is said to be one of the channels in is that."""
    assert case.kind.channels is not None
    (given,) = inputs(case)
    carried = list(case.kind.channels(dict(case.arguments), given.shape[1]))
    result = run(make(case).eval(), [given])
    claim = f"`channels` says {len(carried)} channels, it yields {result.shape[1]}"
    require(len(carried) == result.shape[1], claim)
    for out, source in enumerate(carried):
        if source is not None:
            same(result[:, out], given[:, source], f"`channels` says that channel {out} is channel {source} of x")


def at_start(case: Case) -> None:
    """A number or nothing; of a pure op, what a constant input gives."""
    assert case.kind.at_start is not None
    arguments = dict(case.arguments)
    for value in (None, 0.25):
        found = case.kind.at_start(arguments, value)
        require(
            found is None or isinstance(found, int | float), f"`at_start` must yield a number or None, got {found!r}"
        )
    if case.kind.pure and found is not None:
        result = run(make(case).eval(), [torch.full_like(x, 0.25) for x in inputs(case)])
        same(result, torch.full_like(result, found), f"`at_start` says {found:g} for 0.25", 1e-12)


def formula(case: Case) -> None:
    text = case.kind.formula or ""
    require(text.count("{0}") == 1, f"`formula` must have one {{0}}, for what goes in, got `{text}`")
    require(len(case.shapes) == 1, "`formula` goes with an op of one input")


def global_pool(case: Case) -> None:
    shape = tuple(run(make(case).eval(), inputs(case)).shape[1:])
    pooled = (case.shapes[0][0], 1, 1)
    require(shape == pooled, f"`global_pool` says that a channel becomes one value, of {pooled}, got {shape}")


def yields_zero(case: Case) -> None:
    for training in (True, False):
        largest = float(run(make(case).train(training), inputs(case)).detach().abs().max())
        require(largest == 0, f"`yields_zero` says that it yields zeros, got {largest:.3g}")


def fresh(case: Case) -> None:
    """Check that nobody sees what a rectifier writes over the result in training: not others, not its own gradient.

    Of several values joined: where it is one alone, compiler/modules/inplace.py leaves it as it is.
    """
    if case.kind.joins is not None and len(case.shapes) == 1:
        return
    gradients = []
    for overwrite in (False, True):
        given = [x.requires_grad_() for x in inputs(case)]
        module = make(case).train()
        result = run(module, given)
        theirs = {x.untyped_storage().data_ptr() for x in given}
        require(
            result.untyped_storage().data_ptr() not in theirs, "`fresh` says a tensor of its own, and it yields a view"
        )
        weight = torch.linspace(-1, 1, result.numel(), dtype=result.dtype).reshape(result.shape)
        if overwrite:
            result.detach().clamp_(min=0)
        gradients.append(torch.autograd.grad(result, [*given, *module.parameters()], weight, allow_unused=True))
    for plain, other in zip(*gradients, strict=True):
        if plain is not None and other is not None:
            same(other, plain, "`fresh` says that its gradient does not need its result, and overwritten it is another")


FACTS: dict[str, Callable[[Case], None]] = {
    fact.__name__: fact for fact in (joins, effect, channels, at_start, formula, global_pool, yields_zero, fresh)
}


def stated(case: Case) -> list[str]:
    """Return the facts that the op states and that can be tried."""
    tried = case.kind.joins is None and case.kind.effect in DIRECT | {"rectified"}
    return [name for name in FACTS if (tried if name == "effect" else getattr(case.kind, name))]
