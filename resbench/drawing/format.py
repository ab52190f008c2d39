"""Numbers, shapes and places -> the texts of every kind of picture, and their width. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_NARROW, _WIDE = frozenset("iljI.,:;'|!()[]/ft "), frozenset("mwMW@%→−×·…+=~")


def counts(values: Sequence[float]) -> list[str]:
    """Return the ticks of an axis, with the fewest digits, from three, that show each within a twentieth of a step.

    >>> counts([1320, 1321, 1322.5]), counts([0, 500_000, 1_000_000])
    (['1.32k', '1.321k', '1.3225k'], ['0', '500k', '1M'])
    """
    step = min((b - a for a, b in pairwise(sorted(set(values)))), default=0.0)
    digits = next((n for n in range(3, 15) if all(abs(_rounded(v, n) - v) <= step / 20 for v in values)), 15)
    return [count(value, digits) for value in values]


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def count(value: float | None, digits: int = 3) -> str:
    """Return a large count in short form, by default with three digits.

    >>> count(853018), count(40_551_040), count(999_999), count(12), count(None)
    ('853k', '40.6M', '1M', '12', '–')
    """
    if value is None:
        return "–"
    for size, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if _rounded(value, digits) >= size:  # also a number that rounds up to it
            return f"{value / size:.{digits}g}{suffix}"
    return f"{value:.{max(digits, 6)}g}"


def times(shape: Sequence[int]) -> str:
    """Return a shape as pictures show it: (16, 32, 32) -> `16×32×32`."""
    return "×".join(str(size) for size in shape)


def cost(params: int, macs: int) -> str:
    """Return the cost of an op or a unit; zero costs are omitted.

    >>> cost(2304, 2_359_296), cost(1, 0), cost(0, 0)
    ('2.3k params · 2.36M MACs', '1 param', '')
    """
    costs = ((params, "param"), (macs, "MAC"))
    return " · ".join(f"{count(number)} {name}{'s' if number > 1 else ''}" for number, name in costs if number)


def cut(text: str, length: int) -> str:
    """Cut a text to `length` characters, with an ellipsis where some are missing.

    >>> cut("shortcut", 8), cut("shortcut", 5)
    ('shortcut', 'shor…')
    """
    return text if len(text) <= length else f"{text[: max(0, length - 1)]}…"


def name_of(node: str) -> str:
    """Return a node's name; inside a block it begins with the block's name without its number, and omits `y`, which
    every block has.

    >>> name_of("f"), name_of("h.shortcut1.y"), name_of("f.squeeze_excite1.s")
    ('f', 'h.shortcut', 'f.squeeze_excite.s')
    """
    parts = [part.rstrip("0123456789") if i % 2 else part for i, part in enumerate(node.split("."))]
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "y" else parts)


def text_width(text: str, size: float) -> float:
    """Return the width of a text in pixels, at a font size in pixels.

    >>> round(text_width("conv3x3", 10), 1)
    44.8
    """
    return size * sum(0.42 if c in _NARROW else 0.98 if c in _WIDE or ord(c) > 0x2FF else 0.64 for c in text)
