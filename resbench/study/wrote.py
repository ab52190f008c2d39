"""What a study writes itself, by `arrange` and `mutate`, and keeps in its row: its own words, and the units looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resbench.errors import BadInput, did_you_mean
from resbench.spec.node import plain
from resbench.spec.study import StudySpec
from resbench.store.engine import Engine
from resbench.store.studies import study_spec
from resbench.study.point import Point

ORDER = ("unit", "doc", "cite", "params", "nodes", "when", "boundary")
"""In which people write a unit."""


def wrote(spec: StudySpec, points: Sequence[Point]) -> dict[str, Any]:
    """`words`: the study as written, where its units and trials alone would not repeat it; `wrote`: units by name."""
    units = {point.unit: plain(point.written) for point in points if point.written is not None}
    writes = any(entry.arrange is not None or entry.mutate is not None for entry in spec.units)
    words = {"words": plain(spec.node)} if writes or not spec.search.is_grid else {}
    return words | ({"wrote": units} if units else {})


def unit_of_study(engine: Engine, study: str, unit: str) -> dict[str, Any]:
    """A unit that the study wrote, as data. Raises BadInput, with the names there are, for one that it did not."""
    units: dict[str, dict[str, Any]] = study_spec(engine, study).get("wrote", {})
    if unit in units:
        kept = units[unit]  # JSON of ours is sorted
        return {key: kept[key] for key in (*(key for key in ORDER if key in kept), *sorted({*kept} - {*ORDER}))}
    if not units:
        raise BadInput(f"study {study} has written no unit itself; `resbench unit show {unit}` shows one of a file")
    some = ", ".join([*units][:20]) + (f" and {len(units) - 20} more" if len(units) > 20 else "")
    raise BadInput(f"study {study} has written no unit `{unit}`{did_you_mean(unit, [*units])}; it wrote: {some}")
