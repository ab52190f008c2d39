"""Texts that formats could obey, a database full of one, and what tells whether anything was obeyed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

TEXT = (
    "=\x1b[31m\x1b]0;t\x07\u202e\u2028\u200b\U000e0001[red]</text></svg><script>alert(1)</script>$x$|`x`\n"
    'FORGED: 0 """ \'*_a_* \\ & {%} # --'
)
STUDY = f"small {TEXT}"

TURNING = "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff\ufff9\uffff\U000e0001\U0010ffff"
HALVES = "\ud800\udbff\udc80\udfff"  # of a pair
CHARACTERS = [*map(chr, range(0x250)), *TURNING, *HALVES]
PIECES = ['"', '"""', "'", "\\", "\n", "a", "`", "$", "{", "}", "*", "_", "|", "<", "&", "#", "-", ";", ":", " "]
COMBINED = ["".join(parts) for length in (1, 2, 3) for parts in product(PIECES, repeat=length)]
ANY = st.text(st.characters(exclude_categories=()), max_size=12) | st.text(
    st.sampled_from("".join(PIECES) + "=+@\t\r%[]()!.1~")
)
SETTINGS = settings(max_examples=500, deadline=None, derandomize=True)


def unprintable(text: str) -> str:
    """What of a text no terminal, page or file may be given; line breaks are looked for by `forged`."""
    return "".join(sorted({sign for sign in text if not sign.isprintable()} - {"\n"}))


def forged(text: str) -> list[str]:
    """Lines that the line break in TEXT began."""
    return [line for line in text.splitlines() if line.startswith("FORGED")]


def make_hostile(path: Path) -> None:
    """TEXT behind every text of a study in a database that is no digest, status or time, and that names no data set."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, column in (
            ("rb_study", "name"), ("rb_trial", "name"), ("rb_trial", "unit"), ("rb_trial", "network"), ("rb_recipe", "name"),
            ("rb_architecture", "unit"), ("rb_architecture", "network"), ("rb_environment", "package_version"),
            ("rb_environment", "python"), ("rb_environment", "torch"), ("rb_environment", "platform"), ("rb_worker", "name"),
            ("rb_worker", "study"), ("rb_worker", "host"), ("rb_worker", "device"), ("rb_cell", "claimed_by"),
            ("rb_attempt", "worker"), ("rb_lease", "holder"),
        ):  # fmt: skip
            connection.execute(f"UPDATE {table} SET {column} = {column} || ' ' || ?", (TEXT,))
        connection.execute("UPDATE rb_environment SET git_commit = ?", (TEXT,))
        connection.execute("UPDATE rb_run SET error = ?", (TEXT,))
        connection.execute("UPDATE rb_cell SET status = 'failed', error = ?", (f"{TEXT}\n{TEXT}",))
        connection.execute("UPDATE rb_attempt SET outcome = 'failed', kind = 'error', error = ?", (TEXT,))
        for table in ("rb_study", "rb_recipe", "rb_architecture"):
            for row, spec in connection.execute(f"SELECT rowid, spec FROM {table}").fetchall():
                connection.execute(
                    f"UPDATE {table} SET spec = ? WHERE rowid = ?", (json.dumps(with_text(json.loads(spec))), row)
                )


def with_text(spec: Any) -> Any:
    """The same data with TEXT behind what only people read, and behind names of ops' places."""
    if isinstance(spec, dict):
        free = ("doc", "cite", "unit", "network")
        return {
            key: f"{value} {TEXT}" if key in free and isinstance(value, str) else with_text(value)
            for key, value in spec.items()
        }
    return [with_text(item) for item in spec] if isinstance(spec, list) else spec
