#!/bin/sh
# DuckDB 1.5.5 with its SQLite extension: a view of an attached SQLite file is not asked of SQLite. DuckDB takes the view's text out of
# the schema and runs it as its own SQL, where `/` of whole numbers is a real division (`//` is that of whole numbers). A view that
# takes the middle row by `place IN ((n + 1) / 2, (n + 2) / 2)` gives the right median in SQLite and Postgres, and in DuckDB, for an
# even n, the upper of the two in the middle: no error, no warning. Seen 2026-12-01 with Python 3.11.
#
# What it costs: numbers of a view that differ by the program that opens the file. Write views of a file that others open without
# `/` of whole numbers (here `2 * place BETWEEN n AND n + 2`), and compare every column in both.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'duckdb==1.5.5' 'duckdb-extension-sqlite-scanner==1.5.5'
"$folder/venv/bin/python" - "$folder/a.db" <<'PY'
import sqlite3
import sys
from importlib.resources import files

import duckdb

path = sys.argv[1]
MEDIAN = "SELECT AVG(x) AS median FROM (SELECT x, ROW_NUMBER() OVER (ORDER BY x) AS place, COUNT(*) OVER () AS n FROM t) AS p WHERE "
with sqlite3.connect(path) as connection:
    connection.execute("CREATE TABLE t (x REAL)")
    connection.executemany("INSERT INTO t VALUES (?)", [(1.0,), (2.0,), (4.0,), (8.0,)])
    connection.execute(f"CREATE VIEW divided AS {MEDIAN} place IN ((n + 1) / 2, (n + 2) / 2)")
    connection.execute(f"CREATE VIEW doubled AS {MEDIAN} 2 * place BETWEEN n AND n + 2")
    in_sqlite = [connection.execute(f"SELECT median FROM {view}").fetchone()[0] for view in ("divided", "doubled")]
extension = files("duckdb_extension_sqlite_scanner") / f"extensions/v{duckdb.__version__}/sqlite_scanner.duckdb_extension"
duck = duckdb.connect()
duck.execute(f"LOAD '{extension}'")
duck.execute(f"ATTACH '{path}' AS x (TYPE sqlite, READ_ONLY)")
in_duckdb = [duck.execute(f"SELECT median FROM x.{view}").fetchone()[0] for view in ("divided", "doubled")]
print("DuckDB", duckdb.__version__, "SQLite", sqlite3.sqlite_version)
print("median of 1, 2, 4, 8 by the view that divides: SQLite", in_sqlite[0], "DuckDB", in_duckdb[0])
print("by the view that does not:                     SQLite", in_sqlite[1], "DuckDB", in_duckdb[1])
assert in_sqlite == [3.0, 3.0], in_sqlite
assert in_duckdb == [4.0, 3.0], in_duckdb
PY
