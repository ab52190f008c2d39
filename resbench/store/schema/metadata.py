"""Every table of ours, for whoever makes or tells of all of them."""

from __future__ import annotations

import resbench.store.schema.change_tables
import resbench.store.schema.tables
import resbench.store.schema.work_tables  # noqa: F401  (importing them makes their tables known)
from resbench.store.schema.columns import metadata

__all__ = ["metadata"]
