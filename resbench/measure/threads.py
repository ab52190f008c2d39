"""The number of CPU threads for a network: in a small one threads mostly wait for each other, which wastes CPU time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALL_MACS = 2e9  # of a forward pass: below it one thread is as fast


@contextmanager
def enough_threads(macs: float) -> Iterator[None]:
    """Use one thread inside the block if a forward pass is small, else all threads."""
    available = torch.get_num_threads()
    torch.set_num_threads(1 if macs < SMALL_MACS else available)
    try:
        yield
    finally:
        torch.set_num_threads(available)
