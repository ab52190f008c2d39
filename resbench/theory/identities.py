"""A real network -> whether Eq. 4, 5, 7, 8 of He et al. 2016 hold in it, each with its residual, beside the prediction from
the graph.

They are checked per stage of one feature-map size, over its similar units (the identities do not hold where shapes change). Batch
norm uses its batch statistics; random masks are drawn once. The right sides are summed by halves, the last units first: in the
order of the network the sum would repeat the network's own computation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from resbench.compiler.graph import BoundNetwork, Graph
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import Network, Stage, build
from resbench.ops.parameter import Parametric, Random
from resbench.random_streams import stream
from resbench.theory.direct import direct
from resbench.theory.op_effects import own_kind
from resbench.theory.paths import IdentityPath, identity_path, inner_unit
from resbench.theory.pieces import Pieces, pieces, widened

IMAGES = 4
HOLDS = {"float32": 1e-3, "float64": 1e-10}
"""Relative residuals below which an equation holds: rounding of 1001 layers is 2e-5 in float32 (measured)."""

EQUATIONS = {
    "4": "x_L = x_l + sum F",
    "5": "dE/dx_l = dE/dx_L (1 + d/dx_l sum F)",
    "7": "x_L = (prod lambda) x_l + sum (prod lambda) F",
    "8": "dE/dx_l = dE/dx_L (prod lambda + d/dx_l sum (prod lambda) F)",
    "4 cut": "Eq. 7 and sum relu(-y): what f = relu cuts",
    "8 gates": "Eq. 8 and the gates' own gradients",
}


@dataclass(frozen=True, slots=True)
class EquationCheck:
    """One equation and its check. `residuals`: relative, by dtype; the largest over stages if it holds in all, else the
    smallest.
    """

    equation: str
    predicted: bool
    holds: bool
    residuals: dict[str, float]

    @property
    def agrees(self) -> bool:
        return self.predicted == self.holds

    @property
    def words(self) -> str:
        return EQUATIONS[self.equation]


def predicted(path: IdentityPath) -> dict[str, bool]:
    """Return, from the graph alone, whether each equation holds; equations that do not apply to the unit are omitted."""
    graph = path.graph
    out = direct(graph)[graph.output] if path.merge is not None else None
    whole = out is not None and out.holds(graph.input_shape[0])
    expected = {"4": whole, "5": whole, "7": out is not None, "8": out is not None and "gated" not in out.factors}
    cut = direct(graph, through_relu=True)[graph.output] if path.merge is not None else None
    if path.f and all(own_kind(step.op) == "rectified" for step in path.f) and cut is not None:
        expected["4 cut"] = True
    if out is not None and "gated" in out.factors:
        expected["8 gates"] = True
    return expected


def check_identities(
    bound: BoundNetwork, seed: int = 0, images: int = IMAGES, tell: Callable[[str], object] = lambda text: None
) -> list[EquationCheck]:
    """Check the equations in both precisions, on a network with random weights and images of noise. `tell` reports progress."""
    units, _ = inner_unit(bound)
    expected = predicted(identity_path(units[0][1]))
    network = build(bound)
    initialize_weights(network, canonical(bound).numbers, seed, "he_normal")
    _shake(network, seed)
    network.train()
    for path, module in network.named_modules():
        if isinstance(module, Random):
            module.register_forward_pre_hook(partial(_same_draw, seed, path))
    noise = torch.randn(images, *bound.input_shape, generator=_generator(seed, "images"))
    found: dict[str, dict[str, list[float]]] = {}
    for dtype in HOLDS:
        network.to(getattr(torch, dtype))
        of_stages = []
        for residuals in _residuals(network, units, noise.to(getattr(torch, dtype)), expected, seed):
            of_stages.append(residuals)
            tell(f"equations in {dtype}, {len(of_stages)} of at most {len(network.stages)} stages")
        found[dtype] = {name: [stage[name] for stage in of_stages] for name in expected}
    return [_check(name, expected[name], {dtype: found[dtype][name] for dtype in HOLDS}) for name in expected]


def _check(name: str, expected: bool, of_stages: dict[str, list[float]]) -> EquationCheck:
    holds = all(residual <= HOLDS[dtype] for dtype, each in of_stages.items() for residual in each)
    return EquationCheck(
        name, expected, holds, {dtype: (max if holds else min)(each) for dtype, each in of_stages.items()}
    )


def _residuals(
    network: Network, units: Sequence[tuple[str, Graph]], images: Tensor, expected: dict[str, bool], seed: int
) -> Iterator[dict[str, float]]:
    """Yield the residuals of each stage, by equation."""
    alike = dict(units)
    x = network.stem(images)
    for s in range(len(network.stages)):
        stage = cast(Stage, network.stages[s])
        x = stage.before(x)
        run: list[tuple[nn.Module, Graph]] = []
        for u, unit in enumerate(stage.units):
            path = f"stages.{s}.units.{u}"
            if path in alike:
                run.append((unit, alike[path]))
            elif not run:
                x = unit(x)
            else:
                break
        if run:
            start = x.detach().requires_grad_()
            of_stage = list(_walk(run, start))
            yield _of_stage(start, of_stage, expected, seed)
            x = of_stage[-1].out
        for unit in list(stage.units)[u:] if run and f"stages.{s}.units.{u}" not in alike else ():
            x = unit(x)
        x = x.detach()


def _walk(run: Sequence[tuple[nn.Module, Graph]], x: Tensor) -> Iterator[Pieces]:
    for module, graph in run:
        one = pieces(module, graph, x)
        x = one.out
        yield one


def _of_stage(start: Tensor, units: Sequence[Pieces], expected: dict[str, bool], seed: int) -> dict[str, float]:
    end = units[-1].out
    cotangent = torch.randn(end.shape, generator=_generator(seed, "cotangent")).to(end.dtype)
    true = _gradient(end, start, cotangent)

    def forward(right: Tensor) -> float:
        return _relative(end, right)

    def backward(right: Tensor) -> float:
        return _relative(true, _gradient(right, start, cotangent))

    plain = widened(start, end) + _sum(widened(one.rest, end) for one in reversed(units))
    scaled = _carried(start, units, lambda one: one.rest)
    found = {"4": forward(plain), "5": backward(plain), "7": forward(scaled)}
    if "8" in expected:
        found["8"] = backward(_carried(start, units, lambda one: one.rest, fast=True))
    if "4 cut" in expected:
        found["4 cut"] = forward(_carried(start, units, lambda one: one.rest + one.cut))
    if "8 gates" in expected:
        found["8 gates"] = backward(scaled)
    return found


def _gradient(of: Tensor, start: Tensor, cotangent: Tensor) -> Tensor:
    """Return autograd.grad(of, start, cotangent), without its import of sympy to compare shapes, which takes a second."""
    (gradient,) = torch.autograd.grad((of * cotangent).sum(), start, retain_graph=True, materialize_grads=True)
    return gradient


def _carried(
    start: Tensor, units: Sequence[Pieces], joins: Callable[[Pieces], Tensor], *, fast: bool = False
) -> Tensor:
    """Return (prod push) x_l + the sum over units of `joins`, pushed through all later units.

    A push is linear, so the sum of the first half of the units passes through the second half at once, and so on: this takes
    n log n pushes instead of n². `fast`: the factors are not differentiated.
    """

    def on(carried: Tensor, first: int, end: int) -> Tensor:
        for one in units[first:end]:
            carried = one.push(carried, fast)
        return carried

    def summed(first: int, end: int) -> Tensor:
        if end - first == 1:
            return joins(units[first])
        middle = (first + end) // 2
        return summed(middle, end) + on(summed(first, middle), middle, end)

    return on(start, 0, len(units)) + summed(0, len(units))


def _sum(parts: Iterator[Tensor]) -> Tensor:
    total = next(parts)
    for part in parts:
        total = total + part
    return total


def _relative(true: Tensor, found: Tensor) -> float:
    size = float(true.detach().norm())
    return float((true - found).detach().norm()) / size if size else float((true - found).detach().norm())


def _shake(network: nn.Module, seed: int) -> None:
    """Move parameters off special initial values (gains of 0, shifts of 0, last convolutions of 0), which would hide whether an
    equation holds. Other biases stay, since a gate depends on its bias.
    """
    for path, module in network.named_modules():
        if not isinstance(module, Parametric):
            continue
        generator = _generator(seed, f"shake {path}")
        for name, start in module.starts.items():
            tensor = getattr(module, name)
            with torch.no_grad():
                if not bool(tensor.any()):
                    tensor.normal_(0.0, 0.05, generator=generator)
                elif start.kind in ("norm", "gain"):
                    tensor.uniform_(0.8, 1.2, generator=generator)


def _same_draw(seed: int, path: str, module: Random, _: object) -> None:
    """Use one mask for all passes, so that it acts as a constant factor."""
    module.generator = _generator(seed, f"mask {path}")


def _generator(seed: int, purpose: str) -> torch.Generator:
    return torch.Generator().manual_seed(stream(seed, 0, f"theory {purpose}") % 2**63)
