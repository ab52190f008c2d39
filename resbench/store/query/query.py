"""SQL of the user's -> QueryResult(columns, rows).  Any statement can only read; stdlib only, so it starts fast.

The statement runs in a separate process, which is killed at the time limit: a single step of SQLite (`instr` over long texts)
can outlast its own check of the clock. The memory of the process is limited too. Its answer comes back as lines of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer
from typing import IO, Any

from resbench.errors import BadInput, DatabaseError, ResbenchError

Value = str | int | float | bytes | None

LARGEST_RESULT_BYTES = 256_000_000
_START_S = 0.5  # the time that the process may take beyond the limit, to start and to end by itself
# It runs without `site` and the environment: it imports only what this process would import.
_CHILD = """
import json, sys
request = json.loads(sys.stdin.buffer.read())
sys.path[:] = request.pop("path")
from resbench.store.query.child import main
main(request)
"""
NO_SELECT = 'no SELECT was given; `resbench query` takes one, such as "SELECT * FROM v_leaderboard"'
SEALED = (
    "test scores are not read by SQL, so that nothing is chosen by them; "
    "`resbench results top STUDY --test` shows them and records that they were looked at"
)
_ERRORS = {kind.__name__: kind for kind in (BadInput, DatabaseError, ResbenchError)}


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a query. With `truncated` there were more than the limit."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    truncated: bool


def query(url: str, sql: str, *, max_rows: int, timeout_s: float) -> QueryResult:
    """Run a query. Raises BadInput for SQL that fails, writes or exceeds a limit, and DatabaseError for a foreign database."""
    return ask(url, sql, max_rows=max_rows, timeout_s=timeout_s).result()


def ask(url: str, sql: str, *, max_rows: int, timeout_s: float) -> QueryRequest:
    """Start a query, and return while it is running."""
    request = {"path": sys.path, "url": url, "sql": sql, "most_rows": max_rows + 1, "timeout_s": timeout_s}
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    request_under_way = QueryRequest(process, max_rows, timeout_s)
    with suppress(BrokenPipeError):  # the process has died already, which `result` reports
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode())
        process.stdin.close()
    return request_under_way


class QueryRequest:
    """A running query. It is over once `result` returns or raises, and so is its process."""

    def __init__(self, process: subprocess.Popen[bytes], max_rows: int, timeout_s: float) -> None:
        self._process, self._max_rows, self._timeout_s = process, max_rows, timeout_s
        self._late = Timer(timeout_s + _START_S, process.kill)
        self._late.daemon = True
        self._late.start()

    def result(self) -> QueryResult:
        assert self._process.stdout is not None
        try:
            lines = self._lines(self._process.stdout)
            columns = tuple(str(name) for name in next(lines))
            rows = tuple(tuple(row) for row in lines)
        finally:  # a Ctrl-C comes through here too
            self._process.kill()
            self._process.stdout.close()
            self._process.wait()
            self._late.cancel()
        return QueryResult(columns, rows[: self._max_rows], truncated=len(rows) > self._max_rows)

    def _lines(self, stdout: IO[bytes]) -> Iterator[list[Any]]:
        for line in stdout:
            message = json.loads(line, object_hook=_from_json)
            if isinstance(message, list):
                yield message
            elif message is None:
                return
            else:
                raise message
        status = self._process.wait()
        if not self._late.is_alive():
            raise timeout_error(self._timeout_s)
        raise BadInput(f"the process of the query died (status {status}); it may require too much memory")


def timeout_error(timeout_s: float) -> BadInput:
    return BadInput(
        f"the query took over {timeout_s:g} s and was stopped; select less, or set a longer limit (--timeout)"
    )


def too_large() -> BadInput:
    return BadInput(f"the result is larger than {LARGEST_RESULT_BYTES // 10**6} MB; select fewer rows or columns")


def not_allowed(what: str) -> BadInput:
    return BadInput(f"not allowed: {what}; `resbench query` only reads (one SELECT)")


def to_json(value: object) -> dict[str, str]:
    """Return bytes and errors, for which JSON has no type, as an object."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    return {"error": type(value).__name__, "text": str(value)}


def _from_json(message: dict[str, str]) -> bytes | ResbenchError:
    if "hex" in message:
        return bytes.fromhex(message["hex"])
    return _ERRORS.get(message["error"], ResbenchError)(message["text"])
