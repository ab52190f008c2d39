"""Looks of a race, each with the samples there were -> who was left out at which look, and who is still in.

The looks are written in the study before its first run. Each spends an equal share of the 5 % in rule 6 among the units still in;
who is out gets no more seeds, so its later silence says nothing. A race is its runs: replayed from them it comes out the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resbench.statistics.sample import LEVEL
from resbench.statistics.standing import Scored, standing


@dataclass(frozen=True, slots=True)
class Race:
    """`left`: the look, from 0, at which a unit was left out, None: still in. `taken`: looks that were taken, of `planned`.

    `tied`: as in `standing`; all None before the first look."""

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
    """`looks`: for each that was taken, every objective's samples of the first so many seeds; units that are out may be in them.

    A unit that is not in a look (it has not all of its seeds) or has runs too few for a test stays in: nothing is known of it.
    """
    left: dict[str, int | None] = dict.fromkeys(names)
    tied: dict[str, bool | None] = dict.fromkeys(names)
    for number, scored in enumerate(looks):
        inside = {name for name, look in left.items() if look is None}
        found = standing([each.of(inside) for each in scored], LEVEL / planned)
        tied |= {name: member for name, member in found.items() if member is not None}
        left |= {name: number for name, member in found.items() if member is False}
    return Race(left, tied, len(looks), planned)
