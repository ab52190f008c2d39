"""What every op owes, one function a duty; each raises AssertionError with what is wrong, in numbers."""

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
    """Equal in every value, or within a relative tolerance of the largest."""
    require(a.shape == b.shape, f"{message}: the shapes are {sizes(a.shape[1:])} and {sizes(b.shape[1:])}")
    a, b = a.detach(), b.detach()
    far = float((a - b).abs().max()) if a.numel() else 0.0
    limit = tolerance * max(1.0, float(b.abs().max())) if b.numel() else 0.0
    require(far <= limit, f"{message}: the largest difference is {far:.3g}, at most {limit:.3g} is allowed")


def starts(case: Case) -> None:
    """It is known how every parameter and buffer starts, and nothing is said of one that is not there."""
    for part in bare(case).modules():
        for what, said, found in (
            ("parameter", part.starts if isinstance(part, Parametric) else {}, part.named_parameters(recurse=False)),
            ("buffer", part.buffer_starts if isinstance(part, Parametric) else {}, part.named_buffers(recurse=False)),
        ):
            names, where = {name for name, _ in found}, "starts" if what == "parameter" else "buffer_starts"
            idle = sorted(set(said) - names)
            require(not idle, f"`{where}` names {', '.join(idle)}, which is no {what} of its own")
    with torch.no_grad():
        try:
            initialize_weights(bare(case), {"": 0}, 0, "he_normal")
        except PluginError as error:
            raise AssertionError(str(error).removeprefix(": ")) from None


def shapes(case: Case) -> None:
    """The shape on `meta` is the shape on the CPU, in training and in evaluation."""
    with torch.device("meta"), torch.no_grad():
        module = bare(case).eval()  # as a network is checked: nothing is drawn
        on_meta = module(*(torch.empty(BATCH, *shape) for shape in case.shapes))
    for training in (True, False):
        on_cpu = run(make(case).train(training), inputs(case))
        require(len(on_cpu) == BATCH, f"a batch of {BATCH} went in, {len(on_cpu)} came out")
        told = f"on meta it yields {sizes(on_meta.shape[1:])}, on the CPU {sizes(on_cpu.shape[1:])}"
        require(on_meta.shape == on_cpu.shape, told)


def repeatable(case: Case) -> None:
    """The same input, state and seed give the same result, whatever torch's own generator stands at."""
    results = []
    for seed in (0, 1):
        state = torch.random.get_rng_state()
        torch.manual_seed(seed)
        results.append(run(make(case), inputs(case)))
        torch.random.set_rng_state(state)
    told = "two runs from one seed differ; an op that draws is a Random, and draws from `self.generator`"
    same(results[0], results[1], told)


def gradients(case: Case) -> None:
    """Of every input and parameter, held against differences in float64; in training and in evaluation."""
    for training in (True, False):
        module = make(case).train(training)
        if training and not torch.equal(run(module, inputs(case)), run(module, inputs(case))):
            continue  # a buffer that training moves is part of the function: it has a gradient only where it rests
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
        require(not result.count_nonzero(), "what it yields has no gradient: is something detached?")


def dtype(case: Case) -> None:
    """What goes in as float32, float64 or bfloat16 comes out as the same."""
    for kind, training in product((torch.float32, torch.float64, torch.bfloat16), (True, False)):
        result = run(make(case).to(kind).train(training), [x.to(kind) for x in inputs(case)])
        require(result.dtype == kind, f"{kind} goes in, {result.dtype} comes out")


def input_kept(case: Case) -> None:
    """The input is left as it was."""
    for training in (True, False):
        changed = changes(make(case).train(training), inputs(case))
        told = (
            f"it changes {changed} in place, which others may read: an op yields a new tensor (`x * 2` for `x.mul_(2)`)"
        )
        require(changed is None, told)


def in_parts(case: Case) -> None:
    """What draws draws for each image what it draws in the whole batch, where several processes have a part of it each."""
    module = make(case).train()
    drawing = [part for part in module.modules() if isinstance(part, Random)]
    if not drawing or [*module.buffers()]:
        return
    whole, each = run(module, inputs(case)), []
    for rank in range(BATCH):
        for part in drawing:
            part.part = Shard(rank, BATCH)
        each.append(run(module, [x[rank : rank + 1] for x in inputs(case)]))
    told = "a part of a batch has other draws than in the whole; draw for each image by `self.room` and `self.own`"
    same(torch.cat(each), whole, told, 1e-9)


def macs(case: Case) -> int:
    """Return the price for one image: its own, or what torch counts. Unpriced operations have to be declared."""
    if case.kind.macs is not None:
        price = case.kind.macs(dict(case.arguments), case.shapes)
        whole = isinstance(price, int) and not isinstance(price, bool)
        require(whole and price >= 0, f"`macs` must yield a whole number from 0, got {price!r}")
        return price
    with torch.device("meta"):
        found = counted(bare(case), [torch.empty(BATCH, *shape) for shape in case.shapes])
    told = (
        f"nobody knows the price of {', '.join(found.unpriced)}; say it: @op(..., macs=lambda arguments, shapes: ...)"
    )
    require(not found.unpriced, told)
    return found.count


DUTIES: dict[str, Callable[[Case], object]] = {
    duty.__name__: duty for duty in (starts, input_kept, shapes, repeatable, gradients, dtype, in_parts, macs)
}
