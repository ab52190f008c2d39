"""A request (URL, SQL, limits) on stdin -> lines of JSON on stdout: columns, rows, and null or an error at the end.

This is the process that `query` starts for one statement. It ends at its own limits, or when its parent kills it.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress

from resbench.errors import BadInput, ResbenchError
from resbench.store.connection.location import Location, locate
from resbench.store.query.query import LARGEST_RESULT_BYTES, Value, timeout_error, to_json, too_large

MEMORY_BYTES = 1 << 30
_ROW_BYTES, _VALUE_BYTES = 64, 32  # their overhead in the memory of the parent, beside texts and bytes
Row = tuple[Value, ...]


def main(request: dict[str, object]) -> None:
    """Answer a request, which holds url, sql, most_rows and timeout_s."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a Ctrl-C ends the process silently
    timeout_s = float(str(request["timeout_s"]))
    _limit(timeout_s)
    answer = ChildAnswer(str(request["url"]), str(request["sql"]), int(str(request["most_rows"])), timeout_s)
    try:
        for row in answer.lines():
            _write_line(row)
        end: ResbenchError | None = None
    except ResbenchError as error:
        end = error
    except MemoryError:
        end = BadInput(
            f"the query requires over {MEMORY_BYTES >> 30} GiB of memory; select fewer rows, or sort and group less"
        )
    with suppress(BrokenPipeError):  # the parent is gone
        _write_line(end)
        sys.stdout.buffer.flush()
    os._exit(0)


class ChildAnswer:
    """The answer to a statement: the columns first, then the rows, up to limits on their number and size."""

    def __init__(self, url: str, sql: str, most_rows: int, timeout_s: float) -> None:
        self.location, self.sql, self.most_rows, self.timeout_s = locate(url), sql, most_rows, timeout_s

    def lines(self) -> Iterator[Row]:
        if not self.timeout_s > 0:
            raise timeout_error(self.timeout_s)
        size = 0
        for number, row in enumerate(self._all(self.location)):
            size += _ROW_BYTES + sum(_size(value) for value in row)
            if size > LARGEST_RESULT_BYTES:
                raise too_large()
            yield row
            if number == self.most_rows:
                return

    def _all(self, location: Location) -> Iterator[Row]:
        if location.path is not None:
            from resbench.store.query.sqlite import rows

            return rows(location, self.sql, self.timeout_s)
        from resbench.store.query.postgres import rows as server_rows

        return server_rows(location, self.sql, self.most_rows, self.timeout_s)


def _size(value: Value) -> int:
    return _VALUE_BYTES + (len(value) if isinstance(value, str | bytes) else 0)


def _write_line(value: object) -> None:
    sys.stdout.buffer.write(json.dumps(value, default=to_json).encode() + b"\n")


def _limit(timeout_s: float) -> None:
    """Limit address space and processor time, the latter for a killed parent, where the platform supports it."""
    try:
        import resource
    except ImportError:
        return
    limits = {
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_CPU: min(math.ceil(timeout_s) + 1, 10**9),
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        _, most = resource.getrlimit(limit)
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (value if most == resource.RLIM_INFINITY else min(value, most), most))
