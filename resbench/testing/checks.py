"""The obligations of every op, one function each; a function raises AssertionError with the fault, in numbers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor, nn
from torch.autograd import gradcheck
from torch.autograd.gradcheck import GradcheckError

from resbench.compiler.binding.in_place import changes
from resbench.compiler.graph import sizes
from resbench.compiler.modules.initialize import initialize_weights
from resbench.errors import PluginError
from resbench.measure.macs import counted
from resbench.ops.parameter import Parametric, Random
from resbench.random_streams import Shard
from resbench.testing.case import BATCH, Case, bare, inputs, make, run


def require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def same(a: Tensor, b: Tensor, message: str, tolerance: float = 0.0) -> None:
    """Require equal values, or values within a tolerance relative to the largest."""
    require(a.shape == b.shape, f"{message}: the shapes are {sizes(a.shape[1:])} and {sizes(b.shape[1:])}")
    a, b = a.detach(), b.detach()
    difference = float((a - b).abs().max()) if a.numel() else 0.0
    limit = tolerance * max(1.0, float(b.abs().max())) if b.numel() else 0.0
    require(
        difference <= limit, f"{message}: the largest difference is {difference:.3g}, at most {limit:.3g} is allowed"
    )


def starts(case: Case) -> None:
    """Check that every parameter and buffer has an initialisation, and that none is given for one that does not exist."""
    for part in bare(case).modules():
        for what, declared, found in (
            ("parameter", part.starts if isinstance(part, Parametric) else {}, part.named_parameters(recurse=False)),
            ("buffer", part.buffer_starts if isinstance(part, Parametric) else {}, part.named_buffers(recurse=False)),
        ):
            names, where = {name for name, _ in found}, "starts" if what == "parameter" else "buffer_starts"
            idle = sorted(set(declared) - names)
            require(not idle, f"`{where}` names {', '.join(idle)}, which is no {what} of its own")
    with torch.no_grad():
        try:
            initialize_weights(bare(case), {"": 0}, 0, "he_normal")
        except PluginError as error:
            raise AssertionError(str(error).removeprefix(": ")) from None


def shapes(case: Case) -> None:
    """Check that the shape on `meta` is that on the CPU, in training and in evaluation."""
    with torch.device("meta"), torch.no_grad():
        module = bare(case).eval()  # in evaluation mode, as when a network is checked: nothing is random
        on_meta = module(*(torch.empty(BATCH, *shape) for shape in case.shapes))
    for training in (True, False):
        on_cpu = run(make(case).train(training), inputs(case))
        require(len(on_cpu) == BATCH, f"expected a batch of {BATCH}, as the input, got {len(on_cpu)}")
        message = f"on meta it yields {sizes(on_meta.shape[1:])}, on the CPU {sizes(on_cpu.shape[1:])}"
        require(on_meta.shape == on_cpu.shape, message)


def repeatable(case: Case) -> None:
    """Check that input, state and seed determine the result, whatever the state of torch's global generator."""
    results = []
    for seed in (0, 1):
        state = torch.random.get_rng_state()
        torch.manual_seed(seed)
        results.append(run(make(case), inputs(case)))
        torch.random.set_rng_state(state)
    message = "two runs from one seed differ; a random op must be a Random and draw from `self.generator`"
    same(results[0], results[1], message)


def gradients(case: Case) -> None:
    """Check the gradients of every input and parameter against finite differences in float64, in training and evaluation."""
    for training in (True, False):
        module = make(case).train(training)
        if training and not torch.equal(run(module, inputs(case)), run(module, inputs(case))):
            continue  # training changes a buffer, so that finite differences would be wrong
        try:
            _gradients(module, inputs(case))
        except GradcheckError as error:
            mode = "training" if training else "evaluation"
            raise AssertionError(f"in {mode}: {' '.join(str(error).split())[:400]}") from None


def _gradients(module: nn.Module, tensors: list[Tensor]) -> None:
    names = [name for name, _ in module.named_parameters()]
    parameters = [p.detach().clone().requires_grad_() for p in module.parameters()]

    def forward(*given: Tensor) -> Tensor:
        for part in module.modules():
            if isinstance(part, Random):
                part.generator = torch.Generator().manual_seed(3)
        state = dict(zip(names, given[len(tensors) :], strict=True))
        return torch.func.functional_call(module, state, given[: len(tensors)])  # type: ignore[no-any-return]

    everything = (*(x.requires_grad_() for x in tensors), *parameters)
    result = forward(*everything)
    if result.requires_grad:
        gradcheck(forward, everything, fast_mode=True)
    else:
        require(not result.count_nonzero(), "the result has no gradient: is something detached?")


def dtype(case: Case) -> None:
    """Check that the result has the type of the input, for float32, float64 and bfloat16."""
    for kind, training in product((torch.float32, torch.float64, torch.bfloat16), (True, False)):
        result = run(make(case).to(kind).train(training), [x.to(kind) for x in inputs(case)])
        require(result.dtype == kind, f"expected {kind}, as the input, got {result.dtype}")


def input_kept(case: Case) -> None:
    """Check that the input is not modified."""
    for training in (True, False):
        changed = changes(make(case).train(training), inputs(case))
        message = (
            f"it changes {changed} in place, which others may read: an op yields a new tensor (`x * 2` for `x.mul_(2)`)"
        )
        require(changed is None, message)


def in_parts(case: Case) -> None:
    """Check that a part of a batch gets the same random draws as in the whole batch, for training on several processes."""
    module = make(case).train()
    drawing = [part for part in module.modules() if isinstance(part, Random)]
    if not drawing or [*module.buffers()]:
        return
    whole, each = run(module, inputs(case)), []
    for rank in range(BATCH):
        for part in drawing:
            part.part = Shard(rank, BATCH)
        each.append(run(module, [x[rank : rank + 1] for x in inputs(case)]))
    message = "a part of a batch has other draws than in the whole; draw for each image by `self.room` and `self.own`"
    same(torch.cat(each), whole, message, 1e-9)


def macs(case: Case) -> int:
    """Return the MACs of one image: as declared, or as counted by torch. Operations that torch cannot count must be declared."""
    if case.kind.macs is not None:
        price = case.kind.macs(dict(case.arguments), case.shapes)
        is_integer = isinstance(price, int) and not isinstance(price, bool)
        require(is_integer and price >= 0, f"`macs` must return an integer of 0 or more, got {price!r}")
        return price
    with torch.device("meta"):
        found = counted(bare(case), [torch.empty(BATCH, *shape) for shape in case.shapes])
    message = f"the MACs are unknown of {', '.join(found.unpriced)}; declare them: @op(..., macs=lambda arguments, shapes: ...)"
    require(not found.unpriced, message)
    return found.count


CHECKS: dict[str, Callable[[Case], object]] = {
    check.__name__: check for check in (starts, input_kept, shapes, repeatable, gradients, dtype, in_parts, macs)
}
