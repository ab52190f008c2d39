"""Where on a Ray cluster cells are trained.  Imports no Ray."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """`address`: of a cluster that runs; None starts one on this machine. `cpus`, `gpus`: of each slot; gpus may be a part."""

    address: str | None = None
    cpus: float = 1.0
    gpus: float = 0.0


def ask_for_a_token(place: Place) -> None:
    """A cluster of this machine's own lets in who has its token. Ray reads this when it is imported, and so do its processes."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if place.address is None and "RAY_AUTH_MODE" not in os.environ:
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
