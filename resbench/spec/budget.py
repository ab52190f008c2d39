"""`budget` of a study -> Budget: what one network may cost, and how much the study may train."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from typing import Any

from resbench.spec.check import Check
from resbench.spec.node import Node

_SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_AMOUNT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)([kMGT]?)")
_COUNTS = ("params", "macs", "trials", "runs")
_MEASURED = ("memory_mib", "latency_ms")


@dataclass(frozen=True, slots=True)
class Budget:
    """Of a network: params, macs, MiB that training keeps of one image, milliseconds for one image on this machine's CPU.
    Of a study: trials, runs; totals, exact. None: no limit.
    """

    params: int | None = None
    macs: int | None = None
    memory_mib: float | None = None
    latency_ms: float | None = None
    trials: int | None = None
    runs: int | None = None


def parse_budget(node: Node, check: Check) -> Budget:
    check.keys(node, [], (*_COUNTS, *_MEASURED))
    limits: dict[str, Any] = {}
    for key in _MEASURED:
        if key in node.mapping:
            given = node.mapping[key]
            if isinstance(given.value, bool) or not isinstance(given.value, int | float) or not 0 < given.value < inf:
                check.report(given, f"a number above 0 is needed, got {given.shown()}")
            else:
                limits[key] = float(given.value)
    for key in _COUNTS:
        if key in node.mapping:
            value = amount(node.mapping[key].value)
            if value is None:
                check.report(
                    node.mapping[key], f"an amount such as 2M or 300_000 is needed, got {node.mapping[key].shown()}"
                )
            else:
                limits[key] = value
    return Budget(**limits)


def amount(value: object) -> int | None:
    """A count, or text with a suffix k, M, G, T; None for anything else.

    >>> amount("2M"), amount("1.5G"), amount(300), amount("many")
    (2000000, 1500000000, 300, None)
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = _AMOUNT.fullmatch(value.replace("_", "")) if isinstance(value, str) else None
    return round(float(match[1]) * _SUFFIXES[match[2]]) or None if match else None
