"""What a stranger's file holds beside our tables is obeyed by nobody: it is refused before anything is read or written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, text
from store_sample import Sample

from resbench.errors import DatabaseError
from resbench.store.connection.location import locate
from resbench.store.connection.transaction import writing
from resbench.store.maintenance.backup import backup
from resbench.store.maintenance.check import check_database
from resbench.store.maintenance.upgrade import upgrade_database
from resbench.store.merge import databases as merging
from resbench.store.merge.databases import merge
from resbench.store.migrate.upgrade import alembic_config
from resbench.store.open import connect, open_store
from resbench.store.optuna.storage import optuna_storage
from resbench.store.query.query import query
from resbench.store.results.reading import runs_of_study
from resbench.store.schema.revision import REVISIONS

pytestmark = pytest.mark.sqlite

NAMES = "SELECT group_concat(name) FROM pragma_table_info('rb_epoch')"
FOREIGN = {
    "a trigger on a table of ours": (
        "CREATE TRIGGER t AFTER INSERT ON rb_epoch BEGIN DELETE FROM rb_epoch; END",
        "the trigger t on rb_epoch",
    ),
    "a trigger on a table of its own": (
        "CREATE TABLE mine (x); CREATE TRIGGER t AFTER INSERT ON mine BEGIN DELETE FROM rb_epoch; END",
        "the trigger t on mine",
    ),
    "a trigger in the place of a view": (
        "CREATE TRIGGER t INSTEAD OF DELETE ON v_runs BEGIN DELETE FROM rb_epoch; END",
        "the trigger t on v_runs",
    ),
    "a view in the place of a table": (
        "DROP TABLE rb_reveal; CREATE VIEW rb_reveal AS SELECT 1 AS id, 1 AS study_id, 'x' AS revealed_at, 'y' AS revealed_by",
        "a view in the place of the table rb_reveal",
    ),
    "a view in the place of Optuna's table": (
        "CREATE VIEW Trials AS SELECT 1 AS trial_id",
        "a view in the place of the table Trials",
    ),
    "a table in the place of a view": (
        "DROP VIEW v_runs; CREATE TABLE v_runs (x)",
        "a table in the place of the view v_runs",
    ),
    "a view of ours that says something else": (
        "DROP VIEW v_epochs; CREATE VIEW v_epochs AS SELECT * FROM v_runs",
        "the view v_epochs is not the one",
    ),
    "a view of ours that is gone": ("DROP VIEW v_epochs", "the view v_epochs is missing"),
    "a view of ours in other letters": (
        "DROP VIEW v_leaderboard; CREATE VIEW V_Leaderboard AS SELECT 'forged' AS unit, 0.01 AS mean",
        "the view v_leaderboard is missing",
    ),
    "a view of ours with another kind of space": (
        "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'JOIN rb_epoch e', 'JOIN rb_epoch' || "
        "char(160) || 'e') WHERE name = 'v_epochs'",
        "the view v_epochs is not the one",
    ),
    "a column that is worked out when read": (
        "ALTER TABLE rb_epoch ADD COLUMN more GENERATED ALWAYS AS (epoch + 1) VIRTUAL",
        "the table rb_epoch computes its column more",
    ),
    "a default that is worked out": (
        "DROP TABLE rb_reveal; CREATE TABLE rb_reveal (id INTEGER PRIMARY KEY, study_id, revealed_at, revealed_by, "
        "more DEFAULT (abs(1)))",
        "the table rb_reveal computes the default of its column more",
    ),
    "a row that replaces another": (
        "DROP TABLE rb_reveal; CREATE TABLE rb_reveal (id INTEGER PRIMARY KEY, study_id UNIQUE /* */ ON  conflict REPLACE, "
        "revealed_at, revealed_by)",
        "the table rb_reveal replaces or leaves out rows",
    ),
    "rows that go with others": (
        "DROP TABLE rb_test_score; CREATE TABLE rb_test_score (run_id PRIMARY KEY REFERENCES rb_run ON DELETE CASCADE, "
        "test_error_pct, test_loss)",
        "the table rb_test_score changes rows with others",
    ),
    "texts that are compared in another way": (
        "DROP TABLE rb_reveal; CREATE TABLE rb_reveal (id INTEGER PRIMARY KEY, study_id, revealed_at COLLATE nocase, "
        "revealed_by)",
        "the table rb_reveal compares texts in another way",
    ),
    "a check that calls a function": (
        "DROP TABLE rb_reveal; CREATE TABLE rb_reveal (id INTEGER PRIMARY KEY, study_id, revealed_at, revealed_by, "
        "CHECK (length(hex(revealed_at)) > 0))",
        "the table rb_reveal calls a function in a CHECK",
    ),
    "a row that replaces another, behind a comment": (
        "DROP TABLE rb_reveal; CREATE TABLE rb_reveal (id INTEGER PRIMARY KEY, study_id UNIQUE ON/**/CONFLICT/* x */REPLACE, "
        "revealed_at, revealed_by)",
        "the table rb_reveal replaces or leaves out rows",
    ),
    "a row that replaces another, behind a comment to the end of the line": (
        "DROP TABLE rb_reveal; CREATE TABLE rb_reveal (id INTEGER PRIMARY KEY, study_id UNIQUE ON--'\nCONFLICT--'\nREPLACE, "
        "revealed_at, revealed_by)",
        "the table rb_reveal replaces or leaves out rows",
    ),
    "rows that go with others, behind a comment": (
        "DROP TABLE rb_test_score; CREATE TABLE rb_test_score (run_id PRIMARY KEY REFERENCES rb_run ON/**/DELETE/**/CASCADE, "
        "test_error_pct, test_loss)",
        "the table rb_test_score changes rows with others",
    ),
    "texts that are compared in another way, behind a comment": (
        "DROP TABLE rb_reveal; CREATE TABLE rb_reveal (id INTEGER PRIMARY KEY, study_id, revealed_at COLLATE/**/nocase, "
        "revealed_by)",
        "the table rb_reveal compares texts in another way",
    ),
    "texts that are compared in another way, in quotes": (
        "DROP TABLE rb_reveal; CREATE TABLE rb_reveal (id INTEGER PRIMARY KEY, study_id, revealed_at COLLATE'nocase', "
        "revealed_by)",
        "the table rb_reveal compares texts in another way",
    ),
    "a check that calls a function, behind a comment": (
        "DROP TABLE rb_reveal; CREATE TABLE rb_reveal (id INTEGER PRIMARY KEY, study_id, revealed_at, revealed_by, "
        "CHECK/**/(length/**/(hex/* ( */(revealed_at)) > 0))",
        "the table rb_reveal calls a function in a CHECK",
    ),
    "a check that calls a function in quotes": (
        "DROP TABLE rb_reveal; CREATE TABLE rb_reveal (id INTEGER PRIMARY KEY, study_id, revealed_at, revealed_by, "
        "CHECK ([length](revealed_at) > 0))",
        "the table rb_reveal calls a function in a CHECK",
    ),
    "a default that is worked out, behind a comment": (
        "DROP TABLE rb_reveal; CREATE TABLE rb_reveal (id INTEGER PRIMARY KEY, study_id, revealed_at, revealed_by, "
        "more DEFAULT/**/(abs/**/(1)))",
        "the table rb_reveal computes the default of its column more",
    ),
    "an index that leaves rows out, behind a comment": (
        "CREATE INDEX mine ON rb_epoch (run_id)/**/WHERE/**/epoch = 1",
        "the index mine, which excludes rows",
    ),
    "an index that works out an expression": (
        "CREATE INDEX mine ON rb_epoch (abs(lr))",
        "the index mine, which computes an expression",
    ),
    "an index that leaves rows out": (
        "CREATE UNIQUE INDEX mine ON rb_epoch (run_id) WHERE epoch = 1",
        "the index mine, which excludes rows",
    ),
    "a virtual table": ("CREATE VIRTUAL TABLE words USING fts5 (body)", "the virtual table words"),
}
PLAIN = {
    "a table of the user's own": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT DEFAULT (abs(1)) COLLATE nocase)",
    "a view of the user's own": "CREATE VIEW mine AS SELECT count(*) AS n FROM v_runs",
    "an index of the user's own": "CREATE INDEX mine ON rb_epoch (val_loss)",
    "words in quotes and comments": "CREATE TABLE notes (x DEFAULT 'ON CONFLICT (', \"on delete cascade\" /* GENERATED */)",
    "such words in a table of ours": (
        "CREATE TABLE rb_notes (x DEFAULT 'ON CONFLICT (', \"on delete cascade\" /* COLLATE nocase */, y -- CHECK (f(x))\n)"
    ),
    "what sqlite keeps for its planner": "ANALYZE",
}


def script(db: str, sql: str) -> None:
    with closing(sqlite3.connect(db)) as connection:
        connection.executescript(sql)


def dump(db: str) -> list[str]:
    with closing(sqlite3.connect(db)) as connection:
        return list(connection.iterdump())


def named(what: str) -> object:
    """A thing that is written in another way than one before it is `long`."""
    again = ("behind a comment", "in quotes", "in other letters")
    return pytest.param(what, marks=pytest.mark.long if any(words in what for words in again) else ())


@pytest.mark.parametrize("what", [named(what) for what in FOREIGN])
def test_it_is_refused_by_every_way_in(what: str, full: str, other: str, tmp_path: Path) -> None:
    sql, words = FOREIGN[what]
    script(full, sql)
    before, mine = Path(full).read_bytes(), Path(other).read_bytes()
    ways = {
        "open to write": lambda: open_store(full, create=True),
        "open to read": lambda: open_store(full, create=False),
        "merge into it": lambda: merge(full, [other]),
        "merge from it": lambda: merge(other, [full]),
        "merge to a new one": lambda: merging.merge_to_new(str(tmp_path / "new.db"), [other, full]),
        "ask": lambda: query(full, "SELECT unit, mean FROM v_leaderboard", max_rows=5, timeout_s=20),
    }
    if "the view v_" not in words or "table" in words:  # a view holds no rows: it is copied, told of, and made anew
        ways |= {
            "check": lambda: check_database(full),
            "back up": lambda: backup(full, str(tmp_path / "copy.db")),
            "upgrade": lambda: upgrade_database(full),
            "Optuna": lambda: optuna_storage(full),
        }
    for way, open_it in ways.items():
        with pytest.raises(DatabaseError) as caught:
            open_it()
        assert words in str(caught.value), way
    assert Path(full).read_bytes() == before
    assert Path(other).read_bytes() == mine
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.db", "results.db"]


@pytest.mark.parametrize("what", [what for what in FOREIGN if what.startswith("a view of ours")])
def test_a_view_that_is_not_ours_is_told_of_and_made_anew(what: str, full: str) -> None:
    """It holds no rows. What the file said before is in the copy, and a view of the user's own is left."""
    script(full, PLAIN["a view of the user's own"])
    before = dump(full)
    script(full, FOREIGN[what][0])
    (wrong,) = [one for one in check_database(full) if "view" in one.what]
    assert [FOREIGN[what][1] in line and "`resbench db upgrade` recreates it" in line for line in wrong.wrong] == [True]
    changed = dump(full)
    done = upgrade_database(full)
    assert (done.found, done.now) == (REVISIONS[-1], REVISIONS[-1])
    assert sorted(dump(full)) == sorted(before)
    assert dump(str(done.copy)) == changed
    assert (upgrade_database(full).copy, upgrade_database(full).views) == (None, ())
    assert query(full, "SELECT n FROM mine", max_rows=5, timeout_s=20).rows == ((3,),)


def test_views_in_the_way_of_a_revision_are_made_anew(db: str) -> None:
    engine = connect(locate(db), create=True)
    with writing(engine) as connection:
        command.upgrade(alembic_config(connection), REVISIONS[2])
    engine.dispose()
    script(db, "CREATE VIEW v_profiles AS SELECT 1; CREATE VIEW v_units AS SELECT 2; DROP VIEW v_runs")
    upgrade_database(db)
    open_store(db, create=False).dispose()


@pytest.mark.parametrize("what", PLAIN)
def test_what_is_the_users_own_is_let_be(what: str, full: str, other: str) -> None:
    script(full, PLAIN[what])
    merge(full, [other])
    merge(other, [full])
    optuna_storage(full).engine.dispose()
    engine = open_store(full, create=True)
    assert len(runs_of_study(engine, "s")) == 3
    engine.dispose()
    assert not [one for one in check_database(full) if "column" in one.what and one.wrong]


@pytest.mark.parametrize(
    "loss", ["DELETE FROM rb_epoch WHERE epoch = 2", "UPDATE rb_run SET val_error_pct = 1 WHERE id = 1"]
)
def test_a_merge_that_would_lose_a_row_is_not_committed(
    loss: str, full: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever takes it away: here it is the merge itself."""
    real = merging.merge_runs

    def lossy(source: Connection, into: Connection, merged: merging.Merged) -> merging.MergedIds:
        into.execute(text(loss))
        return real(source, into, merged)

    monkeypatch.setattr(merging, "merge_runs", lossy)
    before = dump(full)
    with pytest.raises(DatabaseError, match=r"rb_\w+ 1( 2)? (is gone|has changed) in the merge; nothing was merged"):
        merge(full, [other])
    assert dump(full) == before


def test_a_statement_that_does_not_end_is_ended(sample: Sample, db: str) -> None:
    sample.engine.dispose()
    engine = open_store(db, create=False, transaction_s=0.2)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    from resbench.store.connection.transaction import reading

    with (
        pytest.raises(
            DatabaseError,
            match=r"over 0\.2 s, the limit .*by RESBENCH_TRANSACTION_S, or by --timeout of",
        ),
        reading(engine) as connection,
    ):
        connection.execute(text(endless)).all()
    engine.dispose()


CELL = (
    "INSERT INTO rb_cell (id, trial_id, architecture, recipe, data, seeds, status) "
    "SELECT 9, id, architecture, recipe, data, {}, 'queued' FROM rb_trial WHERE id = 1"
)
ODD = {
    "a text as a seed": ("UPDATE rb_run SET seed = 'x' WHERE id = 1", "rb_run 1: seed: expected a whole number"),
    "a negative depth": ("UPDATE rb_architecture SET depth = -1", "depth: expected a whole number"),
    "an infinite error": (
        "UPDATE rb_run SET val_error_pct = 9e999 WHERE id = 2",
        "rb_run 2: val_error_pct: expected a number from 0",
    ),
    "an error over 100": (
        "UPDATE rb_epoch SET val_error_pct = 1e6",
        "rb_epoch 1 1: val_error_pct: expected a number from 0",
    ),
    "a text as a loss": ("UPDATE rb_epoch SET val_loss = 'nan'", "rb_epoch 1 1: val_loss: expected a finite number"),
    "bytes as a text": ("UPDATE rb_trial SET name = x'00ff'", "rb_trial 1: name: expected a text"),
    "seconds below 0": ("UPDATE rb_run SET train_s = -1.0", "rb_run 1: train_s: expected a number of seconds"),
    "broken JSON of a network": ("UPDATE rb_architecture SET spec = '{'", "spec: expected a JSON object, got '{'"),
    "broken JSON of params": ("UPDATE rb_trial SET params = '[]'", "rb_trial 1: params: expected a JSON object"),
    "JSON without end": (
        "UPDATE rb_architecture SET spec = replace(hex(zeroblob(100000)), '0', '[')",
        "spec: expected a JSON object",
    ),
    "another shape": ("UPDATE rb_data SET input_shape = '1x8'", "input_shape: expected three"),
    "seeds of a study that are none": (
        'UPDATE rb_study SET spec = \'{"seeds": [1, "x"]}\'',
        "seeds: expected a list of whole",
    ),
    "units of a study that are none": (
        "UPDATE rb_study SET spec = '{\"units\": 3}'",
        "units: expected a list of texts",
    ),
    "a study that is no object": ("UPDATE rb_study SET spec = '3'", "spec: expected a JSON object"),
    "a flag that is none": ("UPDATE rb_trial SET active = 7", "rb_trial 1: active: expected 0 or 1"),
    "an infinite seed of a cell": (CELL.format("'[1e999]'"), "rb_cell 9: seeds: expected a JSON list of whole numbers"),
    "a seed of a cell below 0": (CELL.format("'[0,-1]'"), "rb_cell 9: seeds: expected a JSON list of whole numbers"),
    "a seed of a cell too large": (
        CELL.format("'[9223372036854775808]'"),
        "rb_cell 9: seeds: expected a JSON list of whole numbers from 0 to 2^63 - 1, got '[9223372036854775808]'",
    ),
    "a flag as a seed of a cell": (CELL.format("'[true]'"), "rb_cell 9: seeds: expected a JSON list of whole numbers"),
    "numbers as tags": (
        CELL.format("'[1]'") + "; UPDATE rb_cell SET tags = '[1]'",
        "rb_cell 9: tags: expected a JSON list of texts, got '[1]'",
    ),
    "a text that is no UTF-8": (
        "UPDATE rb_trial SET name = CAST(x'ff41' AS TEXT)",
        "rb_trial 1: name: expected a text, got b'\\xffA'",
    ),
    "a seed too large": ("UPDATE rb_run SET seed = 1e30 WHERE id = 1", "rb_run 1: seed: expected a whole number"),
}


@pytest.mark.parametrize("what", ODD)
def test_rows_that_none_of_ours_can_be_are_not_taken_over(what: str, full: str, other: str) -> None:
    sql, words = ODD[what]
    script(full, sql)
    for into, sources in ((other, [full]), (full, [other])):
        with pytest.raises(DatabaseError, match="rows that no row of resbench's can be") as caught:
            merge(into, sources)
        assert words in str(caught.value)
    assert words in " ".join(line for one in check_database(full) for line in one.wrong)
