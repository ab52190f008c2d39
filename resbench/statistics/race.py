"""Interim looks of a race, each with its samples -> the look at which each unit was eliminated, and the units still in.

The looks are fixed in the study before its first run. Each spends an equal share of the 5 % in rule 6 among the units still in;
an eliminated unit gets no more seeds, so missing runs say nothing. A race depends only on its runs: a replay gives the same
result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resbench.statistics.sample import LEVEL
from resbench.statistics.standing import Scored, standing


@dataclass(frozen=True, slots=True)
class Race:
    """The state of a race. `left`: the look, from 0, at which a unit was eliminated; None: still in. `taken`: looks so far, of

    `planned`. `tied`: as in `standing`; all None before the first look."""

    left: dict[str, int | None]
    tied: dict[str, bool | None]
    taken: int
    planned: int

    @property
    def still_in(self) -> tuple[str, ...]:
        return tuple(name for name, look in self.left.items() if look is None)

    @property
    def over(self) -> bool:
        return self.taken == self.planned or (self.taken > 0 and len(self.still_in) <= 1)


def race(names: Sequence[str], looks: Sequence[Sequence[Scored]], planned: int) -> Race:
    """Replay a race. `looks`: for each look so far, every objective's samples of the seeds up to it; eliminated units may be
    in them.

    A unit that is missing in a look (some seeds have no run) or has too few runs for a test stays in.
    """
    left: dict[str, int | None] = dict.fromkeys(names)
    tied: dict[str, bool | None] = dict.fromkeys(names)
    for number, scored in enumerate(looks):
        inside = {name for name, look in left.items() if look is None}
        found = standing([each.of(inside) for each in scored], LEVEL / planned)
        tied |= {name: member for name, member in found.items() if member is not None}
        left |= {name: number for name, member in found.items() if member is False}
    return Race(left, tied, len(looks), planned)
