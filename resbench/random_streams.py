"""(seed, epoch, purpose) -> stream: an int below 2**63.  Every random generator of resbench is seeded with one of these.

A stream is named by its purpose, so adding a draw for one purpose changes no other; and by the epoch, so a resumed run
needs no saved generator state. blake2b is stable over Python versions and machines, unlike `hash`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

LARGEST = 2**63 - 1  # seed; SQLite and Postgres store no larger integer


def stream(seed: int, epoch: int, purpose: str) -> int:
    """Return the seed of the generator for one purpose in one epoch (epoch 0 before training; the first epoch is 1).

    >>> stream(0, 1, "order") == stream(0, 1, "order")
    True
    >>> stream(0, 1, "order") == stream(0, 2, "order")
    False
    """
    digest = blake2b(f"{seed}/{epoch}/{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@dataclass(frozen=True, slots=True)
class Shard:
    """The share of a batch that one of several processes trains: part number `rank`, from 0, of `of` equal parts."""

    rank: int = 0
    of: int = 1

    def own(self, n: int) -> slice:
        """Return the slice of this part, n images, in the whole batch."""
        return slice(self.rank * n, (self.rank + 1) * n)


WHOLE = Shard()
