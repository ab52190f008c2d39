"""A network with weights, a batch -> how signal and gradient fare at every unit: UnitProfile each.

One forward and one backward pass in training mode, on a copy: running statistics, gradients and streams of the network stay.
What is drawn at random is drawn by one seed, always the same.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resbench.compiler.graph import BoundNetwork, Graph
from resbench.compiler.normal import normal
from resbench.ops.parameter import Random
from resbench.theory.paths import IdentityPath, identity_path

IMAGES = 64  # of the training split, the same for all


@dataclass(frozen=True, slots=True)
class UnitProfile:
    """Of the unit of that number in the network, counted from 0.

    `variance`: of its output, over images, channels and pixels. `gradient_norm`: of the mean loss, at its output. `shortcut_pct`:
    of the gradient that leaves it, what came through the shortcut, |g_h| / (|g_h| + |g_F|). `dead_pct`: channels behind its
    ReLUs that are 0 for the whole batch; None where it has none.
    """

    unit: int
    path: str
    variance: float
    gradient_norm: float
    shortcut_pct: float
    dead_pct: float | None


def profile(bound: BoundNetwork, network: nn.Module, images: Tensor, labels: Tensor) -> list[UnitProfile]:
    """`network` has the weights of `bound`, in its normal form. images: BCHW, normalised; labels: B."""
    own = deepcopy(network).train()
    for module in own.modules():
        if isinstance(module, Random):
            device = "cpu" if module.on_host else images.device
            module.generator = torch.Generator(device).manual_seed(0)
    graphs = dict(normal(bound).parts())
    walked: list[_Unit] = []
    x = own.get_submodule("stem")(images)
    for path, graph in graphs.items():
        if path in ("stem", "head"):
            continue
        module = own.get_submodule(path)
        if ".units." in path:
            walked.append(_walk(path, module, graph, x))
            x = walked[-1].out
        else:
            x = module(x)
    loss = F.cross_entropy(own.get_submodule("head")(x), labels)
    wanted = [tensor for unit in walked for tensor in (unit.out, unit.by_shortcut, unit.by_branch)]
    grads = torch.autograd.grad(loss, wanted, allow_unused=True)
    return [_profile(number, unit, grads[3 * number : 3 * number + 3]) for number, unit in enumerate(walked)]


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit at work; x came to it twice, for its shortcut and for all else."""

    path: str
    out: Tensor
    by_shortcut: Tensor
    by_branch: Tensor
    dead_pct: float | None


def _walk(path: str, module: nn.Module, graph: Graph, x: Tensor) -> _Unit:
    x = x if x.requires_grad else x.detach().requires_grad_()
    by_shortcut, by_branch = x.clone(), x.clone()
    found = identity_path(graph)
    first = _first(found)
    values: list[Tensor] = [by_branch]
    dead: list[Tensor] = []
    for number, op in enumerate(graph.ops, start=1):
        inputs = [values[i] for i in op.inputs]
        if first is not None and number == first[0]:
            inputs[first[1]] = by_shortcut
        values.append(module.get_submodule(op.path)(*inputs))
        if op.op == "relu":
            dead.append((values[-1].detach().flatten(2) == 0).all(2).all(0))
    share = float(torch.cat(dead).float().mean()) * 100 if dead else None
    out = values[graph.output]
    return _Unit(path, out if graph.output else by_branch, by_shortcut, by_branch, share)


def _first(path: IdentityPath) -> tuple[int, int] | None:
    """Where the shortcut reads x: the op's number and which of its inputs; None where there is no shortcut."""
    if path.merge is None:
        return None
    step = (*path.h, path.merge)[0]
    return step.value, step.via


def _profile(number: int, unit: _Unit, grads: tuple[Tensor | None, ...]) -> UnitProfile:
    at_out, shortcut, branch = (0.0 if grad is None else float(grad.norm()) for grad in grads)
    whole = shortcut + branch
    share = 100 * shortcut / whole if whole else 0.0
    return UnitProfile(number, unit.path, float(unit.out.detach().var()), at_out, share, unit.dead_pct)
