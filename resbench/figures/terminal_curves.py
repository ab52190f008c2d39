"""Val errors by unit, seed and epoch -> a picture of text: each unit's mean over seeds, in a band from lowest to highest.

A run that diverged is in no mean, as in the ranking: it is counted beside.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

from rich.text import Text

from resbench.escape import printable

SHOWN = 6  # units, the best so far
COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")
_LEFT = 8  # columns of the axis
_NAME = 40  # letters of a unit
Band = tuple[float, float, float]  # lowest, mean, highest


@dataclass(slots=True)
class Curves:
    """`errors`: percent, by unit, seed and epoch. `diverged`: by unit, the seeds whose error is not finite now, or whose run
    ended without having learned.
    """

    errors: dict[str, dict[int, dict[int, float]]] = field(default_factory=dict)
    diverged: dict[str, set[int]] = field(default_factory=dict)
    epochs: int = 1

    def add(self, unit: str, seed: int, of: int, epoch: int, error_pct: float | None) -> None:
        self.epochs = max(self.epochs, of, epoch)
        curve = self.errors.setdefault(unit, {}).setdefault(seed, {})
        if error_pct is not None:
            curve[epoch] = error_pct
        self.end(unit, seed, error_pct)

    def end(self, unit: str, seed: int, error_pct: float | None) -> None:
        """Note whether a run diverged: only its end says so of one whose errors are finite."""
        diverged = self.diverged.setdefault(unit, set())
        if error_pct is None:
            diverged.add(seed)
        else:
            diverged.discard(seed)

    def drawn(self, width: int, height: int, *, ascii_only: bool = False) -> Text:
        """Return the picture with a line below it for each unit in it; nothing before the first finite error."""
        averaged = {unit: self._converging(unit) for unit in self.errors}
        bands = {unit: _bands(seeds) for unit, seeds in averaged.items() if seeds}
        if not bands:
            return Text()
        order = sorted(bands, key=lambda unit: (bands[unit][max(bands[unit])][1], unit))
        shown = order[:SHOWN]
        values = [value for unit in shown for band in bands[unit].values() for value in band]
        low, high = min(values), max(values)
        high = high if high > low else low + 1.0
        columns = max(10, width - _LEFT - 1)
        cells: dict[tuple[int, int], tuple[str, str]] = {}
        for number in reversed(range(len(shown))):  # the best is drawn last, over the others
            _draw(cells, _columns(bands[shown[number]], self.epochs, columns), (low, high, height), number, ascii_only)
        text = Text()
        for row in range(height):
            value = high - (high - low) * row / max(1, height - 1)
            text.append(f"{value:6.1f} " + ("|" if ascii_only else "│"))
            for column in range(columns):
                mark, style = cells.get((row, column), (" ", ""))
                text.append(mark, style)
            text.append("\n")
        text.append(f"{'':{_LEFT}}epoch 1{f'{self.epochs}':>{max(1, columns - 7)}}\n")
        for number, unit in enumerate(shown):
            count = len(self.diverged.get(unit, ()))
            text.append_text(_line(unit, bands[unit], averaged[unit], count, number, ascii_only=ascii_only))
        if len(order) > SHOWN:
            text.append(f"and {len(order) - SHOWN} more, which are worse so far\n")
        text.append(
            _all_diverged({unit: seeds for unit, seeds in self.diverged.items() if seeds and unit not in bands})
        )
        return text

    def _converging(self, unit: str) -> dict[int, dict[int, float]]:
        """Return the curves of a unit's runs that have not diverged."""
        return {
            seed: curve
            for seed, curve in self.errors[unit].items()
            if curve and seed not in self.diverged.get(unit, ())
        }


def _bands(seeds: Mapping[int, Mapping[int, float]]) -> dict[int, Band]:
    """Return the band at each epoch, over the seeds that have reached it."""
    epochs = sorted({epoch for curve in seeds.values() for epoch in curve})
    errors = {epoch: [curve[epoch] for curve in seeds.values() if epoch in curve] for epoch in epochs}
    return {epoch: (min(values), fmean(values), max(values)) for epoch, values in errors.items()}


def _columns(bands: Mapping[int, Band], epochs: int, columns: int) -> dict[int, Band]:
    """Return the band at each column between the first and the last epoch, interpolated between epochs."""
    at = {epoch: 0 if epochs == 1 else round((epoch - 1) / (epochs - 1) * (columns - 1)) for epoch in bands}
    known = sorted((column, bands[epoch]) for epoch, column in at.items())
    at_column = dict(known)
    for (left, before), (right, after) in pairwise(known):
        for column in range(left + 1, right):
            part = (column - left) / (right - left)
            low, mean, high = (a + part * (b - a) for a, b in zip(before, after, strict=True))
            at_column[column] = (low, mean, high)
    return at_column


def _draw(
    cells: dict[tuple[int, int], tuple[str, str]], bands: Mapping[int, Band], frame: tuple[float, float, int], number: int,
    ascii_only: bool,
) -> None:  # fmt: skip
    low, high, height = frame
    shade, dot = (":", str(number + 1)) if ascii_only else ("░", "●")

    def row(value: float) -> int:
        return round((high - value) / (high - low) * (height - 1))

    for column, (least, _, most) in bands.items():
        for line in range(row(most), row(least) + 1):
            cells[line, column] = (shade, f"dim {COLOURS[number]}")
    for column, (_, mean, _) in bands.items():
        cells[row(mean), column] = (dot, COLOURS[number])


def _line(
    unit: str, bands: Mapping[int, Band], seeds: Mapping[int, Mapping[int, float]], diverged: int, number: int, *,
    ascii_only: bool,
) -> Text:  # fmt: skip
    last = max(bands)
    least, mean, most = bands[last]
    spread = f" ({least:.1f} to {most:.1f})" if most > least else ""
    mark = str(number + 1) if ascii_only else "●"
    name = printable(unit, _NAME)
    n = sum(last in curve for curve in seeds.values())
    beside = f"; {diverged} diverged" if diverged else ""
    return Text.assemble((mark, COLOURS[number]), f" {name}: {mean:.1f} %{spread} at epoch {last}, n = {n}{beside}\n")


def _all_diverged(seeds: Mapping[str, Collection[int]]) -> str:
    """Return the line of the units that have no run to average, nothing where there is none."""
    if not seeds:
        return ""
    named = [f"{printable(unit, _NAME)} ({len(seeds[unit])})" for unit in sorted(seeds)[:SHOWN]]
    more = f" and {len(seeds) - SHOWN} more units" if len(seeds) > SHOWN else ""
    return f"every run diverged: {', '.join(named)}{more}\n"
