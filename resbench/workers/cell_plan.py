"""Seeds -> blocks of seeds, each one network: a seed has the same place in the same block, whichever others are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resbench.language.recipe.execution import PlanSpec
from resbench.measure.capacity import Capacity
from resbench.store.records import Cell


@dataclass(frozen=True, slots=True)
class Block:
    """`seeds`: all that are trained as one network, in their places; `wanted`: those of them whose runs are saved.

    The others fill their places: the last bits of a run depend on the number of seeds beside it and on its place among them.
    """

    seeds: tuple[int, ...]
    wanted: tuple[int, ...]


def blocks(seeds: Sequence[int], width: int) -> list[Block]:
    """In the order of their first wanted seeds.

    >>> [block.seeds for block in blocks((0, 1, 2, 7), 5)]
    [(0, 1, 2, 3, 4), (5, 6, 7, 8, 9)]
    """
    wanted: dict[tuple[int, ...], list[int]] = {}
    for seed in seeds:
        wanted.setdefault(_places(seed, width), []).append(seed)
    return [Block(places, tuple(some)) for places, some in wanted.items()]


def _places(seed: int, width: int) -> tuple[int, ...]:
    first = seed - seed % width
    return tuple(range(first, first + width))


_SAID, _WORKERS, _NEEDS = "said", "workers", "needs_bytes"
_OF_THE_STAGE = ("upto", "judges", "prune")


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds without a step, seconds in all, MiB of memory; None: no limit."""

    stall_s: float = 900.0
    cell_s: float | None = None
    memory_mib: float | None = None


def with_needs(plan: Mapping[str, Any], needs: int) -> dict[str, Any]:
    """`needs`: bytes that are sure to be enough for whoever trains the cell."""
    return {**plan, _NEEDS: needs}


def needs_of(cells: Iterable[Cell]) -> list[int]:
    """Bytes of each."""
    return [int(cell.plan.get(_NEEDS, 0)) for cell in cells]


def within(memory: Capacity | None, each: Iterable[int], count: int) -> tuple[int, str]:
    """How many of `count` workers may train any of these side by side, and what is to be said where it is not all of them.

    Workers are spread evenly over the devices, and no memory of one serves a worker on another. Each device has one at least:
    what a cell needs is an ample guess, and what cannot be trained at all was refused before.

    Args:
        memory: of each device; None where it is not known.
        each: bytes that each cell needs.
        count: of workers wished for.
    """
    needs = max(each, default=0)
    if memory is None or needs == 0:
        return count, ""
    fit = memory.devices * max(1, memory.total // needs)
    if fit >= count:
        return count, ""
    has = "in all" if memory.devices == 1 else f"on each of {memory.devices} devices"
    sizes = f"{needs / 2**30:.3g} GiB each, {memory.total / 2**30:.3g} GiB {has}"
    return fit, f"{count} workers side by side are too many for the memory ({sizes}): {fit} train{'s' * (fit == 1)}"


def with_said(plan: Mapping[str, Any], said: PlanSpec, workers: int) -> dict[str, Any]:
    """`workers`: how many processes the cell was planned to be shared by."""
    return {**plan, _SAID: said.model_dump(mode="json"), _WORKERS: workers}


def marks_of(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What a stage has put there (search/stage.py)."""
    return {key: plan[key] for key in _OF_THE_STAGE if key in plan}


def without_said(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plan.items() if key not in (_SAID, _WORKERS, _NEEDS, *_OF_THE_STAGE)}


def says_so_still(plan: Mapping[str, Any], said: PlanSpec) -> bool:
    return bool(plan.get(_SAID) == said.model_dump(mode="json"))


def planned_workers(plan: Mapping[str, Any]) -> int | None:
    return plan.get(_WORKERS)


def profile_epochs(plan: Mapping[str, Any]) -> Sequence[int]:
    """After which signal and gradient are looked at."""
    said: Sequence[int] = plan.get(_SAID, {}).get("profile", ())
    return said


def limits_of(plan: Mapping[str, Any]) -> Limits:
    said = plan.get(_SAID, {})
    return Limits(**{name: said[name] for name in Limits.__slots__ if name in said})
