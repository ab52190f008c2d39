"""The metadata of all our tables."""

from __future__ import annotations

import resbench.store.schema.change_tables
import resbench.store.schema.tables
import resbench.store.schema.work_tables  # noqa: F401  (importing them makes their tables known)
from resbench.store.schema.columns import metadata

__all__ = ["metadata"]
