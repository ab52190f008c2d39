"""K copies of an op as one module (compiler/modules/stack.py) against K single ones: results, gradients, state after a step."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from resbench.compiler.modules.stack import Mapped, Replicas, of_one, side_by_side
from resbench.testing.case import Case, bare, inputs, make, run
from resbench.testing.checks import same

K = 3


def stacked(case: Case) -> str:
    """Return how the copies run: `side by side`, `by vmap`, or `one after the other` and why. Raises AssertionError if
    the results differ.
    """

    def one(channels: int) -> nn.Module:
        return bare(replace(case, shapes=((channels, *case.shapes[0][1:]), *case.shapes[1:])))

    together = side_by_side(case.kind, case.arguments, case.shapes, K, one).double()
    for training in (True, False):
        _compare(case, together, training)
    if isinstance(together, Replicas):
        return f"one after the other: {together.reason}"
    return "by vmap" if isinstance(together, Mapped) else "side by side"


def _compare(case: Case, together: nn.Module, training: bool) -> None:
    mode = f"of {K} as one in {'training' if training else 'evaluation'}"
    modules = [make(case, seed=seed).train(training) for seed in range(K)]
    with torch.no_grad():
        for number, module in enumerate(modules):
            for name, tensor in module.state_dict().items():
                of_one(together, name, number, K).copy_(tensor)
    alone, beside = ([_leaves(case, seed) for seed in range(K)] for _ in range(2))
    results = [run(module, tensors) for module, tensors in zip(modules, alone, strict=True)]
    result = run(together.train(training), [torch.cat(tensors, 1) for tensors in zip(*beside, strict=True)])
    same(torch.unflatten(result, 1, (K, -1)), torch.stack(results, 1), f"results {mode}", 1e-12)
    if not result.requires_grad:
        return
    _step(together, result)
    for number, module in enumerate(modules):
        _step(module, results[number])
        for position, (a, b) in enumerate(zip(beside[number], alone[number], strict=True)):
            if a.grad is not None and b.grad is not None:
                same(a.grad, b.grad, f"gradients by input {position} {mode}", 1e-12)
        for name, tensor in _numbers(module).items():
            same(of_one(together, name, number, K), tensor, f"{name} after a step {mode}", 1e-12)


def _numbers(module: nn.Module) -> dict[str, Tensor]:
    """Return the float tensors of the state; integer counters are excluded, since copies share them."""
    return {name: tensor for name, tensor in module.state_dict().items() if tensor.is_floating_point()}


def _leaves(case: Case, seed: int) -> list[Tensor]:
    return [x.requires_grad_() for x in inputs(case, seed)]


def _step(module: nn.Module, result: Tensor) -> None:
    """Do a step of gradient descent, after which each parameter shows its gradient."""
    result.square().sum().backward()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.grad is not None:
                parameter.sub_(parameter.grad)
                parameter.grad = None
