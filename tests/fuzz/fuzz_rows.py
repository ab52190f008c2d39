"""A database and a seed -> values, rows and JSON in it that none of ours are."""

from __future__ import annotations

import json
import random
import re
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from fuzz_mutations import ODD as ODD_VALUES
from fuzz_mutations import change_value
from fuzz_sql import changing, columns, do, table, tables

ODD = (  # SQL of values
    "NULL", "0", "1", "-1", "2", "7", "101", "0.5", "-0.0", "-3.5", "1e-320", "1e308", "9e999", "-9e999", "9223372036854775807",
    "-9223372036854775808", "1e30", "''", "'x'", "'nan'", "'1'", "'complete'", "'diverged'", "'failed'", "'stopped'", "'queued'",
    "'running'", "x''", "x'00'", "x'ff00fe'", "CAST(x'ff' AS TEXT)", "CAST(x'61006200' AS TEXT)", "'{}'", "'[]'", "'[1, \"x\"]'",
    "'{\"a\": NaN}'", "'null'", "'3'", "'1x8x8'", "'0x8x8'", "'99999999x99999999x99999999'", "'yesterday'", "'2026-99-99'",
    "'../../x'", "'/etc/x'", "char(27) || '[31m'", "'a' || char(10) || 'b'", "'[/red]'", "'<script>x</script>'", "'😀'",
    "char(55357)", "hex(zeroblob(3000))", "replace(hex(zeroblob(3000)), '0', '[')",
    "replace(hex(zeroblob(9000)), '0', '{\"a\":')", "zeroblob(200000)", "'{\"a\": 1e999}'", "x'5b2fd0a1e77c'",
)  # fmt: skip
STRANGE: tuple[Any, ...] = (  # values in JSON
    None, True, -1, 0, 1.5, -0.0, 1e308, float("inf"), float("nan"), 2**63, 10**400, "", "x", "\ud800", "a\0b", "\x1b[31m",
    "</script>", "é\u202e", "x" * 70_000, [], {}, [None], [1, "x"], [[[[]]]], {"": {}}, {"a": {"a": {"a": 1}}}, {"use": "x"},
    {"use": 7}, list(range(3000)), {str(n): n for n in range(3000)}, ["val_error_pct"], ["plain", "plain"], "plain", [7, 7],
    {"plain": {}}, {"plain": {"unit": "../x"}}, {"cpu": {"plain": "x"}}, {"cpu": {"plain": -1.0}},
)  # fmt: skip


def change_rows(path: Path, rng: random.Random) -> str:
    """A column of one row or of all gets an odd value; rows are deleted or doubled."""
    with changing(path) as connection:
        every = [(name, column) for name in tables(connection) for column in columns(connection, name)]
        table, column = rng.choice(every or [("nothing", "nothing")])  # most of them of the tables that hold most
        names = columns(connection, table)
        some = [name if rng.random() < 0.9 else rng.choice(ODD) for name in names]
        one = rng.choice(["", f"WHERE {(c := rng.choice(names))} = (SELECT {c} FROM {table} LIMIT 1 OFFSET {rng.randrange(9)})",
                          f"WHERE (SELECT count(*) FROM {table}) > {rng.randrange(9)}"])  # fmt: skip
        sql = rng.choice([
            *[f"UPDATE {table} SET {column} = {rng.choice(ODD)} {one}"] * 8,
            f"UPDATE {table} SET {column} = {rng.choice(names)} {one}",
            f"UPDATE {table} SET {column} = substr({column}, 2) {one}",
            f"UPDATE {table} SET {column} = -{column} {one}",
            f"DELETE FROM {table} {one}",
            f"INSERT OR REPLACE INTO {table} SELECT {', '.join(some)} FROM {table}",
        ])  # fmt: skip
        do(connection, sql)
        return sql[:200]


def change_json(path: Path, rng: random.Random) -> str:
    """What a column keeps as JSON, with something in it changed."""
    with changing(path) as connection:
        found = []
        for name in tables(connection):
            for column in columns(connection, name):
                sql = f"SELECT {column} FROM {name} WHERE typeof({column}) = 'text' AND substr({column}, 1, 1) IN ('{{', '[')"
                with suppress(sqlite3.Error, UnicodeDecodeError):
                    found += [(name, column, text) for (text,) in connection.execute(f"{sql} LIMIT 20")]
        if not found:
            return "no JSON"
        table, column, text = rng.choice(found)
        try:
            data: Any = json.loads(text)
            for _ in range(rng.choice([1, 1, 2])):
                change_value(data, rng, rng.choice([STRANGE, ODD_VALUES]))
            changed = json.dumps(data, default=str).replace("Infinity", rng.choice(["Infinity", "1e999"]))
        except (ValueError, RecursionError):
            changed = text
        if rng.random() < 0.2:
            at = rng.randrange(len(changed) + 1)
            put = rng.choice(["", "}", "[", '"', "NaN", "1e999", "\\", "\0", "9" * 30])
            changed = changed[:at] + put + changed[at + rng.randrange(3) :]
        do(connection, f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (changed, text))
        return f"{table}.{column} = {changed[:200]}"


def take_rules_away(path: Path, rng: random.Random) -> str:
    """A name that forbids nothing any more, and rows that it forbade: nothing where something must be, or the same twice."""
    with changing(path) as connection:
        name = table(connection, rng)
        told = f"{name} without its rules"
        if rng.random() < 0.4:
            found = "SELECT sql FROM sqlite_master WHERE name = ? AND typeof(sql) = 'text'"
            do(connection, "PRAGMA writable_schema = ON")
            with suppress(sqlite3.Error, UnicodeDecodeError):
                for (sql,) in connection.execute(found, (name.strip('"'),)).fetchall():
                    rules = re.sub(r"(?<!IS) NOT NULL|,\s*CONSTRAINT \w+ CHECK \(.*\)(?=,|\n)", "", sql)
                    do(connection, "UPDATE sqlite_master SET sql = ? WHERE name = ?", (rules, name.strip('"')))
        else:
            for sql in ("PRAGMA legacy_alter_table = ON", f"CREATE TABLE copy AS SELECT * FROM {name}", f"DROP TABLE {name}",
                        f"ALTER TABLE copy RENAME TO {name}"):  # fmt: skip
                do(connection, sql)
    with changing(path) as connection:
        names = columns(connection, name)
        for _ in range(rng.choice([1, 1, 2])):
            column = rng.choice(names)
            put = [rng.choice(ODD) if one == column else one for one in names]
            sql = rng.choice([
                f"UPDATE {name} SET {column} = {rng.choice(['NULL', 'NULL', *ODD])}",
                f"INSERT INTO {name} SELECT * FROM {name} LIMIT {rng.randrange(1, 5)}",
                f"INSERT INTO {name} SELECT {', '.join(put)} FROM {name} LIMIT {rng.randrange(1, 5)}",
            ])  # fmt: skip
            do(connection, sql)
            told += f", {sql[:200]}"
    return told
