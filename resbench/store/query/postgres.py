"""SQL of the user's on a Postgres server -> columns, then rows.  It runs in the process of child.py.

The SQL runs inside `rb_read`, as a role that only reads (see schema/postgres_role.py), in a read-only transaction with a time
limit that the server enforces. It is refused where that role or function is missing, has more rights than it should, or could
call a function of this database that has effects outside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result

from resbench.errors import BadInput, DatabaseError, ResbenchError
from resbench.store.connection.location import Location
from resbench.store.query.query import (
    LARGEST_RESULT_BYTES,
    NO_SELECT,
    SEALED,
    Value,
    not_allowed,
    timeout_error,
    too_large,
)

_READER, _FUNCTION, _SCORES = "resbench_reader", "rb_read(text, bigint, bigint)", "rb_test_score"
_UPGRADE = "`resbench db upgrade`, by a user who may make roles, makes it"
_BYTEA = 17
_NOT_ALLOWED = (
    "0A000",
    "25006",
    "42501",
    "42P11",
)  # not supported here, read-only, no right, no query that returns rows
# The rights of the reader, in one row; no row where the function is missing.
_WHAT_IS = f"""
SELECT r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls OR r.rolcanlogin
        OR EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid) AS strong,
    p.prosecdef AND p.provolatile = 's' AS shut, has_function_privilege(p.oid, 'EXECUTE') AS mine,
    has_any_column_privilege(r.oid, to_regclass('{_SCORES}'), 'SELECT') AS reads_scores
FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
WHERE p.oid = to_regprocedure('{_FUNCTION}') AND r.rolname = '{_READER}'"""
# Functions, except Postgres's own, of an untrusted language or extension, or that run with the rights of another role.
_REACH_OUT = f"""
SELECT DISTINCT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.oid <> to_regprocedure('{_FUNCTION}')
    AND has_schema_privilege('{_READER}', n.oid, 'USAGE') AND has_function_privilege('{_READER}', p.oid, 'EXECUTE')
    AND (p.prosecdef OR NOT l.lanpltrusted AND l.lanname NOT IN ('internal', 'sql') AND NOT EXISTS (
        SELECT 1 FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
        JOIN pg_available_extension_versions v ON v.name = e.extname AND v.version = e.extversion AND v.trusted
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'))
ORDER BY p.proname LIMIT 3"""


def rows(location: Location, sql: str, most_rows: int, timeout_s: float) -> Iterator[tuple[Value, ...]]:
    """Yield the columns, then the rows. Raises BadInput for SQL that fails, writes or exceeds a limit, and DatabaseError where it
    is not safe to run.
    """
    try:
        url = location.url.replace("+psycopg", "", 1)
        wait = None if location.sets("connect_timeout") else 10  # None: as the URL has it
        with closing(psycopg.connect(url, connect_timeout=wait, prepare_threshold=None)) as connection:
            connection.execute("SET TRANSACTION READ ONLY")
            _refuse_unprotected(connection, location)
            connection.execute(f"SET LOCAL statement_timeout = {max(1, round(timeout_s * 1000))}".encode())
            columns, readers = _describe(connection, sql)
            yield columns
            asked = "SELECT rb_read(%s, %s, %s)"
            for (line,) in connection.execute(asked, (sql, most_rows - 1, LARGEST_RESULT_BYTES)):
                pairs = json.loads(line, object_pairs_hook=_Pairs)
                yield tuple(read(value) for read, (_, value) in zip(readers, pairs, strict=True))
            connection.rollback()
    except psycopg.Error as error:
        raise _explain(error, location, timeout_s) from None


def _refuse_unprotected(connection: psycopg.Connection, location: Location) -> None:
    found = connection.execute(_WHAT_IS.encode()).fetchone()
    if found is None:
        raise DatabaseError(f"{location.shown}: has no reader role for `resbench query`; {_UPGRADE}")
    is_privileged, is_closed, may_execute, reads_scores = found
    if is_privileged or not is_closed:
        raise DatabaseError(f"{location.shown}: the role {_READER} can do more than read; {_UPGRADE} again")
    if reads_scores:
        raise DatabaseError(
            f"{location.shown}: {_READER} may read {_SCORES}; run `REVOKE SELECT ON {_SCORES} FROM PUBLIC, {_READER}`"
        )
    if not may_execute:
        raise DatabaseError(
            f"{location.shown}: this user may not use the reader; its owner can run `GRANT EXECUTE ON FUNCTION {_FUNCTION}`"
        )
    reaching = [str(name) for (name,) in connection.execute(_REACH_OUT.encode())]
    if reaching:
        raise DatabaseError(
            f"{location.shown}: every role may call functions here that have effects outside the database or use other rights "
            f"({', '.join(reaching)}); run `REVOKE EXECUTE ON FUNCTION .. FROM PUBLIC`, or use a separate database"
        )


def _describe(connection: psycopg.Connection, sql: str) -> tuple[tuple[str, ...], Sequence[Callable[[object], Value]]]:
    """Return the columns and their decoders. The server parses the statement without running it, and refuses several at once."""
    if "\0" in sql:
        raise BadInput("SQL: the statement holds a NUL character")
    raw = connection.pgconn
    try:
        results = [raw.prepare(b"", sql.encode())]
    except UnicodeEncodeError:
        raise BadInput("SQL: expected a Unicode text, got one with a lone surrogate") from None
    if results[0].status == pq.ExecStatus.COMMAND_OK:
        results.append(raw.describe_prepared(b""))
    if results[-1].status != pq.ExecStatus.COMMAND_OK:
        raise error_from_result(results[-1])
    described = results[-1]
    if not described.nfields:
        raise not_allowed("anything but SELECT") if sql.strip(" ;\n\t") else BadInput(NO_SELECT)
    kinds = range(described.nfields)
    names = tuple((described.fname(i) or b"").decode("utf-8", "replace") for i in kinds)
    return names, [_hexadecimal if described.ftype(i) == _BYTEA else _plain for i in kinds]


class _Pairs(list[tuple[str, object]]):
    """The pairs of a JSON object, which may have the same name twice, as a SELECT may give it."""


def _plain(value: object) -> Value:
    """Return a value as SQLite would give it: booleans as 1 and 0, arrays and objects as JSON text."""
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return json.dumps(_unpaired(value), ensure_ascii=False)


def _unpaired(value: object) -> object:
    if isinstance(value, _Pairs):
        return {name: _unpaired(item) for name, item in value}
    return [_unpaired(item) for item in value] if isinstance(value, list) else value


def _hexadecimal(value: object) -> Value:
    return bytes.fromhex(value.removeprefix("\\x")) if isinstance(value, str) else None


def _explain(error: psycopg.Error, location: Location, timeout_s: float) -> ResbenchError:
    state = error.sqlstate or ""
    message = location.conceal(error.diag.message_primary or str(error))
    if state == "57014":
        return timeout_error(timeout_s)
    if state == "54000" and message == "too large":
        return too_large()
    if state == "42501" and _SCORES in message:
        return BadInput(SEALED)
    if state in _NOT_ALLOWED:
        return not_allowed(message)
    if isinstance(error, psycopg.OperationalError) and not state.startswith(("53", "54")):
        return DatabaseError(f"{location.shown}: cannot be read now: {message}")
    return BadInput(f"SQL: {message}")
