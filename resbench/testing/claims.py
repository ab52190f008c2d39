"""The claims that an op may make, each tested on numbers; AssertionError if one is false.

The digest of a network depends on them: a false claim gives two different networks one digest.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import torch

from resbench.testing.case import Case, inputs, make, run
from resbench.testing.checks import require, same


def pure(case: Case) -> None:
    """Check that the op has no parameters, buffers or randomness, and is the same in training and evaluation."""
    module, given = make(case), inputs(case)
    require(not list(module.parameters()), "it has parameters, so it is not pure")
    require(not list(module.buffers()), "it has buffers, so it is not pure")
    first = module.train()(*given)
    same(first, module(*given), "two runs differ, so it is not pure")
    same(first, module.eval()(*given), "training and evaluation differ, so it is not pure")


def commutative(case: Case) -> None:
    module, given = make(case), inputs(case)
    first = run(module, given)
    for permuted in permutations(given):
        same(run(module, list(permuted)), first, "the order of its inputs matters, so it is not commutative", 1e-14)


def idempotent(case: Case) -> None:
    module = make(case)
    once = run(module, inputs(case))
    same(run(module, [once]), once, "a second time changes something, so it is not idempotent")


def keeps_zero(case: Case) -> None:
    for training in (True, False):
        result = run(make(case).train(training), [torch.zeros_like(x) for x in inputs(case)]).detach()
        require(not result.count_nonzero(), f"from zeros it makes {float(result.abs().max()):.3g}")


def identity_when(case: Case) -> None:
    assert case.kind.identity_when is not None
    (given,) = inputs(case)
    if case.kind.identity_when(dict(case.arguments), case.shapes[0][0]):
        for training in (True, False):
            result = run(make(case).train(training), [given])
            same(result, given, "it claims to be the identity with these arguments, and is not")


def spell_out(case: Case) -> None:
    assert case.kind.spell_out is not None
    spelled = case.kind.spell_out(dict(case.arguments))
    module, other, given = make(case), make(case, spelled), inputs(case)
    other.load_state_dict(module.state_dict())
    same(run(module, given), run(other, given), f"spelled out as {spelled} it is another op")
    again = case.kind.spell_out(spelled)
    require(again == spelled, f"spelled out twice it is {again}, once {spelled}")


CLAIMS: dict[str, Callable[[Case], None]] = {
    claim.__name__: claim for claim in (pure, commutative, idempotent, keeps_zero, identity_when, spell_out)
}


def claimed(case: Case) -> list[str]:
    """Return the claims that the op makes."""
    return [name for name in CLAIMS if getattr(case.kind, name)]
