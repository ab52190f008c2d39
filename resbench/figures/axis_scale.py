"""Values on an axis -> its limits and ticks: linear, or logarithmic where the values span more than a factor of five."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axis import Axis

SPAN = 5.0
_MOST = 7  # powers of ten on an axis
FAR = 1e12  # stands for an open end of a range


@dataclass(frozen=True, slots=True)
class AxisScale:
    """The scale of an axis. `near` is the linear threshold of a scale that is logarithmic on either side of 0."""

    low: float
    high: float
    log: bool
    near: float | None = None

    def word(self, label: str) -> str:
        if self.near is not None:
            return f"{label}; log scale beyond ±{self.near:g}"
        return f"{label}, log scale" if self.log else label

    def put(self, axis: Axis) -> None:
        """Apply the scale to an axis of matplotlib's, with plain numbers at its ticks."""
        from matplotlib.axis import XAxis
        from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

        axes, across = axis.axes, isinstance(axis, XAxis)
        assert axes is not None
        if self.near is not None:
            (axes.set_xscale if across else axes.set_yscale)("symlog", linthresh=self.near, linscale=0.7)
            axis.set_major_locator(FixedLocator(self._around_zero(self.near)))
        elif self.log:
            (axes.set_xscale if across else axes.set_yscale)("log")
            axis.set_major_locator(FixedLocator(round_numbers(self.low, self.high)))
        else:
            axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(NullLocator())
        (axes.set_xlim if across else axes.set_ylim)(self.low, self.high)
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))

    def _around_zero(self, near: float) -> list[float]:
        numbers = round_numbers(near, max(-self.low, self.high))
        return [tick for tick in (*(-each for each in numbers), 0.0, *numbers) if self.low <= tick <= self.high]


def around_zero(values: Iterable[float], finest: float) -> AxisScale:
    """Return a scale for differences: logarithmic on either side of 0 where the largest exceeds 20 times `finest`.

    >>> around_zero([-0.5, 80.0], 0.9).near, around_zero([-0.5, 8.0], 0.9).near
    (0.5, None)
    """
    ends = [0.0, *values]
    low, high = min(ends), max(ends)
    if finest > 0 and max(-low, high) > 20 * finest:
        near = round_numbers(finest / 5, finest)[-1]
        return AxisScale(min(low * 1.3, -near), max(high * 1.3, near), False, near)
    room = 0.04 * (high - low) or 1.0
    return AxisScale(max(low - room, -FAR), min(high + room, FAR), False)


def scale_of(values: Iterable[float], between: Iterable[float] = ()) -> AxisScale:
    """Return a scale that fits `values` with a margin. The ends of intervals, `between`, widen it; on a log scale by at most 2.

    >>> scale_of([2.0, 40.0]).log, scale_of([5.0, 6.0]).log, scale_of([0.0, 50.0]).log
    (True, False, False)
    """
    shown = sorted(values)
    if not shown:
        return AxisScale(0.0, 100.0, False)
    low, high = shown[0], shown[-1]
    ends = [*shown, *between]
    if low > 0 and high > SPAN * low:
        lowest = max(min(ends), low / 2)
        highest = min(max(ends), high * 2)
        return AxisScale(lowest / 1.15, highest * 1.15, True)
    lowest, highest = min(ends), max(ends)
    room = 0.05 * (highest - lowest) or 0.05 * abs(highest) or 1.0
    return AxisScale(max(lowest - room, 0.0 if lowest >= 0 else -FAR), highest + room, False)


def round_numbers(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten in a range; over many decades only powers of ten, or every n-th of them.

    >>> round_numbers(1.5, 60)
    [2.0, 5.0, 10.0, 20.0, 50.0]
    """
    powers = range(floor(log10(low)), floor(log10(high)) + 1)
    steps = (1, 2, 5) if len(powers) < 4 else (1,)
    powers = powers[:: -(-len(powers) // _MOST)]
    return [float(f"{step}e{power}") for power in powers for step in steps if low <= float(f"{step}e{power}") <= high]
