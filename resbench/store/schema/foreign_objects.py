"""The schema of an SQLite file -> the objects that resbench did not write and SQLite would run.  stdlib sqlite3 only.

A file from another person can hold a trigger that deletes the rows of a merge, a view in the place of a table, a generated
column, or a constraint that replaces rows. Every such file is refused before it is read or written. Plain tables, indexes and
views of the user's under other names are allowed: resbench never touches them.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

from resbench.store.query.sql_text import sql_syntax

# Optuna's databases have all of these.
OPTUNA_MARKS = frozenset({"alembic_version", "version_info", "studies", "trials"})
OPTUNA = OPTUNA_MARKS | {
    "study_directions",
    "study_user_attributes",
    "study_system_attributes",
    "trial_user_attributes",
    "trial_system_attributes",
    "trial_params",
    "trial_values",
    "trial_intermediate_values",
    "trial_heartbeats",
}
_OURS = "rb_"
_VIEWS = "v_"
_CALL = re.compile(r"(?!in\b|and\b|or\b|not\b|check\b|when\b|then\b|else\b)\b[^\W\d]\w*\s*\(")
_CHECK = re.compile(r"\bcheck\s*\(")
_GENERATED = (2, 3)  # table_xinfo: generated when read, generated when written
_EXPRESSION = -2  # index_xinfo: in the place of a column
_EXTRA = {  # syntax that our tables do not have, and its effect
    r"\bon\s+conflict\b": "replaces or leaves out rows (ON CONFLICT)",
    r"\bon\s+(?:delete|update)\s+(?!no\s+action|restrict)": "changes rows with others (ON DELETE, ON UPDATE)",
    r"\bcollate\s+(?!binary\b)": "compares texts in another way (COLLATE)",
}


def foreign_objects(connection: sqlite3.Connection) -> list[str]:
    """Return a description of each foreign object that concerns our tables."""
    found = []
    master = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master ORDER BY rowid"
    for kind, name, table, root, sql in connection.execute(master).fetchall():
        if not all(isinstance(text, str) for text in (kind, name, table)) or not isinstance(sql, str | None):
            found.append("an entry of the schema that is no text")
        elif kind == "trigger":
            found.append(f"the trigger {name} on {table}")
        elif kind == "table" and not root:
            found.append(f"the virtual table {name}")
        elif kind == "view" and _is_table(name):
            found.append(f"a view in the place of the table {name}")
        elif kind == "table" and name.lower().startswith(_VIEWS):
            found.append(f"a table in the place of the view {name}")
        elif kind == "table" and _is_table(name):
            found += [f"the table {name} {what}" for what in _extras(connection, name, sql or "")]
        elif kind == "index" and sql is not None and _is_table(table):
            found += [f"the index {name}, which {what}" for what in _of_index(connection, name, sql)]
    return found


def _is_table(name: str) -> bool:
    return name.lower().startswith(_OURS) or name.lower() in OPTUNA


def _extras(connection: sqlite3.Connection, name: str, sql: str) -> Iterator[str]:
    quoted = name.replace('"', '""')
    for _, column, _, _, default, _, hidden in connection.execute(f'PRAGMA table_xinfo("{quoted}")').fetchall():
        if hidden in _GENERATED:
            yield f"computes its column {column} (GENERATED)"
        if isinstance(default, str) and "(" in sql_syntax(default):
            yield f"computes the default of its column {column}"
    syntax = sql_syntax(sql)
    for pattern, what in _EXTRA.items():
        if re.search(pattern, syntax):
            yield what
    if any(_CALL.search(_inside(syntax, check.end())) for check in _CHECK.finditer(syntax)):
        yield "calls a function in a CHECK"


def _inside(syntax: str, start: int) -> str:
    """Return the text between the bracket that ends before `start` and its closing bracket."""
    depth = 1
    for end in range(start, len(syntax)):
        depth += {"(": 1, ")": -1}.get(syntax[end], 0)
        if depth == 0:
            return syntax[start:end]
    return syntax[start:]


def _of_index(connection: sqlite3.Connection, name: str, sql: str) -> Iterator[str]:
    quoted = name.replace('"', '""')
    columns = connection.execute(f'PRAGMA index_xinfo("{quoted}")').fetchall()
    if any(column[1] == _EXPRESSION for column in columns):
        yield "computes an expression"
    if re.search(r"\bwhere\b", sql_syntax(sql)):
        yield "excludes rows (WHERE)"
