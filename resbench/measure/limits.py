"""BoundNetwork, a study's budget -> what of it the network is over, before it is trained.  All on `meta` but latency."""

from __future__ import annotations

from resbench.compiler.graph import BoundNetwork
from resbench.measure.latency import latency_ms
from resbench.measure.memory import memory_mib
from resbench.spec.budget import Budget


def over_budget(bound: BoundNetwork, budget: Budget, n_params: int, n_macs: int) -> str | None:
    """In words, None where it is within. What costs most to know is looked at last."""
    for name, value, limit in (("params", n_params, budget.params), ("macs", n_macs, budget.macs)):
        if limit is not None and value > limit:
            return f"{value:,} {name}; the budget is {limit:,}"
    if budget.memory_mib is not None:
        kept = memory_mib(bound)
        if kept is not None and kept > budget.memory_mib:
            return f"training keeps {kept:.2f} MiB of one image; the budget is {budget.memory_mib:g} MiB"
    if budget.latency_ms is not None:
        taken = latency_ms(bound)
        if taken.median > budget.latency_ms:
            seen = f"{taken.median:.2f} ms for one image on {taken.device} (median of {taken.n})"
            return f"{seen}; the budget is {budget.latency_ms:g} ms"
    return None
