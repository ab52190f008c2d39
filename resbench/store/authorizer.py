"""What one SQL statement wants to do -> allow or deny, asked by SQLite itself while it compiles the statement.

Everything is denied but reading: SELECT, recursion, functions that stay inside the statement, and columns of tables and
views that stand in the file, of the schema and of JSON's table functions. Test scores are denied by name wherever they are
read from, so no alias, join, subquery or view of anybody's leads to them (https://www.sqlite.org/c3ref/set_authorizer.html).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

TEST_SCORES = "rb_test_score"
_SCHEMA = frozenset({"sqlite_master", "sqlite_schema", "json_each", "json_tree"})
# They reach out of the statement, in some build or shell of SQLite.
_FILES = ("load_extension", "readfile", "writefile", "edit", "lsdir", "fsdir", "zipfile")
_FUNCTIONS = frozenset((*_FILES, "sqlar_compress", "sqlar_uncompress", "fts3_tokenizer", "sqlite_log", "sqlite_offset"))
Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]


def make_authorizer(tables: frozenset[str], refused: list[str]) -> Authorizer:
    """`tables`: the names in the file, in small letters. What is denied is added to `refused`, in words."""
    readable = (tables - {TEST_SCORES}) | _SCHEMA

    def deny(words: str) -> int:
        refused.append(words)
        return sqlite3.SQLITE_DENY

    def authorize(action: int, first: str | None, second: str | None, _schema: str | None, _by: str | None) -> int:
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            name = (second or "").lower()
            return deny(f"the function {name}()") if name in _FUNCTIONS else sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            name = (first or "").lower()
            # With no column the name may be that of a WITH clause, or of a table of which no column is read.
            if name in readable or (not second and name != TEST_SCORES and not name.startswith(("sqlite_", "pragma_"))):
                return sqlite3.SQLITE_OK
            return deny(TEST_SCORES if name == TEST_SCORES else f"reading {first}")
        return deny(_WORDS.get(action, "anything but SELECT"))

    return authorize


_WORDS = {
    sqlite3.SQLITE_ATTACH: "ATTACH",
    sqlite3.SQLITE_DETACH: "DETACH",
    sqlite3.SQLITE_PRAGMA: "PRAGMA",
    sqlite3.SQLITE_INSERT: "INSERT",
    sqlite3.SQLITE_UPDATE: "UPDATE",
    sqlite3.SQLITE_DELETE: "DELETE",
    sqlite3.SQLITE_TRANSACTION: "BEGIN and COMMIT",
    sqlite3.SQLITE_SAVEPOINT: "SAVEPOINT",
}
