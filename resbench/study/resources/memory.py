"""Points of a study, a device -> whether they fit there (measure/memory_check.py), and what does not, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from resbench.errors import TooLarge
from resbench.measure.capacity import Capacity, free_bytes
from resbench.measure.footprint import at_most, size, training
from resbench.measure.memory_check import DeviceMemory, ample, lacks_memory
from resbench.search.point import Point
from resbench.store.open import Engine
from resbench.store.results.runs import Rung, find_runs
from resbench.store.results.stored import stored_study
from resbench.train.memory import Images, load_of
from resbench.workers.cell_plan import workers_that_fit

if TYPE_CHECKING:
    import torch

SHOWN = 5


def lacks(point: Point, data: Images, there: DeviceMemory) -> str | None:
    """Return why one seed of it cannot be trained there; None where it can."""
    lacking = lacks_memory(point.bound, load_of(point.bound, point.recipe, data), there)
    return None if lacking is None else f"{point.name} in {point.bound.name}: {lacking}"


def refuse(points: Sequence[Point], data: Images, there: DeviceMemory | None) -> None:
    """Raise TooLarge with those that cannot be trained there."""
    found = [] if there is None else [text for point in points if (text := lacks(point, data, there)) is not None]
    if found:
        more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        raise TooLarge("\n".join([*found[:SHOWN], *more]))


def short_now(points: Sequence[Point], data: Images, device: torch.device) -> str | None:
    """Say that less is free just now than the largest network needs, where it is so."""
    free = free_bytes(device)
    if free is None or not points:
        return None
    loads = {id(point): load_of(point.bound, point.recipe, data) for point in points}
    largest = max(points, key=lambda point: at_most(point.bound, loads[id(point)]))
    if at_most(largest.bound, loads[id(largest)]) <= free:
        return None
    need = training(largest.bound, loads[id(largest)])
    if need.total <= free:
        return None
    title = f"{largest.name} in {largest.bound.name}"
    return f"{title}: training needs {need}, and {size(free)} are free now: other work has the rest"


def crowded(points: Sequence[Point], data: Images, there: DeviceMemory | None) -> Iterator[str]:
    """Say where a recipe asks for more workers than can train the largest network side by side: there will be fewer."""
    most = max((point.recipe.plan.workers or 0 for point in points), default=0)
    if there is not None and most > 1 and points:
        largest = max(points, key=lambda point: at_most(point.bound, load_of(point.bound, point.recipe, data)))
        needs = ample(largest.bound, load_of(largest.bound, largest.recipe, data, largest.recipe.plan.width or 1))
        _, warning = workers_that_fit(there.device, [needs], most)
        yield from [warning] * bool(warning)


def begun_on(engine: Engine, study: str, own: DeviceMemory | None) -> DeviceMemory | None:
    """Return by which memory a search refuses points: that of its first start, so that every start is the same; else `own`."""
    stored = stored_study(engine, study)
    limit = stored.memory_bytes if stored is not None else None if own is None else own.device.one
    if own is not None and limit == own.device.one:
        return own
    return None if limit is None else DeviceMemory(Capacity("the device on which this search was begun", limit, limit))


def without_runs(engine: Engine, points: Sequence[Point], data: str, seeds: Sequence[int]) -> list[Point]:
    """Return those of which the database has no run at all."""
    return [p for p in points if not find_runs(engine, p.digest, p.recipe.digest, data, seeds, rung=Rung(1))]
