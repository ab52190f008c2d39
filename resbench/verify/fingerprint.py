"""Tensors -> numbers that identify equal values, whatever their layout, shape or padding with zeros."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

SAME = 1e-9  # relative; both networks run in float64, whose rounding errors are about 1e-14


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Moments of a tensor's values. `largest`: the largest magnitude; the sums of values, magnitudes and squares are in
    units of it.
    """

    largest: float
    total: float
    magnitude: float
    square: float

    def same(self, other: Fingerprint) -> bool:
        """Return whether both have the same values in some order, up to rounding; false if one is not finite."""
        pairs = (
            (self.largest, other.largest, self.largest),
            (self.total, other.total, self.magnitude),
            (self.magnitude, other.magnitude, self.magnitude),
            (self.square, other.square, self.square),
        )
        return all(abs(a - b) <= SAME * scale for a, b, scale in pairs)


def fingerprint(tensor: Tensor) -> Fingerprint:
    """Return the fingerprint; values are divided by the largest before they are squared, so that they do not overflow."""
    values = tensor.detach().double().flatten()
    largest = float(values.abs().max()) if values.numel() else 0.0
    if largest:
        values = values / largest
    return Fingerprint(largest, float(values.sum()), float(values.abs().sum()), float(values.square().sum()))


def same(ours: Sequence[Fingerprint], theirs: Sequence[Fingerprint]) -> bool:
    return len(ours) == len(theirs) and all(a.same(b) for a, b in zip(ours, theirs, strict=True))
