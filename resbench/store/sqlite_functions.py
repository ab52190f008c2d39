"""sqlite3 connection -> the same with `sqrt`, which the views need, where SQLite was built without mathematics."""

from __future__ import annotations

import math
import sqlite3


def add_functions(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("SELECT sqrt(4.0)").close()
    except sqlite3.OperationalError:
        connection.create_function("sqrt", 1, sqrt_or_null, deterministic=True)


def sqrt_or_null(x: float | None) -> float | None:
    """What SQLite's own gives: NULL for NULL and below 0.

    >>> sqrt_or_null(9.0), sqrt_or_null(-1.0), sqrt_or_null(None)
    (3.0, None, None)
    """
    return None if x is None or x < 0 else math.sqrt(x)
