"""Latencies of one study's networks: each is measured once and kept with the study, so that a budget refuses the same ones at
every start.  No torch here but where one is measured or read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from resbench.compiler.graph import BoundNetwork
from resbench.store.open import Engine
from resbench.store.results.stored import stored_study

if TYPE_CHECKING:
    from resbench.measure.latency import Latency


@dataclass(slots=True)
class Latencies:
    """Latencies that were measured, by device and digest."""

    measured: dict[str, dict[str, Latency]] = field(default_factory=dict)

    def adopt(self, others: Latencies) -> bool:
        """Take over what others have measured, in the place of one's own. Returns whether that changes any."""
        before = self.as_json()
        for device, each in others.measured.items():
            self.measured[device] = self.measured.get(device, {}) | each
        return self.as_json() != before

    def of(self, bound: BoundNetwork, digest: str, device: str) -> Latency:
        """Return the latency of a network on a device, measured where it is not known."""
        from resbench.measure.latency import latency_ms

        there = self.measured.setdefault(device, {})
        if digest not in there:
            there[digest] = latency_ms(bound, device)
        return there[digest]

    def as_json(self) -> dict[str, dict[str, Any]]:
        return {device: {digest: asdict(one) for digest, one in each.items()} for device, each in self.measured.items()}


def latencies_from(value: Mapping[str, Mapping[str, Any]]) -> Latencies:
    """Read what `as_json` gave."""
    if not value:
        return Latencies()
    from resbench.measure.latency import Latency

    return Latencies({device: {key: Latency(**one) for key, one in each.items()} for device, each in value.items()})


def latencies_of(engine: Engine, study: str) -> Latencies:
    """Read those of a study; empty where there is none of that name yet."""
    stored = stored_study(engine, study)
    return Latencies() if stored is None else latencies_from(stored.latencies)
