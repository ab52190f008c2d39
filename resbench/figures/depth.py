"""StudyResults, depths -> val error against depth: a panel for each unit with several depths, means with 95 % intervals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from resbench.errors import BadInput
from resbench.escape import printable
from resbench.evidence.names import short_names
from resbench.figures.axis_scale import AxisScale, scale_of
from resbench.figures.panel_grid import draw_panels
from resbench.figures.ranking import label
from resbench.figures.row_chart import put_handles, put_mark
from resbench.figures.style import BLUE, FAILS, FAINT, GREY, MarkerStyle
from resbench.results.study_results import StudyResults, UnitResults

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

NOTE = (
    "Depth counts convolutions and linear layers on the longest path from input to output. Points are means over converged runs, "
    "lines their 95 % intervals. Grey: the other units."
)
FAILING = " A unit that fails at a depth has a cross there, at the mean of the converged runs, if there are any."
POINT = MarkerStyle("o", BLUE, True, "mean, 95 % interval")
_MOST_TICKS = 5
_OF_NETWORK = re.compile(r" network\.\S+=\S+")


def draw(results: StudyResults, *, depths: Mapping[str, int]) -> Figure:
    """Draw error against depth. `depths` are by the architecture's digest. Raises BadInput where no unit has two depths."""
    groups = by_depth(results.units, depths)
    rising = {name: of for name, of in groups.items() if len({depth for depth, _ in of}) > 1}
    if not rising:
        seen = sorted({depths[unit.row.digest] for unit in results.units})
        reason = (
            f"all its networks have {seen[0]}" if len(seen) == 1 else f"no unit has two of {', '.join(map(str, seen))}"
        )
        raise BadInput(
            f"study {results.study}: error against depth requires a unit at several depths, but {reason}; a study varies the "
            f"depth if its network has, for instance, `depth: {{choices: [20, 56, 110]}}`"
        )
    shown = [unit.row.ranked for of in rising.values() for _, unit in of]
    fails = any(row.fails for row in shown)
    ends = [end for row in shown if not row.fails for end in (row.ci_low, row.ci_high) if end is not None]
    errors = scale_of([row.mean for row in shown if row.mean is not None], ends)
    numbers = sorted({depth for of in rising.values() for depth, _ in of})
    room = 0.08 * (numbers[-1] - numbers[0])
    across = scale_of(map(float, numbers))
    if not across.log:
        across = AxisScale(numbers[0] - room, numbers[-1] + room, False)
    drawn = draw_panels(
        list(rising), (across, errors), ("depth in layers", label(results)), NOTE + (FAILING if fails else "")
    )
    if len(numbers) <= _MOST_TICKS:
        for axes in drawn.axes:
            axes.set_xticks(numbers)
    lines = {name: _line(of) for name, of in rising.items()}
    for axes, (name, of) in zip(drawn.axes, rising.items(), strict=True):
        for other, (xs, ys) in lines.items():
            axes.plot(xs, ys, color=BLUE if other == name else FAINT, linewidth=1.2 if other == name else 0.6,
                      zorder=2 if other == name else 1)  # fmt: skip
        for depth, unit in of:
            row = unit.row.ranked
            if row.mean is None:  # no run converged: it has no place on the axis
                continue
            if row.ci_low is not None and row.ci_high is not None and not row.fails:
                inside = max(row.ci_low, errors.low), min(row.ci_high, errors.high)
                axes.plot([depth] * 2, inside, color=BLUE, linewidth=1.0, zorder=3)
            put_mark(axes, depth, row.mean, FAILS if row.fails else POINT, size=4.0)
    put_handles(drawn.figure, _legend(fails, len(rising) > 1))
    return drawn.figure


def by_depth(units: Sequence[UnitResults], depths: Mapping[str, int]) -> dict[str, list[tuple[int, UnitResults]]]:
    """Group units that differ only in the settings of their network, by the name without these, in the order of depth.

    A unit that equals another one at some depth is in both groups.
    """
    groups: dict[str, dict[int, UnitResults]] = {}
    for unit in units:
        for name in (unit.row.unit, *unit.row.aliases):
            groups.setdefault(printable(_OF_NETWORK.sub("", name), 200), {})[depths[unit.row.digest]] = unit
    shown = short_names(groups)
    return {shown[name]: sorted(of.items()) for name, of in groups.items()}


def _line(of: Sequence[tuple[int, UnitResults]]) -> tuple[list[int], list[float]]:
    points = [(d, u.row.ranked.mean) for d, u in of if u.row.ranked.mean is not None and not u.row.ranked.fails]
    return [depth for depth, _ in points], [mean for _, mean in points if mean is not None]


def _legend(fails: bool, others: bool) -> list[Artist]:
    from matplotlib.lines import Line2D

    handles: list[Artist] = [Line2D([], [], marker="o", color=BLUE, linewidth=1.2, markersize=4, label=POINT.word)]
    if fails:
        handles.append(
            Line2D([], [], marker=FAILS.marker, color=FAILS.colour, linestyle="none", markersize=4, label=FAILS.word)
        )
    if others:
        handles.append(Line2D([], [], color=GREY, linewidth=0.6, label="other units"))
    return handles
