"""Our network, a reference, a pairing -> the largest differences of outputs, gradients and running statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from resbench.verify.forward import OURS, REFERENCE, forward
from resbench.verify.randomness import still
from resbench.verify.weights import tensors, transfer

BATCH = 4
DECIDING = "float64"
# Tolerances of outputs and statistics, and of gradients. In float32 a ReLU whose input is within rounding of 0 may pass in one
# network and not in the other, and so its gradient: such numbers are shown, but do not decide.
TOLERANCES = {"float32": (1e-5, 1e-4), DECIDING: (1e-10, 1e-9)}
FLOOR = 1e-3  # a gradient is relative to the largest of its parameter, or this fraction of the largest of all


@dataclass(frozen=True, slots=True)
class Difference:
    """Largest differences relative to the largest value of the reference, for square images of `size` pixels."""

    size: int
    dtype: str
    eval_output: float
    train_output: float
    gradient: float
    worst: str
    statistics: float

    @property
    def equal(self) -> bool:
        near, far = TOLERANCES[self.dtype]
        return max(self.eval_output, self.train_output, self.statistics) <= near and self.gradient <= far


def compare(ours: nn.Module, theirs: nn.Module, names: Mapping[str, str], images: Tensor) -> Difference:
    """Compare two networks of the images' type. The weights of `theirs` are copied into `ours` and do not change."""
    kept = {name: tensor.clone() for name, tensor in tensors(theirs).items()}
    both = ((ours, OURS), (theirs, REFERENCE))
    transfer(theirs, ours, names)
    with torch.no_grad():
        evaluated = [forward(network.eval(), images, whose)[0] for network, whose in both]
    trained = [_trained(network, images, whose) for network, whose in both]
    mine, its = tensors(ours), tensors(theirs)
    gradients = {name: (mine[name].grad, its[other].grad) for name, other in names.items() if mine[name].requires_grad}
    gradient, worst = _gradients(gradients)
    moved = [(mine[n], its[o]) for n, o in names.items() if not mine[n].requires_grad]
    statistics = max((relative(a, b.reshape(a.shape)) for a, b in moved), default=0.0)
    with torch.no_grad():
        for (
            name,
            tensor,
        ) in kept.items():  # load_state_dict would fail for networks that check a version, which a copy lacks
            its[name].copy_(tensor)
    return Difference(
        images.shape[-1], str(images.dtype).removeprefix("torch."), relative(*evaluated), relative(*trained), gradient,
        worst, statistics,
    )  # fmt: skip


def _trained(network: nn.Module, images: Tensor, whose: str) -> Tensor:
    """Return the output in training without random drops; the parameters get the gradients of a weighted sum of it."""
    network.zero_grad(set_to_none=True)
    with still(network, training=True):
        output = forward(network, images, whose)[0]
    weights = torch.randn(output.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (output * weights.to(output.dtype)).sum().backward()  # type: ignore[no-untyped-call]
    return output.detach()


def relative(ours: Tensor, theirs: Tensor) -> float:
    """Return max |ours - theirs| / max |theirs|; infinite if shapes differ or a number is not finite."""
    if ours.shape != theirs.shape or not bool(torch.isfinite(theirs).all()):
        return float("inf")
    found = float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=torch.finfo(theirs.dtype).tiny))
    return found if found == found else float("inf")


def _gradients(pairs: Mapping[str, tuple[Tensor | None, Tensor | None]]) -> tuple[float, str]:
    """Return the largest difference and its parameter; a gradient that only one side has counts as infinite."""
    largest = max((float(b.abs().max()) for _, b in pairs.values() if b is not None), default=0.0)
    found = (0.0, "")
    for name, (a, b) in pairs.items():
        if a is None or b is None:
            found = max(found, (0.0 if a is b else float("inf"), name))
            continue
        scale = max(float(b.abs().max()), FLOOR * largest, torch.finfo(b.dtype).tiny)
        found = max(found, (float((a - b.reshape(a.shape)).abs().max()) / scale, name))
    return found
