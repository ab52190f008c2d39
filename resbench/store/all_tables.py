"""Every table of ours, for whoever makes or tells of all of them."""

from __future__ import annotations

import resbench.store.change_tables
import resbench.store.tables
import resbench.store.work_tables  # noqa: F401  (importing them makes their tables known)
from resbench.store.columns import metadata

__all__ = ["metadata"]
