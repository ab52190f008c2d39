"""`resbench db ...` and `resbench query` as a person types them, on the database of a study that ran."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from shutil import copyfile

import pytest
from command_line import Database, Rb
from postgres_server import Server

from resbench.store.results.seal import unseal
from resbench.store.schema.revision import REVISIONS


def test_a_database_of_a_study_is_sound(read: Rb) -> None:
    said = read("db", "check")
    assert (said.status, said.err) == (0, "")
    assert "every reference leads somewhere" in said.out
    assert all(row["ok"] and row["wrong"] == [] for row in read("db", "check", "--json").json)


def test_what_is_wrong_is_told_and_is_status_four(rb: Rb, ran: None, database: Database) -> None:
    database.change("DELETE FROM rb_epoch WHERE run_id = 1")
    said = rb("db", "check")
    assert said.status == 4
    assert "a finished run has a row for each of its epochs? run 1: 1 epochs, rows: 0\n" in said.err
    assert "1 wrong" in said.out
    wrong = [row for row in rb("db", "check", "--json").json if not row["ok"]]
    assert [row["wrong"] for row in wrong] == [["run 1: 1 epochs, rows: 0"]]


def test_the_limit_of_a_transaction_is_given(rb: Rb, ran: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from resbench.store.connection import sqlite_open as sqlite_connection

    monkeypatch.setattr(sqlite_connection, "_STEPS_BETWEEN_LOOKS", 1)
    commands = (("db", "check"), ("results", "freeze", "small", "-o", "bench.db"))
    monkeypatch.setenv("RESBENCH_TRANSACTION_S", "1e-9")
    for command in commands:
        said = rb(*command)
        assert said.status == 4
        assert "took over 1e-09 s, the limit of one transaction" in said.err
        assert "RESBENCH_TRANSACTION_S, or by --timeout of" in said.err
        assert rb(*command, "--timeout", "80000").status == 0
    monkeypatch.setenv("RESBENCH_TRANSACTION_S", "soon")
    said = rb("results", "list")
    assert said.status == 2
    assert "RESBENCH_TRANSACTION_S: expected a number of seconds above 0, got 'soon'" in said.err


def test_a_copy(rb: Rb, ran: None, tmp_path: Path) -> None:
    said = rb("db", "backup", "copy.db")
    assert (said.status, said.out, said.err) == (0, "", f"copied to {tmp_path / 'copy.db'}\n")
    assert rb("results", "list", "--db", "copy.db", "--json").json == rb("results", "list", "--json").json
    assert rb("db", "backup", "copy.db").status == 2
    assert rb("db", "backup", "copy.db", "--force").status == 0


def test_a_copy_does_not_take_the_place_of_a_file_with_changes_beside_it(rb: Rb, ran: None, tmp_path: Path) -> None:
    """SQLite would play them back over the copy."""
    assert rb("db", "backup", "copy.db").status == 0
    (tmp_path / "copy.db-wal").write_bytes(b"changes")
    before = (tmp_path / "copy.db").read_bytes()
    said = rb("db", "backup", "copy.db", "--force")
    assert said.status == 2
    assert "copy.db-wal beside it holds changes that belong to the file there" in said.err
    assert (tmp_path / "copy.db").read_bytes() == before


def test_an_upgrade(rb: Rb, ran: None, database: Database, tmp_path: Path) -> None:
    assert "has the schema" in rb("db", "upgrade").err
    scores = {run_id: unseal(sealed) for run_id, sealed in database.rows("SELECT run_id, sealed FROM rb_test_score")}
    tested = rb("results", "top", "small", "--test", "--json").json
    for change in (
        *(f"DROP TABLE {name}" for name in ("rb_attempt", "rb_worker", "rb_lease")),
        *(f"ALTER TABLE rb_cell DROP COLUMN {name}" for name in ("token", "lease_until", "tags")),
        *(f"DROP VIEW {name}" for name in ("v_profiles", "v_units", "v_leaderboard", "v_epochs", "v_runs")),
        "ALTER TABLE rb_study_run DROP COLUMN judges",
        *(f"DROP TABLE {name}" for name in ("rb_profile", "rb_note", "rb_change")),
        "DROP INDEX ix_rb_study_run_run",
        "ALTER TABLE rb_cost DROP COLUMN memory_mib",
        *(f"ALTER TABLE rb_epoch DROP COLUMN {name}" for name in ("recomputed_val_loss", "recomputed_val_error_pct")),
        "ALTER TABLE rb_data DROP COLUMN largest_class_error_pct",
        "ALTER TABLE rb_environment DROP COLUMN processor",
        "UPDATE rb_architecture SET depth = NULL",
        "DROP TABLE rb_weights",
        "DROP TABLE rb_test_score",
        "CREATE TABLE rb_test_score (run_id INTEGER NOT NULL PRIMARY KEY, test_error_pct DOUBLE, test_loss DOUBLE)",
        *(f"INSERT INTO rb_test_score VALUES ({run_id}, {error}, {loss})" for run_id, (error, loss) in scores.items()),
    ):
        database.change(change)
    database.change("UPDATE rb_alembic_version SET version_num = '0003_v0.1.0'")
    refused = rb("results", "top", "small")
    assert (refused.status, "`resbench db upgrade` keeps a copy" in refused.err) == (4, True)
    said = rb("db", "upgrade")
    kept = tmp_path / "resbench.db.0003_v0.1.0"
    assert said.err == (
        f"resbench.db: upgraded from 0003_v0.1.0 to {REVISIONS[-1]}; the old database is kept as {kept}\n"
        "test scores are sealed from now on; resbench.db.0003_v0.1.0 still shows them to whoever opens it\n"
    )
    assert kept.exists()
    assert rb("results", "top", "small").status == 0
    assert rb("results", "top", "small", "--test", "--json").json == tested
    assert database.rows("SELECT DISTINCT depth FROM v_units") == [(8,)]


def test_a_merge(rb: Rb, ran: None, finished: Path, tmp_path: Path, database: Database) -> None:
    copyfile(finished / "resbench.db", tmp_path / "b.db")
    said = rb("db", "merge", "resbench.db", "b.db", "-o", "both.db", "--json")
    assert said.status == 0
    assert [(one["source"], one["runs_added"], one["runs_there"]) for one in said.json] == [
        ("resbench.db", 4, 0),
        ("b.db", 5, 4),
    ]
    top = rb("results", "top", "small", "--db", "both.db", "--json").json
    assert sorted((row["unit"], row["n"]) for row in top) == [("full_preactivation", 3), ("original", 3), ("plain", 3)]
    assert rb("db", "check", "--db", "both.db").status == 0
    Database(tmp_path / "b.db").change("UPDATE rb_run SET val_loss = 9.5 WHERE id = 1")
    conflict = rb("db", "merge", "resbench.db", "b.db")
    assert conflict.status == 1
    assert "seed 0: val_loss: " in conflict.err
    assert "is kept, b.db has 9.5" in conflict.err
    assert database.one("SELECT COUNT(*) FROM rb_run WHERE val_loss = 9.5") == 0
    assert database.one("SELECT COUNT(*) FROM rb_run") == 9
    assert rb("db", "merge", "resbench.db").status == 2


def test_a_study_goes_on_after_a_merge(rb: Rb, ran: None, finished: Path, tmp_path: Path) -> None:
    """What was merged is not trained again, and Optuna's study holds every trial."""
    import optuna

    copyfile(finished / "resbench.db", tmp_path / "b.db")
    assert rb("db", "merge", "resbench.db", "b.db").status == 0
    said = rb("study", "run", "small.yaml", "units+=full_preactivation", "units+=bn_after_addition", "seeds=3")
    assert said.status == 0
    assert "9 cached, 0 new" in said.err or "9 cached" in said.err
    study = optuna.load_study(study_name="small", storage=f"sqlite:///{tmp_path / 'resbench.db'}")
    assert [trial.user_attrs["unit"] for trial in study.trials] == [
        "plain", "original", "full_preactivation", "bn_after_addition",
    ]  # fmt: skip
    assert all(trial.state == optuna.trial.TrialState.COMPLETE for trial in study.trials)
    study._storage.remove_session()


def test_a_query_as_csv(read: Rb) -> None:
    said = read(
        "query",
        "SELECT unit, NULL AS empty, 'a,\"b\"' AS quoted, x'00ff' AS raw, 0.1 AS x FROM v_leaderboard ORDER BY 1",
        "--csv",
    )
    assert (said.status, said.err) == (0, "")
    rows = list(csv.reader(StringIO(said.out)))
    assert rows[0] == ["unit", "empty", "quoted", "raw", "x"]
    assert rows[1:] == [[unit, "", 'a,"b"', "00ff", "0.1"] for unit in ("full_preactivation", "original", "plain")]
    both = read("query", "SELECT 1", "--csv", "--json")
    assert (both.status, both.out, both.err) == (2, "", "--json and --csv: give one of them\n")


@pytest.mark.parametrize("words", [("query", "SELECT 1"), ("db", "check"), ("db", "upgrade"), ("results", "list")])
def test_a_server_that_is_not_there(rb: Rb, words: tuple[str, ...], tmp_path: Path) -> None:
    said = rb(*words, "--db", f"postgresql://ann:secret@/x?host={tmp_path}")
    assert (said.status, said.out) == (4, "")
    assert "secret" not in said.err
    assert "Traceback" not in said.err


def test_a_study_in_postgres_is_run_ranked_asked_checked_and_merged(
    rb: Rb, small: Path, server: Server, ran_once: Path, tmp_path: Path
) -> None:
    """What the same study says in SQLite it says there, and a file is merged into it."""
    url = server.new()
    said = rb("study", "run", "small.yaml", "units=[plain]", "--db", url, "--json")
    assert said.status == 0, said.err
    copyfile(ran_once / "resbench.db", tmp_path / "a.db")
    merged = rb("db", "merge", url, "a.db", "--json").json[0]
    assert (merged["runs_added"], merged["runs_there"], merged["conflicts"]) == (2, 2, [])
    for words in (
        ("results", "top", "small", "--json"),
        ("query", "SELECT unit, seed, val_error_pct FROM v_runs ORDER BY 1, 2", "--json"),
    ):
        ours, theirs = (rb(*words, "--db", db).json for db in (url, "a.db"))
        drop = ("train_s",)
        assert [{k: v for k, v in row.items() if k not in drop} for row in ours] == [
            {k: v for k, v in row.items() if k not in drop} for row in theirs
        ]
    assert rb("db", "check", "--db", url).status == 0
    assert "nothing was changed" in rb("db", "upgrade", "--db", url).err
    assert rb("query", "SELECT * FROM rb_test_score", "--db", url).status == 2
    assert rb("db", "backup", "x.db", "--db", url).status == 4
