"""A question as the process of `resbench query` answers it, but in this one: no start of a process for each of many."""

from __future__ import annotations

from resbench.store.query.child import ChildAnswer
from resbench.store.query.query import QueryResult


def ask(db: str, sql: str, *, max_rows: int = 100, timeout_s: float = 20) -> QueryResult:
    columns, *rows = ChildAnswer(db, sql, max_rows + 1, timeout_s).lines()
    return QueryResult(tuple(map(str, columns)), tuple(rows[:max_rows]), truncated=len(rows) > max_rows)
