"""One unit at one input: x -> its output, the part that x carries, and F.  BCHW -> BCHW

This is `direct.py` on tensors: each value is push(x) + rest, where push is linear in x with every factor (constants, gains,
gates) at its current value, and rest is computed separately, not as the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resbench.compiler.graph import BoundOp, Graph
from resbench.ops.registry import kind
from resbench.theory.direct import direct
from resbench.theory.op_effects import own_kind
from resbench.theory.paths import IdentityPath, identity_path

Push = Callable[[Tensor, bool], Tensor]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The decomposition of a unit at one input. `push`: the linear map of x, as if f were an identity; with True its factors are
    detached, so that they are not differentiated. `rest`: F, through the same map.

    `cut`: what a ReLU after the sum removes, relu(-y) (0 if there is none).
    """

    out: Tensor
    push: Push
    rest: Tensor
    cut: Tensor


def run(module: nn.Module, graph: Graph, x: Tensor) -> list[Tensor]:
    """Return every value of a unit, by its number."""
    values = [x]
    for op in graph.ops:
        values.append(module.get_submodule(op.path)(*(values[i] for i in op.inputs)))
    return values


def widened(x: Tensor, like: Tensor) -> Tensor:
    """Append zero channels to x, up to the width of another."""
    return F.pad(x, (0, 0, 0, 0, 0, like.shape[1] - x.shape[1])) if x.shape[1] < like.shape[1] else x


def pieces(module: nn.Module, graph: Graph, x: Tensor) -> Pieces:
    values = run(module, graph, x)
    path = identity_path(graph)
    out = values[graph.output]
    target = _target(path)
    if target is None:
        rest = _other_terms(path, values)
        return Pieces(out, lambda carried, fast: widened(carried, out), rest, torch.zeros_like(out))
    reached = [one is not None for one in direct(graph)]
    rests = _rests(module, graph, values, reached)

    def push(carried: Tensor, fast: bool) -> Tensor:
        factors = [value.detach() for value in values] if fast else values
        return _pushed(module, graph, factors, reached, carried, target=target)

    cut = F.relu(-values[target]) if _is_cut(path) else torch.zeros_like(out)
    return Pieces(out, push, rests[target], cut)


def _target(path: IdentityPath) -> int | None:
    """Return the value to which Eq. 4 and 7 apply: the result, else the sum before f. None: x does not reach it
    in place.
    """
    found = direct(path.graph)
    if path.merge is None:
        return None
    for value in (path.graph.output, path.merge.value):
        if found[value] is not None and path.graph.shapes[value] == path.graph.shapes[path.graph.output]:
            return value
    return None


def _other_terms(path: IdentityPath, values: list[Tensor]) -> Tensor:
    """Return F if h is not a factor of x: the other terms of the sum, or the output if there are none."""
    if path.merge is None or kind(path.merge.op.op).joins == "channels":
        return values[path.graph.output]
    others = [values[source] for i, source in enumerate(path.merge.op.inputs) if i != path.merge.via]
    return torch.stack(others).sum(0)


def _is_cut(path: IdentityPath) -> bool:
    return len(path.f) > 0 and all(own_kind(step.op) == "rectified" for step in path.f)


def _pushed(
    module: nn.Module, graph: Graph, values: list[Tensor], reached: list[bool], carried: Tensor, *, target: int
) -> Tensor:
    """Return the linear part of a value, at `carried` instead of x."""
    at: list[Tensor] = [carried]
    for number, op in enumerate(graph.ops[:target], start=1):
        if not reached[number]:
            at.append(values[number].new_zeros(()).expand(values[number].shape))  # zeros that take no memory
        elif kind(op.op).shifts:
            at.append(at[op.inputs[0]])
        elif kind(op.op).joins == "product":
            at.append(_gated(op, at, values, reached))
        else:
            at.append(module.get_submodule(op.path)(*(at[i] for i in op.inputs)))
    return at[target]


def _rests(module: nn.Module, graph: Graph, values: list[Tensor], reached: list[bool]) -> list[Tensor]:
    """Return the part of every value that is not push(x): F, with every factor on its way to the sum."""
    rests = [torch.zeros_like(values[0])]
    for number, op in enumerate(graph.ops, start=1):
        if not reached[number]:
            rests.append(values[number])
        elif kind(op.op).joins == "product":
            rests.append(_gated(op, rests, values, reached))
        else:
            rests.append(module.get_submodule(op.path)(*(rests[i] for i in op.inputs)))
    return rests


def _gated(op: BoundOp, parts: list[Tensor], values: list[Tensor], reached: list[bool]) -> Tensor:
    """Return the part of the input that carries x, times the current values of the others."""
    (via,) = (i for i in op.inputs if reached[i])
    product = parts[via]
    for i in op.inputs:
        if i != via:
            product = product * values[i]
    return product
