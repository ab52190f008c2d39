"""What Postgres does otherwise: hostile SQL, the role that only reads, its absence, and upgrades."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import Server, find_bin, name_in
from sqlalchemy import text
from store_asked import ask
from store_sample import Sample, fill

from resbench.errors import BadInput, DatabaseError
from resbench.store.connection.location import locate
from resbench.store.connection.transaction import reading, writing
from resbench.store.maintenance.check import check_database
from resbench.store.maintenance.upgrade import upgrade_database
from resbench.store.migrate.upgrade import alembic_config
from resbench.store.open import connect, open_store
from resbench.store.query.query import query
from resbench.store.schema.revision import REVISIONS


@pytest.fixture
def sample(postgres: str) -> Iterator[Sample]:
    engine = open_store(postgres, create=True)
    sample = fill(engine)
    sample.add(sample.record(0))
    yield sample
    engine.dispose()


@pytest.fixture
def super_url(server: Server, postgres: str) -> str:
    """The same database, entered by a superuser."""
    return server.url(name_in(postgres), "root")


SEALED = [
    "SELECT * FROM rb_test_score",
    "TABLE rb_test_score",
    "SELECT r.id FROM rb_run r WHERE EXISTS (SELECT 1 FROM rb_test_score t WHERE t.run_id = r.id)",
    "SELECT query_to_xml('SELECT * FROM rb_test_score', true, true, '')",
    "SELECT * FROM ts_stat('SELECT sealed::tsvector FROM rb_test_score')",
    "SELECT table_to_xml('rb_test_score', true, true, '')",
]
NOT_ALLOWED = [
    "DELETE FROM rb_run",
    "DELETE FROM rb_run RETURNING id",
    "UPDATE rb_run SET seed = 9",
    "INSERT INTO rb_recipe VALUES ('a', 'b', 'c') RETURNING name",
    "WITH x AS (DELETE FROM rb_run RETURNING id) SELECT * FROM x",
    "WITH x AS (INSERT INTO rb_recipe VALUES ('a', 'b', 'c') RETURNING name) SELECT * FROM x",
    "TRUNCATE rb_run",
    "DROP TABLE rb_run CASCADE",
    "CREATE TABLE x (a int)",
    "CREATE TEMP TABLE x (a int)",
    "SELECT * INTO x FROM rb_run",
    "SELECT * FROM rb_run FOR UPDATE",
    "SELECT nextval('rb_run_id_seq')",
    "COPY (SELECT 1) TO PROGRAM 'touch {folder}/x'",
    "COPY rb_run TO '{folder}/x'",
    "COPY rb_run FROM PROGRAM 'touch {folder}/x'",
    "COPY rb_run TO STDOUT",
    "SELECT pg_read_file('/etc/hostname')",
    "SELECT pg_read_binary_file('/etc/hostname')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/hostname')",
    "SELECT lo_export(1, '{folder}/x')",
    "SET ROLE root",
    "SET ROLE owner",
    "RESET ROLE",
    "RESET SESSION AUTHORIZATION",
    "SET statement_timeout = 0",
    "SELECT set_config('role', 'none', true)",
    "SELECT set_config('role', 'owner', false), query_to_xml('SELECT * FROM rb_test_score', true, true, '')",
    "SELECT set_config('session_authorization', 'owner', true)",
    "DO $$ BEGIN RESET ROLE; DELETE FROM rb_run; END $$",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "LISTEN x",
    "LOCK TABLE rb_run",
    "PREPARE x AS DELETE FROM rb_run",
    "DECLARE c CURSOR FOR SELECT 1",
    "VACUUM",
    "CHECKPOINT",
    "EXPLAIN ANALYZE DELETE FROM rb_run",
    "LOAD 'x'",
    "CREATE EXTENSION dblink",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER FUNCTION rb_read(text, bigint, bigint) SECURITY INVOKER",
    "ALTER ROLE resbench_reader SUPERUSER",
    "GRANT SELECT ON rb_test_score TO resbench_reader",
    "SELECT pg_reload_conf()",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
    "SELECT current_setting('data_directory')",
]
SQL_ERRORS = [
    ("SELECT 1; DELETE FROM rb_run", "cannot insert multiple commands"),
    ("SELECT 1; RESET ROLE; SELECT 2", "cannot insert multiple commands"),
    ("SELECT set_config('transaction_read_only', 'off', true)", "must be set before any query"),
    ("SELECT dblink('x', 'y')", "function dblink"),
    ("SELECT $1", "there is no parameter"),
    ("SELEC 1", "syntax error"),
    ("SELECT nope FROM v_runs", 'column "nope" does not exist'),
    ("SELECT 1\0", "NUL"),
    ("SELECT '\ud800'", "with a lone surrogate"),
]


@pytest.mark.long
def test_hostile_sql_is_refused_and_changes_nothing(
    sample: Sample, postgres: str, super_url: str, server: Server, tmp_path: Path
) -> None:
    """Whoever asks: the owner of the tables, who could write, and a superuser, who could do anything."""
    before = server.dump(postgres)
    for url in (postgres, super_url):
        for sql in SEALED:
            with pytest.raises(BadInput, match="`resbench results top STUDY --test` shows them"):
                ask(url, sql)
        for sql in NOT_ALLOWED:
            with pytest.raises(BadInput, match=r"not allowed: .*`resbench query` only reads"):
                ask(url, sql.format(folder=tmp_path))
        for sql, words in SQL_ERRORS:
            with pytest.raises(BadInput, match=f"SQL: .*{words}"):
                ask(url, sql)
    assert server.dump(postgres) == before
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_outside_of_tables_is_taken_back(sample: Sample, postgres: str, server: Server) -> None:
    before = server.dump(postgres)
    ask(postgres, "SELECT lo_create(0), pg_notify('a', 'b')")
    assert server.dump(postgres) == before


def test_a_question_is_asked_as_the_reader(sample: Sample, postgres: str, super_url: str) -> None:
    for url, user in ((postgres, "owner"), (super_url, "root")):
        assert ask(url, "SELECT current_user, session_user").rows == (("resbench_reader", user),)
        assert (
            ask(url, "SELECT pg_column_size(1), most_common_vals FROM pg_stats WHERE tablename = 'rb_test_score'").rows
            == ()
        )


@pytest.mark.parametrize("sql", ["SELECT pg_sleep(60)", "SELECT set_config('statement_timeout', '0', false), pg_sleep(60)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"])  # fmt: skip
def test_an_endless_query_is_stopped_by_the_server(sample: Sample, postgres: str, server: Server, sql: str) -> None:
    with pytest.raises(BadInput, match=r"took over 0\.3 s and was stopped"):
        query(postgres, sql, max_rows=1, timeout_s=0.3)
    active = "SELECT query FROM pg_stat_activity WHERE usename = 'owner' AND state = 'active'"
    while server.run(
        active
    ):  # a backend that has told of its end may still be seen at work; one that goes on is seen for ever
        time.sleep(0.01)


@pytest.mark.long
def test_huge_answers_are_cut_or_refused(sample: Sample, postgres: str) -> None:
    assert ask(postgres, "SELECT i FROM generate_series(1, 100000) i", max_rows=3).truncated
    with pytest.raises(BadInput, match="larger than 256 MB"):
        ask(postgres, "SELECT repeat('x', 10000000) FROM generate_series(1, 1000)", max_rows=10**6)


def test_values_are_those_of_sqlite_where_they_can_be(sample: Sample, postgres: str) -> None:
    sql = """SELECT '\\x00ff'::bytea, true, 'NaN'::float8, 9223372036854775807, 0.1::float8, NULL, ARRAY[1, 2],
        '{"a": [1]}'::json"""
    (row,) = ask(postgres, sql).rows
    assert row == (b"\x00\xff", 1, "NaN", 2**63 - 1, 0.1, None, "[1, 2]", '{"a": [1]}')


UNPROTECTED = [
    (("DROP FUNCTION rb_read(text, bigint, bigint)",), "has no reader .*`resbench db upgrade`"),
    (("ALTER FUNCTION rb_read(text, bigint, bigint) OWNER TO owner",), "has no reader .*`resbench db upgrade`"),
    (("ALTER FUNCTION rb_read(text, bigint, bigint) SECURITY INVOKER",), "can do more than read"),
    (("GRANT SELECT (sealed) ON rb_test_score TO PUBLIC",), "may read rb_test_score; run `REVOKE"),
    (("CREATE EXTENSION dblink",), r"functions here that have effects outside .*\(dblink"),
    (("CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM rb_test_score'",),
     r"use other rights \(peek\)"),
    (("REVOKE EXECUTE ON FUNCTION rb_read(text, bigint, bigint) FROM PUBLIC, owner", "REVOKE resbench_reader FROM owner"),
     "may not use the reader"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), UNPROTECTED)
def test_what_is_not_protected_is_not_asked(
    change: tuple[str, ...], words: str, sample: Sample, postgres: str, server: Server
) -> None:
    server.run(*change, database=name_in(postgres))
    try:
        with pytest.raises(DatabaseError, match=words):
            ask(postgres, "SELECT 1")
    finally:
        server.run("GRANT resbench_reader TO owner")


def test_a_reader_that_can_do_more_is_not_used(sample: Sample, postgres: str, server: Server) -> None:
    server.run("ALTER ROLE resbench_reader CREATEDB")
    try:
        with pytest.raises(DatabaseError, match="can do more than read"):
            ask(postgres, "SELECT 1")
    finally:
        server.run("ALTER ROLE resbench_reader NOCREATEDB")


def test_trusted_extensions_do_no_harm(sample: Sample, postgres: str, server: Server) -> None:
    server.run("CREATE EXTENSION pg_trgm", database=name_in(postgres))
    assert ask(postgres, "SELECT similarity('a', 'a')").rows == ((1,),)


def test_who_may_not_make_a_role_is_told_and_the_schema_is_made(server: Server) -> None:
    server.run("DROP ROLE IF EXISTS plain_user", "CREATE ROLE plain_user LOGIN")
    url = server.new(owner="plain_user")
    open_store(url, create=True).dispose()
    with pytest.raises(DatabaseError, match="has no reader"):
        ask(url, "SELECT 1")
    done = upgrade_database(url)
    assert (done.found, done.now, done.copy) == (REVISIONS[-1], REVISIONS[-1], None)
    assert "permission denied" in str(done.no_reader) or "must have" in str(done.no_reader)
    assert upgrade_database(server.url(name_in(url), "root")).no_reader is None  # once, by one who may
    assert ask(url, "SELECT count(*) FROM v_runs").rows == ((0,),)


def test_an_older_schema_is_upgraded_with_all_its_rows(server: Server) -> None:
    from alembic import command

    url = server.new()
    engine = connect(locate(url), create=True)
    with writing(engine) as connection:
        command.upgrade(alembic_config(connection), REVISIONS[0])
        connection.execute(text("INSERT INTO rb_recipe VALUES ('d', 'n', '{}')"))
    with pytest.raises(DatabaseError, match="older schema 0001"):
        open_store(url, create=False)
    done = upgrade_database(url)
    assert (done.found, done.now, done.copy, done.no_reader) == (REVISIONS[0], REVISIONS[-1], None, None)
    with reading(engine) as connection:
        assert connection.execute(text("SELECT name FROM rb_recipe")).scalar() == "n"
    engine.dispose()
    assert ask(url, "SELECT * FROM v_units").rows == ()


def test_a_view_that_is_missing_is_told_of_and_made_anew(sample: Sample, postgres: str, server: Server) -> None:
    server.run("DROP VIEW v_profiles", database=name_in(postgres))
    (wrong,) = [one.wrong for one in check_database(postgres) if "view" in one.what]
    assert wrong == ("the view v_profiles is missing; `resbench db upgrade` recreates it",)
    done = upgrade_database(postgres)
    assert (done.views, done.no_reader) == (("v_profiles",), None)
    assert ask(postgres, "SELECT * FROM v_profiles").rows == ()
    assert upgrade_database(postgres).views == ()


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"postgresql:///x: cannot be read now: ") as caught:
        ask(f"postgresql://ann:secret@/x?host={tmp_path}", "SELECT 1")
    assert "secret" not in str(caught.value)


def test_without_a_server_to_start_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postgres_server.shutil.which", lambda _: None)
    monkeypatch.setattr("postgres_server.Path.glob", lambda *_: iter(()))
    with pytest.raises(RuntimeError, match="`apt-get install postgresql`"):
        find_bin()
