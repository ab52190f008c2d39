"""`query` can read and nothing else, whatever it is given."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from store_asked import ask

from resbench.errors import BadInput, DatabaseError
from resbench.store.query.query import QueryResult

pytestmark = pytest.mark.sqlite


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT count(*) FROM v_runs", ((3,),)),
        ("SELECT unit, n, mean, std, median FROM v_leaderboard", (("pre", 3, 6.0, 1.0, 6.0),)),
        ("SELECT max(epoch) FROM v_epochs;", ((2,),)),
        ("WITH t AS (SELECT seed FROM rb_run) SELECT count(*) FROM t", ((3,),)),
        ("WITH t AS (SELECT seed AS s FROM rb_run) SELECT max(s) FROM t -- a comment", ((2,),)),
        ("SELECT a.seed FROM rb_run a JOIN rb_run b ON a.seed = b.seed + 2", ((2,),)),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT sum(i) FROM n", ((10,),)),
        ("SELECT json_extract(params, '$.unit') FROM rb_trial", (("pre",),)),
        ("SELECT key FROM rb_trial, json_each(params)", (("unit",),)),
        ("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name LIMIT 1", (("v_epochs",),)),
        ("SELECT row_number() OVER (ORDER BY seed DESC), seed FROM rb_run ORDER BY seed LIMIT 1", ((3, 0),)),
        ("VALUES (1, 'ä', NULL, x'00ff')", ((1, "ä", None, b"\x00\xff"),)),
        ("SELECT 'rb_test_score'", (("rb_test_score",),)),
    ],
)
def test_what_reads_is_answered(full: str, sql: str, rows: tuple[object, ...]) -> None:
    assert ask(full, sql).rows == rows


def test_columns_have_their_names_and_rows_a_limit(full: str) -> None:
    result = ask(full, "SELECT seed, status AS how FROM rb_run ORDER BY seed", max_rows=2)
    assert result == QueryResult(("seed", "how"), ((0, "complete"), (1, "complete")), truncated=True)
    assert not ask(full, "SELECT seed FROM rb_run", max_rows=3).truncated
    assert ask(full, "SELECT seed FROM rb_run WHERE 0").columns == ("seed",)


def test_a_plan_can_be_looked_at(full: str) -> None:
    assert ask(full, "EXPLAIN QUERY PLAN SELECT * FROM v_runs WHERE study = 's'").rows


WRITES = [
    "INSERT INTO rb_recipe VALUES ('a', 'b', 'c')",
    "REPLACE INTO rb_recipe VALUES ('a', 'b', 'c')",
    "UPDATE rb_run SET seed = 9",
    "UPDATE rb_run SET seed = 9 RETURNING seed",
    "DELETE FROM rb_run",
    "WITH t AS (SELECT 1) DELETE FROM rb_epoch",
    "WITH t AS (SELECT 9 AS s) UPDATE rb_run SET seed = (SELECT s FROM t)",
    "EXPLAIN DELETE FROM rb_run",
    "CREATE TABLE x (a)",
    "CREATE TABLE x AS SELECT * FROM rb_run",
    "CREATE TEMP TABLE x (a)",
    "CREATE VIEW x AS SELECT 1",
    "CREATE TEMP VIEW x AS SELECT * FROM rb_test_score",
    "CREATE TRIGGER t AFTER INSERT ON rb_run BEGIN SELECT 1; END",
    "CREATE INDEX x ON rb_run (seed)",
    "CREATE VIRTUAL TABLE x USING fts5(a)",
    "CREATE VIRTUAL TABLE temp.x USING dbstat",
    "DROP TABLE rb_run",
    "DROP VIEW v_runs",
    "ALTER TABLE rb_run RENAME TO x",
    "ALTER TABLE rb_run ADD COLUMN x",
    "REINDEX",
    "ANALYZE",
    "VACUUM",
    "VACUUM INTO '{folder}/x.db'",
    "ATTACH '{folder}/x.db' AS x",
    "ATTACH ':memory:' AS x",
    "DETACH main",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "SAVEPOINT x",
    "RELEASE x",
    "ROLLBACK",
    "PRAGMA writable_schema = ON",
    "PRAGMA query_only = OFF",
    "PRAGMA journal_mode = WAL",
    "PRAGMA user_version = 3",
    "PRAGMA wal_checkpoint",
    "PRAGMA table_info(rb_run)",
    "PRAGMA database_list",
    "SELECT * FROM pragma_table_info('rb_run')",
    "SELECT * FROM pragma_database_list",
    "SELECT count(*) FROM pragma_database_list",
    "SELECT writefile('{folder}/x.db', 'x')",
    "SELECT readfile('/etc/hostname')",
    "SELECT load_extension('x')",
    "SELECT load_extension('x', 'y')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT data FROM sqlite_dbpage",
    "SELECT count(*) FROM sqlite_dbpage",
    "SELECT * FROM dbstat",
    "SELECT * FROM sqlite_stmt",
    "UPDATE sqlite_master SET sql = ''",
    "INSERT INTO sqlite_sequence VALUES (1, 2)",
    "SELECT 1; DROP TABLE rb_run",
    "SELECT 1; SELECT 2",
]


@pytest.mark.parametrize("sql", WRITES)
def test_what_writes_or_reaches_out_is_refused_and_changes_nothing(full: str, tmp_path: Path, sql: str) -> None:
    before, files = Path(full).read_bytes(), sorted(tmp_path.iterdir())
    with pytest.raises(BadInput) as caught:
        ask(full, sql.format(folder=tmp_path))
    assert caught.value.exit_status == 2
    assert Path(full).read_bytes() == before
    assert sorted(tmp_path.iterdir()) == files


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELEC 1", 'SQL: near "SELEC": syntax error'),
        ("SELECT * FROM v_run", "SQL: no such table: v_run"),
        ("SELECT nope FROM v_runs", "SQL: no such column: nope"),
        ("SELECT nope(1)", "SQL: no such function: nope"),
        ("SELECT ?", "SQL: "),
        ("SELECT :a", "SQL: "),
        ("SELECT 1\0", "SQL: "),
        ("SELECT '\ud800'", "SQL: "),
        ("", "no SELECT was given"),
        ("  ;", "no SELECT was given"),
        ("-- nothing", "no SELECT was given"),
        ("SELECT 1; SELECT 2", "SQL: You can only execute one statement at a time"),
        ("DELETE FROM rb_run", r"not allowed: DELETE; `resbench query` only reads \(one SELECT\)"),
        ("ATTACH 'x' AS y", "not allowed: ATTACH"),
        ("PRAGMA user_version", "not allowed: PRAGMA"),
        ("SELECT load_extension('x')", r"not allowed: the function load_extension\(\)"),
        ("SELECT " + "(" * 300 + "1" + ")" * 300, "SQL: .*(depth|overflow)"),
        ("SELECT " + "1," * 600 + "1", "too many columns"),
        ("SELECT 1 UNION " * 200 + "SELECT 1", "too many terms in compound"),
        ("SELECT '" + "x" * 200_000 + "'", "longer than 1 MB, or the SQL than 100 kB|too large"),
    ],
)
def test_bad_sql_is_told_in_sqlites_words(full: str, sql: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        ask(full, sql)


ENDLESS = [
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT group_concat(hex(zeroblob(1000))) FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n ORDER BY i DESC",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0",
    "SELECT count(*) FROM rb_epoch a, rb_epoch b, rb_epoch c, rb_epoch d, rb_epoch e, rb_epoch f, rb_epoch g,"
    " rb_epoch h, rb_epoch i, rb_epoch j, rb_epoch k, rb_epoch l, rb_epoch m, rb_epoch n WHERE a.lr + n.lr > 9",
]


@pytest.mark.parametrize("sql", ENDLESS)
def test_an_endless_query_is_stopped(full: str, sql: str) -> None:
    with pytest.raises(BadInput, match=r"took over 0\.2 s and was stopped"):
        ask(full, sql, timeout_s=0.2)


def test_an_endless_answer_is_cut_at_its_rows(full: str) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    result = ask(full, endless, max_rows=1000)
    assert (len(result.rows), result.truncated) == (1000, True)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT randomblob(1000000000)",
        "SELECT zeroblob(1000000000)",
        "SELECT hex(zeroblob(900000))",
        "SELECT replace(hex(zeroblob(400000)), '0', 'aaaaaaaaaa')",
    ],
)
def test_a_huge_value_is_refused(full: str, sql: str) -> None:
    with pytest.raises(BadInput, match=r"longer than 1 MB|too big|too large"):
        ask(full, sql)


def test_a_value_that_would_be_huge_is_not_made(full: str) -> None:
    [[value]] = ask(full, "SELECT length(printf('%1000000000d', 1))").rows
    assert value is None or int(value) <= 1_000_000


def test_a_terabyte_is_refused(full: str) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT zeroblob(900000) FROM n"
    with pytest.raises(BadInput, match="larger than 256 MB"):
        ask(full, endless, max_rows=10**9)


def test_text_that_is_not_utf8_is_shown_not_fatal(full: str) -> None:
    assert ask(full, "SELECT CAST(x'61ff62' AS TEXT)").rows == (("a\ufffdb",),)


def test_a_file_that_is_missing_or_not_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="no such database"):
        ask(str(tmp_path / "r.db"), "SELECT 1")
    assert list(tmp_path.iterdir()) == []
    with closing(sqlite3.connect(tmp_path / "photos.db")) as connection:
        connection.execute("CREATE TABLE photos (id)")
    with pytest.raises(DatabaseError, match="another program"):
        ask(str(tmp_path / "photos.db"), "SELECT 1")


def test_a_locked_file_is_told(full: str) -> None:
    with closing(sqlite3.connect(full, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseError, match="locked"):
            ask(full, "SELECT count(*) FROM v_runs", timeout_s=0.1)
