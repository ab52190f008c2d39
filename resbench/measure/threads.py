"""How many CPU threads pay for a network: of a small one they wait for each other, and burn CPU time while they do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALL_MACS = 2e9  # of a forward pass: below it one thread is as fast


@contextmanager
def enough_threads(macs: float) -> Iterator[None]:
    """One thread for a forward pass of so few multiply-adds, else as many as there are."""
    there = torch.get_num_threads()
    torch.set_num_threads(1 if macs < SMALL_MACS else there)
    try:
        yield
    finally:
        torch.set_num_threads(there)
