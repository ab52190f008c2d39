"""Tensors -> numbers by which equal values are known again, however they are laid out, flattened or padded with zeros."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

SAME = 1e-9  # relative; both networks are walked in float64, where rounding leaves about 1e-14


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`largest`: the largest magnitude; sums of the values, of their magnitudes and of their squares, in units of it."""

    largest: float
    total: float
    magnitude: float
    square: float

    def same(self, other: Fingerprint) -> bool:
        """Return whether these are the same values in some order, up to rounding; not where one is not finite."""
        pairs = (
            (self.largest, other.largest, self.largest),
            (self.total, other.total, self.magnitude),
            (self.magnitude, other.magnitude, self.magnitude),
            (self.square, other.square, self.square),
        )
        return all(abs(a - b) <= SAME * scale for a, b, scale in pairs)


def fingerprint(tensor: Tensor) -> Fingerprint:
    """Squares are taken of values divided by the largest, so that they do not overflow."""
    values = tensor.detach().double().flatten()
    largest = float(values.abs().max()) if values.numel() else 0.0
    if largest:
        values = values / largest
    return Fingerprint(largest, float(values.sum()), float(values.abs().sum()), float(values.square().sum()))


def same(ours: Sequence[Fingerprint], theirs: Sequence[Fingerprint]) -> bool:
    return len(ours) == len(theirs) and all(a.same(b) for a, b in zip(ours, theirs, strict=True))
