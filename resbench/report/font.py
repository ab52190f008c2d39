"""Text and its size -> how wide it is drawn, in pixels: an estimate from above, whatever sans-serif font is there.

The widths are those of DejaVu Sans and Verdana, the widest of the common ones, by groups of letters.
"""

from __future__ import annotations

_NARROW, _WIDE = frozenset("iljI.,:;'|!()[]/ft "), frozenset("mwMW@%→−×·…+=~")


def text_width(text: str, size: float) -> float:
    """`size` in pixels.

    >>> round(text_width("conv3x3", 10), 1)
    44.8
    """
    return size * sum(0.42 if c in _NARROW else 0.98 if c in _WIDE or ord(c) > 0x2FF else 0.64 for c in text)
