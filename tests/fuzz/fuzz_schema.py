"""A database and a seed -> tables, views, indexes and triggers in it that are none of ours, or not what sqlite_master says."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

from fuzz_rows import ODD
from fuzz_sql import changing, columns, do, table

SCHEMA = (  # {t} a table, {c} a column of it, {o} another table, {w} a word
    "ALTER TABLE {t} ADD COLUMN more", "ALTER TABLE {t} ADD COLUMN more TEXT DEFAULT 'x'",
    "ALTER TABLE {t} ADD COLUMN more GENERATED ALWAYS AS (1 + 1) VIRTUAL", "ALTER TABLE {t} RENAME TO {o}_old",
    "ALTER TABLE {t} RENAME TO rb_other", "ALTER TABLE {t} RENAME COLUMN {c} TO other", "ALTER TABLE {t} DROP COLUMN {c}",
    "DROP TABLE {t}", "DROP TABLE {t}; CREATE TABLE {t} (x)", "DROP TABLE {t}; CREATE VIEW {t} AS SELECT * FROM {o}",
    "CREATE TABLE copy AS SELECT * FROM {t}; DROP TABLE {t}; ALTER TABLE copy RENAME TO {t}",
    "CREATE TABLE mine (x, y DEFAULT (abs(1)))", "CREATE TABLE v_mine (x)", "CREATE TABLE RB_MINE (x)",
    "CREATE VIEW mine AS SELECT * FROM {t}", "CREATE VIEW v_mine AS SELECT {c} FROM {t}",
    "CREATE VIEW mine AS SELECT * FROM nothing",
    "CREATE INDEX mine ON {t} ({c})", "CREATE UNIQUE INDEX mine ON {t} ({c})", "CREATE INDEX mine ON {t} ({c}) WHERE {c} IS NULL",
    "CREATE INDEX mine ON {t} (lower({c}))", "CREATE INDEX mine ON {t} ({c} COLLATE NOCASE)",
    "CREATE TRIGGER mine AFTER INSERT ON {t} BEGIN DELETE FROM {t}; END",
    "CREATE TRIGGER mine BEFORE UPDATE ON {t} BEGIN SELECT RAISE(IGNORE); END",
    "CREATE TRIGGER mine BEFORE DELETE ON {t} BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
    "CREATE TRIGGER mine AFTER INSERT ON {t} BEGIN UPDATE {o} SET {w} = 1; END",
    "CREATE VIRTUAL TABLE words USING fts5 (body)", "CREATE VIRTUAL TABLE rb_box USING rtree (id, low, high)",
    "DROP VIEW v_runs", "DROP VIEW v_leaderboard; CREATE VIEW v_leaderboard AS SELECT 1 AS study", "ANALYZE", "REINDEX", "VACUUM",
    "PRAGMA user_version = 7", "PRAGMA application_id = 7", "PRAGMA application_id = 1919054946", "PRAGMA journal_mode = WAL",
    "PRAGMA auto_vacuum = FULL; VACUUM", "PRAGMA page_size = 512; VACUUM", "PRAGMA page_size = 65536; VACUUM",
    "PRAGMA legacy_alter_table = ON; ALTER TABLE {t} RENAME TO {w}",
    "CREATE TABLE {w} (a INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO {w} VALUES (9223372036854775807)",
    "UPDATE rb_alembic_version SET version_num = {v}", "DELETE FROM rb_alembic_version", "UPDATE {t} SET rowid = rowid + 1000",
)  # fmt: skip
WORDS = ("x", "rb_x", "v_runs", "Rb_Run", "trials", "studies", "alembic_version", "study", "epoch", "version_info")


def change_schema(path: Path, rng: random.Random) -> str:
    with changing(path) as connection:
        name = table(connection, rng)
        sql = rng.choice(SCHEMA).format(
            t=name,
            c=rng.choice(columns(connection, name)),
            o=table(connection, rng),
            w=rng.choice(WORDS),
            v=rng.choice(ODD),
        )
        for part in sql.split("; ") if "BEGIN" not in sql else [sql]:
            do(connection, part)
        return sql


def change_master(path: Path, rng: random.Random) -> str:
    """What stands in sqlite_master itself."""
    with changing(path) as connection:
        do(connection, "PRAGMA writable_schema = ON")
        try:
            names = [
                str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE sql IS NOT NULL")
            ]
            name = rng.choice(names or [""])
            ((text,),) = connection.execute("SELECT max(sql) FROM sqlite_master WHERE name = ?", (name,)).fetchall()
        except (sqlite3.Error, UnicodeDecodeError):
            return "no schema"
        column = rng.choice(["sql", "sql", "sql", "sql", "type", "name", "tbl_name", "rootpage"])
        value: Any = rng.choice(
            [None, 0, 1, 2, 3, 99, -1, "table", "view", "index", "trigger", "x", "rb_run", "", b"\xff", 2**40]
        )
        if column == "sql" and isinstance(text, str):
            value = rng.choice([_text(text, rng), _text(text, rng), _text(text, rng), value])
        do(connection, f"UPDATE sqlite_master SET {column} = ? WHERE name = ?", (value, name))
        return f"sqlite_master {name}: {column} = {str(value)[:200]}"


def _text(text: str, rng: random.Random) -> str:
    """A statement with words of it changed, or others put in."""
    at = rng.randrange(len(text) + 1)
    put = rng.choice([
        "", " ", "(", ")", ",", "'", '"', "--", "/*", " DEFAULT (abs(1))", " COLLATE NOCASE", " ON CONFLICT REPLACE",
        " REFERENCES rb_run ON DELETE CASCADE", " GENERATED ALWAYS AS (1)", " CHECK (0)", " CHECK (abs(1))", " WITHOUT ROWID",
        " STRICT", ", more TEXT NOT NULL", " UNIQUE", " PRIMARY KEY", " AS SELECT 1", "\0", "ж", "x" * 5000,
    ])  # fmt: skip
    if rng.random() < 0.3:
        at = len(text) - 1
    changed = text[:at] + put + text[at + rng.choice([0, 0, 1, 3, 20]) :]
    if rng.random() < 0.2:
        words = text.split(" ")
        i, j = rng.randrange(len(words)), rng.randrange(len(words))
        words[i], words[j] = words[j], words[i]
        changed = " ".join(words)
    return changed
