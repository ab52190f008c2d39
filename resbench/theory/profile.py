"""A network with weights, a batch -> signal and gradient at every unit: a UnitProfile each.

One forward and one backward pass run in training mode on a copy: statistics, gradients and streams of the network do not change.
Random ops use one fixed seed.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resbench.compiler.graph import BoundNetwork, Graph
from resbench.compiler.identity.normal_form import normal
from resbench.ops.parameter import Random
from resbench.theory.op_effects import own_kind
from resbench.theory.paths import IdentityPath, identity_path

IMAGES = 64  # of the training split, the same for all


@dataclass(frozen=True, slots=True)
class UnitProfile:
    """The profile of one unit; `unit` counts from 0.

    `variance`: of its output, over images, channels and pixels. `gradient_norm`: of the mean loss, at its output. `shortcut_pct`:
    share of the gradient at its input that comes through the shortcut, |g_h| / (|g_h| + |g_F|). `dead_pct`: channels after its
    ReLUs that are 0 for the whole batch; None without ReLUs.
    """

    unit: int
    path: str
    variance: float
    gradient_norm: float
    shortcut_pct: float
    dead_pct: float | None


def profile(bound: BoundNetwork, network: nn.Module, images: Tensor, labels: Tensor) -> list[UnitProfile]:
    """Return the profile of every unit. `network` has the weights of `bound` in normal form.
    images: BCHW, normalised; labels: B.
    """
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
    """The tensors of a unit; the value that shortcut and branch both read is cloned, one copy for each."""

    path: str
    out: Tensor
    by_shortcut: Tensor
    by_branch: Tensor
    dead_pct: float | None


def _walk(path: str, module: nn.Module, graph: Graph, x: Tensor) -> _Unit:
    x = x if x.requires_grad else x.detach().requires_grad_()
    split = _split(identity_path(graph))
    values: list[Tensor] = [x]
    by_shortcut = by_branch = x
    dead: list[Tensor] = []
    for number, op in enumerate(graph.ops, start=1):
        if split is not None and split.source == number - 1:
            by_shortcut, by_branch = values[-1].clone(), values[-1].clone()
            values[-1] = by_branch
        inputs = [values[i] for i in op.inputs]
        if split is not None and number == split.op:
            inputs[split.via] = by_shortcut
        values.append(module.get_submodule(op.path)(*inputs))
        if own_kind(op) == "rectified":
            dead.append((values[-1].detach().flatten(2) == 0).all(2).all(0))
    share = float(torch.cat(dead).float().mean()) * 100 if dead else None
    out = values[graph.output]
    if split is None:
        by_shortcut = x.clone()  # no op reads it
    return _Unit(path, out, by_shortcut, by_branch, share)


@dataclass(frozen=True, slots=True)
class _Split:
    """Where the shortcut branches off: the value that both sides read, and the shortcut's op with the input that reads it."""

    source: int
    op: int
    via: int


def _split(path: IdentityPath) -> _Split | None:
    """Return the split at the last value of the path that another op reads too; None without a shortcut."""
    if path.merge is None:
        return None
    readers = Counter(source for op in path.graph.ops for source in op.inputs)
    found, source = None, 0
    for step in (*path.h, path.merge):
        if readers[source] > 1:
            found = _Split(source, step.value, step.via)
        source = step.value
    return found


def _profile(number: int, unit: _Unit, grads: tuple[Tensor | None, ...]) -> UnitProfile:
    at_out, shortcut, branch = (0.0 if grad is None else float(grad.norm()) for grad in grads)
    whole = shortcut + branch
    share = 100 * shortcut / whole if whole else 0.0
    return UnitProfile(number, unit.path, float(unit.out.detach().var()), at_out, share, unit.dead_pct)
