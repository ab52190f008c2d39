"""Names of units -> how tables, reports and pictures show them: of a number at most four significant digits.

A name is a key: databases, JSON and exported files have it whole. Two names that would be alike are shown whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

DIGITS = 4
_NUMBER = re.compile(r"(?<==)-?[0-9]+(?:\.[0-9]+(?:e[-+]?[0-9]+)?|e[-+]?[0-9]+)(?![^\s])")


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return how each name is shown beside the others.

    >>> short_names(["a lr=0.012345678", "a lr=0.5", "b"])
    {'a lr=0.012345678': 'a lr=0.01235', 'a lr=0.5': 'a lr=0.5', 'b': 'b'}
    >>> short_names(["a lr=0.0123456", "a lr=0.0123459"])
    {'a lr=0.0123456': 'a lr=0.0123456', 'a lr=0.0123459': 'a lr=0.0123459'}
    """
    short = {name: _NUMBER.sub(_rounded, name) for name in names}
    alike: dict[str, int] = {}
    for text in short.values():
        alike[text] = alike.get(text, 0) + 1
    return {name: text if alike[text] == 1 else name for name, text in short.items()}


def _rounded(found: re.Match[str]) -> str:
    text = f"{float(found[0]):.{DIGITS}g}"
    return text if len(text) < len(found[0]) else found[0]
