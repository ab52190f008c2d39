"""Network and recipe -> optimizer; weight decay by the kind of parameter."""

from __future__ import annotations

import torch
from torch import nn

from resbench.language.recipe.recipe import Optimizer
from resbench.ops.parameter import Random, kinds_of


def make_optimizer(network: nn.Module, spec: Optimizer) -> torch.optim.Optimizer:
    """Return SGD with two groups, with and without weight decay; momentum as in torch (no dampening)."""
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for module in network.modules():
        for name, kind in kinds_of(module).items():
            (decayed if kind in spec.decay else free).append(module.get_parameter(name))
    groups = [{"params": decayed, "weight_decay": spec.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=spec.lr,
        momentum=spec.momentum,
        nesterov=spec.nesterov,
        **{"fused" if _can_fuse(network) else "foreach": True},
    )


def _can_fuse(network: nn.Module) -> bool:
    """Return whether fused SGD works: on CUDA, without skipped branches, whose first gradients come later than the others'."""
    skips = any(isinstance(module, Random) and module.on_host for module in network.modules())
    return next(network.parameters()).device.type == "cuda" and not skips
