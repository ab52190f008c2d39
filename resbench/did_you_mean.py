"""A word that is not allowed, and those that are -> the nearest, as a message shows them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches


def did_you_mean(given: object, allowed: Sequence[str]) -> str:
    """Return the end of a message about an unknown name: its nearest matches.

    >>> did_you_mean("rleu", ["relu", "bn"])
    '; did you mean `relu`?'
    >>> did_you_mean("zzz", ["relu"])
    ''
    """
    near = get_close_matches(str(given), allowed, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
