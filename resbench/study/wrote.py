"""What a study writes itself, by `arrange` and `mutate`, and keeps in its row: its own words, and the units looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resbench.spec.node import plain
from resbench.spec.study import StudySpec
from resbench.study.point import Point

ORDER = ("unit", "doc", "cite", "params", "nodes", "when", "boundary")
"""In which people write a unit."""


def wrote(spec: StudySpec, points: Sequence[Point]) -> dict[str, Any]:
    """`words`: the study as written, where its units and trials alone would not repeat it; `wrote`: units by name."""
    units = {point.unit: plain(point.written) for point in points if point.written is not None}
    writes = any(entry.arrange is not None or entry.mutate is not None for entry in spec.units)
    words = {"words": plain(spec.node)} if writes or not spec.search.is_grid else {}
    return words | ({"wrote": units} if units else {})
