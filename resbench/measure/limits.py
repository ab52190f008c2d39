"""BoundNetwork, a study's budget -> the limit that the network exceeds, before training.
All but latency is computed on `meta`.
"""

from __future__ import annotations

from collections.abc import Callable

from resbench.compiler.graph import BoundNetwork
from resbench.errors import TooLarge
from resbench.language.study.budget import StudyBudget
from resbench.measure.latency import Latency
from resbench.measure.memory import memory_mib


def over_budget(
    bound: BoundNetwork, budget: StudyBudget, cost: tuple[int, int], latency: Callable[[str], Latency]
) -> str | None:
    """Return the exceeded limit in words, None if there is none. The most expensive checks come last.

    `cost`: params, macs; `latency`: measures it on a device.
    """
    for name, value, limit in (("params", cost[0], budget.params), ("macs", cost[1], budget.macs)):
        if limit is not None and value > limit:
            return f"{value:,} {name}; the budget is {limit:,}"
    if budget.memory_mib is not None:
        kept = memory_mib(bound)
        if kept is not None and kept > budget.memory_mib:
            return f"training keeps {kept:.2f} MiB of one image; the budget is {budget.memory_mib:g} MiB"
    for device, most in budget.latency_ms.items():
        try:
            taken = latency(device)
        except TooLarge as error:
            return str(error)
        if taken.median > most:
            seen = f"{taken.median:.2f} ms for one image on {taken.device} (median of {taken.n})"
            return f"{seen}; the budget is {most:g} ms"
    return None
