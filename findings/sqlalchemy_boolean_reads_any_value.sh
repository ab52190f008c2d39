#!/bin/sh
# SQLAlchemy 2.1.9 on SQLite: a Boolean column refuses to WRITE what is not True, False or None, and READS whatever is stored
# as a truth value without a word: 2, -5 and the texts 'no' and 'false' come out as True. SQLite keeps any value in any column (it has
# no truth values; https://sqlite.org/datatype3.html, section 2), so a file that another program wrote, or an older schema without a
# CHECK, is read as if every flag were set. Seen 2026-11-30 with Python 3.11.
#
# What it costs: a row marked 'no' counts as marked. Check such a column yourself when you read files that are not your own
# (a TypeDecorator over Integer that accepts 0 and 1 alone), or give the table CHECK (flag IN (0, 1)).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'sqlalchemy==2.1.9'
"$folder/venv/bin/python" - "$folder/a.db" <<'PY'
import sqlite3
import sys

import sqlalchemy as sa

path = sys.argv[1]
flags = sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("flag", sa.Boolean, nullable=False))
engine = sa.create_engine(f"sqlite:///{path}")
flags.create(engine)
with sqlite3.connect(path) as connection:
    connection.executemany("INSERT INTO t VALUES (?, ?)", enumerate([0, 1, 2, -5, "no", "false"]))
with engine.begin() as connection:
    read = list(connection.execute(sa.select(flags.c.flag).order_by(flags.c.id)).scalars())
    try:
        connection.execute(sa.insert(flags).values(id=9, flag="no"))
        written = True
    except (sa.exc.StatementError, TypeError) as error:
        written = f"{type(error).__name__}: {str(error).splitlines()[0]}"
print("SQLAlchemy", sa.__version__, "SQLite", sqlite3.sqlite_version)
print("stored 0, 1, 2, -5, 'no', 'false'; read", read)
print("writing 'no':", written)
assert read == [False, True, True, True, True, True], read
assert written is not True
PY
