"""Ops on the identity path, and the signal that passes it: proxies of resbench, after He et al. 2016, arXiv:1603.05027

`path_ops` is computed from the graph: ops of one unit that change what the shortcut carries (0 if h and f are identities).
`forward_share` and `gradient_share` are measured: for every stage, the squared correlation of its input and its output
(of the gradients at both), value by value; multiplied over the stages. `signal_share` is their product.
"""

from __future__ import annotations

from math import log10

import torch
from torch import Tensor
from torch.nn import functional as F

from resbench.theory.identity_report import identity_report
from resbench.theory.pieces import widened
from resbench.theory.proxy import ProxyInput, proxy

SMALL = 1e-12


@proxy("path_ops")
def path_ops(start: ProxyInput) -> float:
    return identity_report(start.bound).non_identity_ops


@proxy("forward_share_log10")
def forward_share(start: ProxyInput) -> float:
    return log10(max(_shares(start)[0], SMALL))


@proxy("gradient_share_log10")
def gradient_share(start: ProxyInput) -> float:
    return log10(max(_shares(start)[1], SMALL))


@proxy("signal_share_log10")
def signal_share(start: ProxyInput) -> float:
    forward, gradient = _shares(start)
    return log10(max(forward, SMALL)) + log10(max(gradient, SMALL))


def _shares(start: ProxyInput) -> tuple[float, float]:
    """Return both shares over the stages, from the unit after a change of shape."""
    ends: list[tuple[Tensor, Tensor]] = []
    x = start.network.stem(start.images)
    for number in range(len(start.network.stages)):
        stage = start.network.get_submodule(f"stages.{number}")
        x = stage.get_submodule("before")(x)
        units = list(stage.get_submodule("units").children())
        enters = x = units[0](x)
        for unit in units[1:]:
            x = unit(x)
        ends.append((enters, x))
    loss = F.cross_entropy(start.network.head(x), start.labels)
    grads = torch.autograd.grad(loss, [end for pair in ends for end in pair], allow_unused=True)
    forward = gradient = 1.0
    for number, (enters, leaves) in enumerate(ends):
        if enters is leaves:
            continue
        forward *= _correlation(enters.detach(), leaves.detach()) ** 2
        before, after = grads[2 * number], grads[2 * number + 1]
        gradient *= 0.0 if before is None or after is None else _correlation(before, after) ** 2
    return forward, gradient


def _correlation(a: Tensor, b: Tensor) -> float:
    """Return the correlation after each channel's mean is subtracted."""
    a = widened(a, b)
    if a.shape != b.shape:
        return 0.0
    a, b = (x.double() - x.double().mean(dim=(0, 2, 3), keepdim=True) for x in (a, b))
    size = float(a.norm() * b.norm())
    return float((a * b).sum()) / size if size > 0 else 0.0
