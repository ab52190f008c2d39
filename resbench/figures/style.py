"""The style of all pictures: sizes in inches and points, colours and markers, fitted names, reproducible bytes.

The colours are Okabe and Ito's, and never the only cue: each meaning also has its own marker. The text of an SVG stays text: it
can be searched, copied and read aloud, and takes a fifth of the size. Widths are measured in DejaVu Sans, which is wider than
its usual substitutes, so texts that do not overlap here do not overlap with these either.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.escape import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Ending = Literal["svg", "png", "pdf"]
ENDINGS: tuple[Ending, ...] = get_args(Ending)

WIDTH = 7.0
SIZE, SMALL = 8.0, 7.0  # points
LINE = 1.25  # height of a line of text, in font sizes
INCH = 72.0
_LARGEST = 30_000  # pixels along a side of a PNG

INK, MUTED, GREY, FAINT = "#1a1a1a", "#595959", "#9a9a9a", "#dedede"
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
BAND = "#e3eef6"  # behind the tie group


@dataclass(frozen=True, slots=True)
class MarkerStyle:
    """The marker for one meaning, with its label in the legend."""

    marker: str
    colour: str
    filled: bool
    word: str


TIED = MarkerStyle("o", BLUE, True, "tied with the best")
ON_FRONT = MarkerStyle("o", BLUE, True, "no other unit is shown to be better in every objective")
WORSE = MarkerStyle("D", INK, False, "worse (95 %)")
BEHIND = MarkerStyle("D", INK, False, "not on the front")
UNCLAIMED = MarkerStyle("s", MUTED, False, "no claim: under 3 converged runs")
FAILS = MarkerStyle("X", VERMILION, True, "fails: under half converged")
DIVERGED = MarkerStyle("x", VERMILION, True, "diverged")


def ending_of(path: Path) -> Ending:
    """Return the format of a picture by the ending of its path. Raises BadInput for any other ending."""
    given = path.suffix.lower().removeprefix(".")
    ending = next((each for each in ENDINGS if each == given), None)
    if ending is None:
        reason = f"`.{printable(given)}`" if given else "none"
        raise BadInput(
            f"{printable(str(path), 200)}: expected an ending of {', '.join(f'.{each}' for each in ENDINGS)}, got {reason}"
            f"{did_you_mean(given, ENDINGS)}"
        )
    return ending


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with matplotlib's defaults, whatever a matplotlibrc says. A missing glyph becomes an empty box, with no warning."""
    from matplotlib import rc_context, rcParamsDefault, style

    own: dict[str, Any] = {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica"],
        "font.size": SIZE, "axes.linewidth": 0.6, "axes.edgecolor": GREY,
        "text.color": INK, "axes.labelcolor": INK, "xtick.color": MUTED, "ytick.color": MUTED,
        "xtick.labelsize": SMALL, "ytick.labelsize": SMALL, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
        "xtick.major.size": 3, "ytick.major.size": 3, "axes.unicode_minus": True,
        "text.parse_math": False, "text.usetex": False,  # a dollar is a dollar
        "svg.fonttype": "none", "svg.hashsalt": "resbench", "pdf.fonttype": 42,
    }  # fmt: skip
    assert rcParamsDefault
    with rc_context(), style.context(["default", own]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Gg]lyph")
        yield


def new_figure(height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), dpi=INCH)
    FigureCanvasAgg(figure)
    return figure


def add_axes(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Add axes without the upper and right spines; positions are in inches from the lower left corner of the figure."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((left / width, bottom / height, (right - left) / width, (top - bottom) / height))
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def render(figure: Figure, ending: Ending, title: str) -> bytes:
    """Return the bytes of a figure, which are the same each time: they hold no date and no version."""
    nothing: dict[str, Any] = {
        "svg": {"Date": None, "Creator": None},
        "png": {"Software": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }[ending] | {"Title": printable(title, 300)}
    out = BytesIO()
    figure.savefig(
        out,
        format=ending,
        dpi=min(200, _LARGEST / max(figure.get_size_inches())) if ending == "png" else INCH,
        metadata=nothing,
    )
    return out.getvalue()


@lru_cache(maxsize=8192)
def text_width(text: str, size: float = SIZE, *, bold: bool = False) -> float:
    """Return the width of a text in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Gg]lyph")
        return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / INCH


def fitted(text: str, width: float, size: float = SIZE, *, lines: int = 2) -> str:
    """Wrap a text into at most `lines` lines of a width in inches, at spaces where possible.

    A text that is too long loses its middle, since the names of one study mostly differ at their ends.
    """
    all_lines = _lines(text, width, size)
    if len(all_lines) <= lines:
        return "\n".join(all_lines)
    low, high = 0, len(text) - 1  # characters kept
    while low < high:
        keep = (low + high + 1) // 2
        low, high = (keep, high) if len(_lines(_cut(text, keep), width, size)) <= lines else (low, keep - 1)
    return "\n".join(_lines(_cut(text, low), width, size))


def wrapped(text: str, width: float, size: float = SMALL) -> list[str]:
    """Wrap a text into lines of a width in inches. A number keeps its percent sign."""
    return _lines(text.replace(" %", "\u00a0%"), width, size)


def _cut(text: str, keep: int) -> str:
    return f"{text[: (keep + 1) // 2]}…{text[len(text) - keep // 2 :]}"


def _lines(text: str, width: float, size: float) -> list[str]:
    lines, rest = [], text
    while rest:
        line, rest = _line(rest, width, size)
        lines.append(line)
    return lines or [""]


def _line(text: str, width: float, size: float) -> tuple[str, str]:
    """Return as many words as fit in one line, or as many characters where no word fits, and the rest."""
    if text_width(text, size) <= width:
        return text, ""
    end = max(1, next((i for i in range(1, len(text) + 1) if text_width(text[:i], size) > width), 1) - 1)
    space = text.rfind(" ", 0, end + 1)
    if space > 0:
        return text[:space], text[space + 1 :]
    joint = max(text.rfind(sign, 0, end) for sign in "_-=,")
    if joint >= end // 2:
        end = joint + 1
    return text[:end], text[end:]


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places close to the wanted ones (rising), at least `gap` apart, between low and high as far as they fit.

    >>> spread([1.0, 1.1, 5.0], 1.0, 0.0, 9.0)
    [0.55, 1.55, 5.0]
    """
    blocks: list[list[float]] = []  # sum of wanted starts, number of members, first place
    for place in wanted:
        blocks.append([place, 1.0, place])
        while len(blocks) > 1 and blocks[-2][2] + blocks[-2][1] * gap > blocks[-1][2]:
            total, count, _ = blocks.pop()
            blocks[-1][0] += total - count * gap * blocks[-1][1]
            blocks[-1][1] += count
            blocks[-1][2] = blocks[-1][0] / blocks[-1][1]
    places = [start + k * gap for _, count, start in blocks for k in range(int(count))]
    for k in range(len(places)):  # places above `high` are moved down, then those below `low` up
        places[-1 - k] = min(places[-1 - k], high - k * gap)
    for k in range(len(places)):
        places[k] = max(places[k], low + k * gap)
    return places
