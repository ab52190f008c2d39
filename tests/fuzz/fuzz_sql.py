"""A connection to an SQLite file that is being broken: what of a statement it allows, its tables and columns, or what is left."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any


def changing(path: Path) -> closing[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("foreign_keys = OFF", "ignore_check_constraints = ON", "synchronous = OFF"):
        do(connection, f"PRAGMA {pragma}")
    return closing(connection)


def do(connection: sqlite3.Connection, sql: str, values: tuple[Any, ...] = ()) -> None:
    """What the file allows; it may be broken already."""
    with suppress(sqlite3.Error, UnicodeDecodeError, OverflowError):
        connection.execute(sql, values).fetchall()


def tables(connection: sqlite3.Connection) -> list[str]:
    with suppress(sqlite3.Error, UnicodeDecodeError):
        sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        return [f'"{name}"' for (name,) in connection.execute(sql) if isinstance(name, str)]
    return []


def table(connection: sqlite3.Connection, rng: random.Random) -> str:
    return rng.choice(tables(connection) or ["nothing"])


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    with suppress(sqlite3.Error, UnicodeDecodeError):
        return [f'"{row[1]}"' for row in connection.execute(f"PRAGMA table_info({table})")] or ["nothing"]
    return ["nothing"]
