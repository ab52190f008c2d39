"""Uses of two networks -> which parameter of one is which of the other.

Both are walked in running order. Of the uses of the right sizes that are left, the one is taken that reads the results of the
uses already paired with those that ours reads: a projection and the last convolution of a bottleneck have the same sizes, but
not the same sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resbench.errors import BadInput
from resbench.spec.check import listed
from resbench.verify.trace import INPUT, Use


@dataclass(frozen=True, slots=True)
class Pairing:
    """`names`: the other network's parameter or buffer for each of ours. `doubts`: where sizes alone, or order alone, decided."""

    names: Mapping[str, str]
    doubts: tuple[str, ...]


def pair(ours: Sequence[Use], theirs: Sequence[Use], given: Mapping[str, str]) -> Pairing:
    """`given` settles pairs by name. Raises BadInput: a use without a counterpart, on either side."""
    names: dict[str, str] = {}
    doubts: list[str] = []
    partner = {INPUT: INPUT}
    free = dict(enumerate(theirs))
    for number, use in enumerate(ours):
        fitting = [
            j for j, other in free.items() if other.sizes == use.sizes and _agree(use, other, {**given, **names})
        ]
        if not fitting:
            shapes = ", ".join("x".join(map(str, size)) or "1" for size in use.sizes)
            near = [other.names[0] for other in free.values() if other.sizes == use.sizes]
            raise BadInput(
                f"{use.names[0]} ({shapes}) has no counterpart among the {len(free)} uses left in the reference"
                + (f"; of its sizes are {listed(near, 5)}" if near else f"; next there: {_next(free)}")
            )
        sources = frozenset(partner[i] for i in use.sources)
        exact = [j for j in fitting if theirs[j].sources == sources]
        if not exact:
            doubts.append(f"{use.names[0]}: {theirs[fitting[0]].names[0]} has its sizes, but reads something else")
        elif len(exact) > 1 and not set(use.names) & {*given, *names}:
            doubts.append(f"{use.names[0]}: {len(exact)} fit alike, the first was taken: {theirs[exact[0]].names[0]}")
        chosen = (exact or fitting)[0]
        names |= zip(use.names, theirs[chosen].names, strict=True)
        partner[number] = chosen
        del free[chosen]
    if free:
        raise BadInput(f"the reference has more: {len(free)} uses have no counterpart in ours; first: {_next(free)}")
    return Pairing(names, tuple(doubts))


def _agree(use: Use, other: Use, said: Mapping[str, str]) -> bool:
    """Whether a pair goes with what is known of the names: both ways, since no parameter has two partners."""
    taken = set(said.values())
    return all(
        said[mine] == its if mine in said else its not in taken
        for mine, its in zip(use.names, other.names, strict=True)
    )


def _next(free: Mapping[int, Use]) -> str:
    return next(use.names[0] for use in free.values())
