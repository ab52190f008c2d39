"""Create a role of Postgres that only reads, and the function that runs SQL as that role, in a writing transaction.

The user that connects has its own rights (it owns the tables, or is a superuser), and SQL can regain rights that a session has
merely dropped: `SELECT set_config('role', 'none', true)`. Inside a function that is SECURITY DEFINER it cannot
(https://www.postgresql.org/docs/current/sql-set-role.html), so all SQL of `resbench query` runs inside `rb_read`, which belongs
to the role `resbench_reader`: it has no login, no membership, and SELECT on our tables and views except rb_test_score. The
function is STABLE, so Postgres refuses any write in it.
"""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from resbench.store.schema.metadata import metadata
from resbench.store.schema.tables import rb_test_score
from resbench.store.schema.views import VIEWS

READER = "resbench_reader"
FUNCTION = "rb_read(text, bigint, bigint)"
TOO_LARGE = "54000"  # program_limit_exceeded

_MAKE_ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{READER}') THEN
        CREATE ROLE {READER} NOLOGIN NOINHERIT;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another database's upgrade was faster
END $$"""
_JOIN_ROLE = f"""
DO $$ BEGIN
    IF NOT pg_has_role(current_user, '{READER}', 'USAGE') THEN
        EXECUTE 'GRANT {READER} TO ' || quote_ident(current_user);
    END IF;
END $$"""
_MAKE_FUNCTION = f"""
CREATE OR REPLACE FUNCTION rb_read(question text, most_rows bigint, most_bytes bigint) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = "$schema$", pg_temp AS $body$
DECLARE
    found record;
    answer text;
    rows bigint := 0;
    bytes bigint := 0;
BEGIN
    FOR found IN EXECUTE question LOOP
        answer := row_to_json(found);
        rows := rows + 1;
        bytes := bytes + octet_length(answer);
        IF bytes > most_bytes THEN
            RAISE EXCEPTION 'too large' USING ERRCODE = '{TOO_LARGE}';
        END IF;
        RETURN NEXT answer;
        EXIT WHEN rows > most_rows;  -- one more than asked for tells that there are more
    END LOOP;
END $body$"""
_HAND_OVER = f"""
DO $$
DECLARE
    place text := quote_ident(current_schema());
    maker text := (SELECT quote_ident(tableowner) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'rb_run');
BEGIN
    EXECUTE 'GRANT USAGE, CREATE ON SCHEMA ' || place || ' TO {READER}';  -- who is to own a function must be allowed to make it
    ALTER FUNCTION {FUNCTION} OWNER TO {READER};
    EXECUTE 'REVOKE CREATE ON SCHEMA ' || place || ' FROM {READER}';
    REVOKE ALL ON FUNCTION {FUNCTION} FROM PUBLIC;
    EXECUTE 'GRANT EXECUTE ON FUNCTION {FUNCTION} TO ' || maker;
END $$"""


def make_reader(connection: Connection) -> str | None:
    """Make or renew the role and the function. Return Postgres's message where that failed, with nothing changed; else None."""
    readable = [table.name for table in metadata.sorted_tables if table is not rb_test_score]
    tables = ", ".join([*readable, *(view.name for view in VIEWS)])
    try:
        with connection.begin_nested():
            place = connection.execute(text("SELECT replace(current_schema(), '\"', '\"\"')")).scalar_one()
            for statement in (
                _MAKE_ROLE,
                _JOIN_ROLE,
                f"REVOKE ALL ON {rb_test_score.name} FROM {READER}",
                f"GRANT SELECT ON {tables} TO {READER}",
                _MAKE_FUNCTION.replace("$schema$", place),
                _HAND_OVER,
            ):
                connection.exec_driver_sql(statement)
    except DBAPIError as error:
        return " ".join(str(error.orig).split())
    return None
