"""`budget` of a study -> StudyBudget: the limits on the cost of one network and on the training of the study."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems

_SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_AMOUNT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)([kMGT]?)")
_COUNTS = ("params", "macs", "trials", "runs")
DEVICE = re.compile(r"cpu|mps|cuda(:[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class StudyBudget:
    """The limits of a study. Per network: params, macs, MiB that training keeps of one image, milliseconds for one
    image by device. Per study: trials and runs, exact totals. None: no limit.
    """

    params: int | None = None
    macs: int | None = None
    memory_mib: float | None = None
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    trials: int | None = None
    runs: int | None = None


def parse_budget(node: Node, check: Problems) -> StudyBudget:
    check.keys(node, [], (*_COUNTS, "memory_mib", "latency_ms"))
    limits: dict[str, Any] = {}
    if "memory_mib" in node.mapping:
        limits["memory_mib"] = _above_zero(node.mapping["memory_mib"], check)
    if "latency_ms" in node.mapping:
        limits["latency_ms"] = _by_device(node.mapping["latency_ms"], check)
    for key in _COUNTS:
        if key in node.mapping:
            value = amount(node.mapping[key].value)
            if value is None:
                check.report(
                    node.mapping[key], f"an amount such as 2M or 300_000 is needed, got {node.mapping[key].shown()}"
                )
            else:
                limits[key] = value
    return StudyBudget(**limits)


def _by_device(node: Node, check: Problems) -> dict[str, float]:
    """Parse latency limits by device; `latency_ms: 20` is `latency_ms: {cpu: 20}`."""
    if not node.mapping:
        return {"cpu": _above_zero(node, check)}
    for key in node.mapping:
        if not DEVICE.fullmatch(key):
            check.report(node.mapping[key], f"unknown device `{key}`; allowed: cpu, cuda, cuda:1, mps")
    return {key: _above_zero(value, check) for key, value in node.mapping.items()}


def _above_zero(node: Node, check: Problems) -> float:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float) or not 0 < node.value < inf:
        check.report(node, f"a number above 0 is needed, got {node.shown()}")
        return inf
    return float(node.value)


def amount(value: object) -> int | None:
    """Return a count, or text with a suffix k, M, G, T; None for anything else.

    >>> amount("2M"), amount("1.5G"), amount(300), amount("many")
    (2000000, 1500000000, 300, None)
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = _AMOUNT.fullmatch(value.replace("_", "")) if isinstance(value, str) else None
    return round(float(match[1]) * _SUFFIXES[match[2]]) or None if match else None
