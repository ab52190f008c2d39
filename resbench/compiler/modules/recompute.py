"""Run units so that only their input and output are kept; the rest is recomputed in the backward pass.

n units in segments of about sqrt(n) need memory of about 2 sqrt(n) units.  Chen et al. 2016, arXiv:1604.06174. The
recomputation gives the same bits and has no side effects: running statistics are restored, and random ops draw the
same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from resbench.ops.parameter import Random


def recomputed(units: Sequence[nn.Module], x: Tensor) -> Tensor:
    """Return the result of the units, run one after the other."""
    once = _Once(units)

    def run(x: Tensor) -> Tensor:
        for unit in units:
            x = unit(x)
        return x

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return once.first(), once.again()

    result: Tensor = checkpoint(run, x, use_reentrant=False, preserve_rng_state=False, context_fn=contexts)
    return result


@dataclass(slots=True)
class _Once:
    """The streams and buffers as they were when the units first ran: some ops read their own earlier state."""

    units: Sequence[nn.Module]
    before: list[Tensor] = field(default_factory=list)

    @contextmanager
    def first(self) -> Iterator[None]:
        self.before = self.read()
        yield

    @contextmanager
    def again(self) -> Iterator[None]:
        now = self.read()
        self.write(self.before)
        try:
            yield
        finally:
            self.write(now)

    def read(self) -> list[Tensor]:
        return [*(stream.get_state() for stream in self.streams()), *(buffer.clone() for buffer in self.buffers())]

    @torch.no_grad()
    def write(self, states: list[Tensor]) -> None:
        streams = self.streams()
        for stream, state in zip(streams, states, strict=False):
            stream.set_state(state)
        for buffer, state in zip(self.buffers(), states[len(streams) :], strict=True):
            buffer.copy_(state)

    def streams(self) -> list[torch.Generator]:
        parts = (part for unit in self.units for part in unit.modules())
        return [part.generator for part in parts if isinstance(part, Random) and part.generator is not None]

    def buffers(self) -> list[Tensor]:
        return [buffer for unit in self.units for buffer in unit.buffers()]
