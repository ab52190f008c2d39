"""Profiles of units -> signal (variance) or gradient (norm) at every unit of the network: a panel for each unit, log scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log
from statistics import fmean
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from resbench.errors import BadInput
from resbench.figures.axis_scale import AxisScale
from resbench.figures.panel_grid import draw_panels
from resbench.figures.row_chart import put_handles
from resbench.figures.style import BLUE, FAINT, GREY

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

Quantity = Literal["signal", "gradient"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
_WORDS = {
    "signal": ("variance", "variance of the unit's output"),
    "gradient": ("gradient_norm", "norm of the loss gradient"),
}
_NOTE = (
    "Recorded on one batch of the training split, in training mode. Lines are geometric means over the seeds; units count from "
    "0. Grey: the other units, at the last epoch shown."
)
FLOOR = 1e-30


class AtUnit(Protocol):
    """The signal and the gradient at one unit of a network."""

    @property
    def unit(self) -> int: ...

    @property
    def variance(self) -> float | None: ...

    @property
    def gradient_norm(self) -> float | None: ...


ByEpoch = Mapping[int, Sequence[Sequence[AtUnit]]]  # epoch -> of each seed, its units in order


def draw(profiles: Mapping[str, ByEpoch], quantity: Quantity) -> Figure:
    """Draw the profiles of units, given by the unit's name. Raises BadInput where there is none."""
    lines = {name: {e: _line(seeds, quantity) for e, seeds in of.items()} for name, of in profiles.items() if of}
    points = [value for of in lines.values() for line in of.values() for value in line if value > FLOOR]
    if not points:
        raise BadInput("no profile was recorded; set the epochs in the recipe, such as `plan: {profile: [0, 12]}`")
    longest = max(len(line) for of in lines.values() for line in of.values())
    across = AxisScale(-0.02 * longest, 1.02 * (longest - 1) or 1.0, False)
    up = AxisScale(min(points) / 1.5, max(points) * 1.5, True)
    drawn = draw_panels(list(lines), (across, up), ("unit of the network", _WORDS[quantity][1]), _NOTE)
    epochs = sorted({epoch for of in lines.values() for epoch in of})
    for axes, (name, of) in zip(drawn.axes, lines.items(), strict=True):
        for other, its in lines.items():
            if other != name:
                last = its[max(its)]
                axes.plot(range(len(last)), _shown(last), color=FAINT, linewidth=0.6, zorder=1)
        for epoch, line in of.items():
            axes.plot(
                range(len(line)), _shown(line), color=BLUE, linewidth=1.2, zorder=2, linestyle=_dashes(epoch, epochs)
            )
    put_handles(drawn.figure, _legend(epochs, len(lines) > 1))
    return drawn.figure


def _line(seeds: Sequence[Sequence[AtUnit]], quantity: Quantity) -> list[float]:
    """Return the geometric mean over seeds at each unit; 0 where no seed has a positive value."""
    return [_mean([getattr(at, _WORDS[quantity][0]) for at in row]) for row in zip(*seeds, strict=False)]


def _mean(values: Sequence[float | None]) -> float:
    there = [log(value) for value in values if value is not None and value > FLOOR]
    return exp(fmean(there)) if there else 0.0


def _shown(line: Sequence[float]) -> list[float]:
    return [value if value > FLOOR else float("nan") for value in line]


def _dashes(epoch: int, epochs: Sequence[int]) -> Literal["-", "--", ":", "-."]:
    dashes: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
    return dashes[min(epochs[::-1].index(epoch), 3)]


def _legend(epochs: Sequence[int], others: bool) -> list[Artist]:
    from matplotlib.lines import Line2D

    handles: list[Artist] = [
        Line2D([], [], color=BLUE, linewidth=1.2, linestyle=_dashes(epoch, epochs),
               label="at the start" if epoch == 0 else f"after {epoch} epochs")
        for epoch in epochs
    ]  # fmt: skip
    return [*handles, Line2D([], [], color=GREY, linewidth=0.6, label="other units")] if others else handles
