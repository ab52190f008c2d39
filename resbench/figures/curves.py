"""StudyResults -> error per epoch: one panel per unit, with the mean over converged seeds and a band from minimum to maximum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from statistics import fmean
from typing import TYPE_CHECKING, Literal

from resbench.errors import BadInput
from resbench.figures.axis_scale import AxisScale, scale_of
from resbench.figures.panel_grid import draw_panels
from resbench.figures.row_chart import put_handles
from resbench.figures.style import BLUE, FAINT, GREY, ORANGE, VERMILION
from resbench.results.study_results import StudyResults

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from resbench.store.results.reading import StudyRun

Series = Literal["val_error_pct", "train_error_pct"]
_BEHIND, _MOST_BEHIND = 0.6, 30


@dataclass(frozen=True, slots=True)
class Curve:
    """Mean, minimum and maximum over `n` runs by epoch, for the epochs that all of them have."""

    epochs: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: int


def curve(results: StudyResults, runs: Sequence[StudyRun], series: Series) -> Curve | None:
    """Return the curve of some runs; None where no epoch is known for all of them."""
    of = [
        {e.epoch: value for e in results.epochs.get(run.run_id, ()) if (value := getattr(e, series)) is not None}
        for run in runs
    ]
    epochs = tuple(sorted(set.intersection(*map(set, of)))) if of else ()
    if not epochs:
        return None
    values = [[one[epoch] for one in of] for epoch in epochs]
    mean, low, high = (tuple(float(f(each)) for each in values) for f in (fmean, min, max))
    return Curve(epochs, mean, low, high, len(of))


def draw(results: StudyResults, *, train: bool = False) -> Figure:
    """Draw the curves; with `train`, the training error too. Raises BadInput where no epoch was stored."""
    from matplotlib.ticker import MaxNLocator

    curves = [curve(results, unit.converged, "val_error_pct") for unit in results.units]
    trains = [curve(results, unit.converged, "train_error_pct") if train else None for unit in results.units]
    alone = [
        [one for run in unit.diverged if (one := curve(results, [run], "val_error_pct"))] for unit in results.units
    ]
    all_curves = [one for one in (*curves, *trains, *(one for of in alone for one in of)) if one is not None]
    if not all_curves:
        raise BadInput(f"study {results.study}: the database has no epochs of its runs, so there is no curve to draw")
    ends = [value for one in all_curves for value in (*one.low, *one.high)]
    last = max(one.epochs[-1] for one in all_curves)
    titles = [f"{i} ({unit.n}) {unit.name}" for i, unit in enumerate(results.units, start=1)]
    scales = (_epochs(last), scale_of(ends))
    drawn = draw_panels(titles, scales, ("epoch", f"error in % on {results.data}"), _note(results, train))
    for i, axes in enumerate(drawn.axes):
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))  # an epoch has no half
        axes.plot(*_behind(curves, i), color=FAINT, linewidth=_BEHIND, zorder=1)
        for one in alone[i]:
            axes.plot(
                one.epochs, one.mean, color=VERMILION, linewidth=0.8, linestyle=":", marker=_lone(one), markersize=3
            )
        _put(axes, curves[i], BLUE, "-")
        _put(axes, trains[i], ORANGE, (0, (4, 2)))
    put_handles(drawn.figure, _legend(train, any(alone), len(curves) > 1))
    return drawn.figure


def _put(axes: Axes, one: Curve | None, colour: str, style: str | tuple[int, tuple[int, int]]) -> None:
    if one is None:
        return
    if one.n > 1:
        axes.fill_between(one.epochs, one.low, one.high, color=colour, alpha=0.22, linewidth=0, zorder=2)
    axes.plot(
        one.epochs, one.mean, color=colour, linewidth=1.3, linestyle=style, marker=_lone(one), markersize=3, zorder=3
    )


def _lone(one: Curve) -> str:
    """Return the marker of a curve: a single epoch is a point, which a line would not show."""
    return "o" if len(one.epochs) == 1 else ""


def _behind(curves: Sequence[Curve | None], own: int) -> tuple[list[float], list[float]]:
    """Return the means of the other units, or of the best of them where they are many, as one line with gaps."""
    xs: list[float] = []
    ys: list[float] = []
    for other in [one for k, one in enumerate(curves) if k != own and one is not None][:_MOST_BEHIND]:
        xs += [*other.epochs, nan]
        ys += [*other.mean, nan]
    return xs, ys


def _epochs(last: int) -> AxisScale:
    return AxisScale(0.5 if last < 3 else 1 - 0.02 * last, last + (0.5 if last < 3 else 0.02 * last), False)


def _note(results: StudyResults, train: bool) -> str:
    least, most = (f({unit.row.ranked.converged for unit in results.units}) for f in (min, max))
    n = f"{most}" if least == most else f"{least} to {most}"
    many = f", the {_MOST_BEHIND} best of them" if len(results.units) > _MOST_BEHIND + 1 else ""
    both = "Val error after, and training error over, each epoch" if train else "Val error after each epoch"
    return (
        f"{both}: the line is the mean over the converged seeds (n = {n}; in brackets: converged/finished), the band spans their "
        f"minimum to maximum. Grey: the means of the other units{many}."
    )


def _legend(train: bool, diverged: bool, others: bool) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [Line2D([], [], color=BLUE, linewidth=1.3, label="val, mean")]
    handles.append(Patch(color=BLUE, alpha=0.22, linewidth=0, label="min to max over seeds"))
    if train:
        handles.append(Line2D([], [], color=ORANGE, linewidth=1.3, linestyle=(0, (4, 2)), label="training, mean"))
    if diverged:
        handles.append(Line2D([], [], color=VERMILION, linewidth=0.8, linestyle=":", label="a diverged run"))
    if others:
        handles.append(Line2D([], [], color=GREY, linewidth=_BEHIND, label="other units"))
    return handles
