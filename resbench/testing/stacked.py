"""K modules of one op -> one run of all of them side by side by torch.func.vmap, held against K runs alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from resbench.ops.parameter import Random
from resbench.testing.case import Case, inputs, make, run
from resbench.testing.checks import same

K = 3


def stacked(case: Case) -> str:
    """`yes`, or why it cannot run so. Raises AssertionError where it runs and yields something else."""
    reasons = {mode: _mode(case, training) for mode, training in (("training", True), ("evaluation", False))}
    told = "; ".join(f"not in {mode}: {reason}" for mode, reason in reasons.items() if reason)
    return told or "yes"


def _mode(case: Case, training: bool) -> str:
    if training and any(isinstance(part, Random) for part in make(case).modules()):
        return "each would draw from a stream of its own"
    modules = [make(case, seed=seed).train(training) for seed in range(K)]
    given = [inputs(case, seed) for seed in range(K)]
    parameters, buffers = stack_module_state(modules)
    base = modules[0]

    def one(state: tuple[dict[str, Tensor], dict[str, Tensor]], *tensors: Tensor) -> Tensor:
        return functional_call(base, state, tensors)  # type: ignore[no-any-return]

    together = [torch.stack(tensors) for tensors in zip(*given, strict=True)]
    try:
        with torch.no_grad():
            results = vmap(one)((parameters, buffers), *together)
    except (RuntimeError, NotImplementedError) as error:
        return str(error).split("\n")[0].split(". ")[0]
    alone = torch.stack([run(module, tensors) for module, tensors in zip(modules, given, strict=True)])
    mode = "training" if training else "evaluation"
    same(results, alone, f"{K} side by side yield something else than {K} alone, in {mode}", 1e-12)
    return ""
