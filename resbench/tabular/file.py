"""Path -> a read-only handle on a frozen benchmark, or what else it is.  Nothing of it is loaded."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from resbench.errors import DatabaseError
from resbench.escape import printable
from resbench.store.frozen import FORMAT, is_frozen

_HEADER = b"SQLite format 3\0"


def open_frozen(path: Path) -> sqlite3.Connection:
    """Raises DatabaseError for a file that is not there, of another kind or program, cut off, or of a later format.

    Opened as one that nobody changes, so no lock is taken for an answer (https://www.sqlite.org/uri.html, `immutable`).
    """
    shown = printable(str(path), 300)
    try:
        with path.open("rb") as file:
            head = file.read(100)
        size = path.stat().st_size
    except OSError as error:
        raise DatabaseError(f"{shown}: cannot be read: {error.strerror}") from None
    if not head.startswith(_HEADER) or len(head) < 100:
        raise DatabaseError(f"{shown}: is no frozen benchmark; `resbench results freeze STUDY -o {shown}` makes one")
    if not is_frozen(head):
        raise DatabaseError(
            f"{shown}: is a database, but no frozen benchmark; where it holds results of resbench, "
            f"`resbench results freeze STUDY --db {shown} -o bench.db` makes one of them"
        )
    version, page = int.from_bytes(head[60:64], "big"), int.from_bytes(head[16:18], "big")
    if version > FORMAT:
        raise DatabaseError(f"{shown}: has format {version}; this resbench reads up to {FORMAT}: a later one is needed")
    if size < int.from_bytes(head[28:32], "big") * (65536 if page == 1 else page):
        raise DatabaseError(f"{shown}: is cut off; get it again")
    uri = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    try:
        connection.execute("SELECT name FROM unit LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        raise DatabaseError(f"{shown}: the file is damaged ({error}); get it again") from None
    return connection
