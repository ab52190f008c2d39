"""SQL of a person's -> QueryResult(columns, rows).  It can read, whatever it is given; stdlib only, so it starts fast.

The statement runs in a process of its own, which is killed when its time is over: one step of SQLite (`instr` over long
texts) can outlast every look at the clock. It may use so much memory and no more. What it says comes back as lines of JSON.
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
_START_S = 0.5  # what the process may take beyond the time-out, to start and to end by itself
# Without `site` and the environment: nothing is imported that this process would not import.
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
    "`resbench results top STUDY --test` shows them and writes down that they were looked at"
)
_ERRORS = {kind.__name__: kind for kind in (BadInput, DatabaseError, ResbenchError)}


@dataclass(frozen=True, slots=True)
class QueryResult:
    """`truncated`: there were more rows than asked for."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    truncated: bool


def query(url: str, sql: str, *, max_rows: int, timeout_s: float) -> QueryResult:
    """Raises BadInput for SQL that fails, writes, or goes over a limit, and DatabaseError for a database that is not ours."""
    return ask(url, sql, max_rows=max_rows, timeout_s=timeout_s).result()


def ask(url: str, sql: str, *, max_rows: int, timeout_s: float) -> QueryRequest:
    """Ask, and go on while it is being answered."""
    request = {"path": sys.path, "url": url, "sql": sql, "most_rows": max_rows + 1, "timeout_s": timeout_s}
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    asked = QueryRequest(process, max_rows, timeout_s)
    with suppress(BrokenPipeError):  # it is dead already, which `result` tells
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode())
        process.stdin.close()
    return asked


class QueryRequest:
    """A question under way. It is over once `result` returns or raises, and its process with it."""

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
            said = json.loads(line, object_hook=_from_json)
            if isinstance(said, list):
                yield said
            elif said is None:
                return
            else:
                raise said
        status = self._process.wait()
        if not self._late.is_alive():
            raise timeout_error(self._timeout_s)
        raise BadInput(f"the query's process died before it was done (status {status}); it may need too much memory")


def timeout_error(timeout_s: float) -> BadInput:
    return BadInput(
        f"the query took over {timeout_s:g} s and was stopped; ask for less, or give it more time (--timeout)"
    )


def too_large() -> BadInput:
    return BadInput(f"the answer is larger than {LARGEST_RESULT_BYTES // 10**6} MB; ask for fewer rows or columns")


def not_allowed(what: str) -> BadInput:
    return BadInput(f"not allowed: {what}; `resbench query` only reads (one SELECT)")


def to_json(value: object) -> dict[str, str]:
    """Return what JSON has no word for, as an object: bytes and errors."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    return {"error": type(value).__name__, "text": str(value)}


def _from_json(said: dict[str, str]) -> bytes | ResbenchError:
    if "hex" in said:
        return bytes.fromhex(said["hex"])
    return _ERRORS.get(said["error"], ResbenchError)(said["text"])
