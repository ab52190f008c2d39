"""A frozen file of a stranger's: whatever its schema and rows hold, every question is answered or says what is wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import copyfile

import pytest

from resbench.errors import DatabaseError, ResbenchError
from resbench.store.connection.sqlite_open import limit_time
from resbench.tabular import file as frozen_files
from resbench.tabular import load, merge

SCHEMAS = {
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON epoch BEGIN DELETE FROM epoch; END",
    "a view beside": "CREATE VIEW more AS SELECT 1 AS x",
    "a view in the place of a table": "DROP TABLE test_score; CREATE VIEW test_score AS SELECT 1 AS run_id, 1 AS "
    "test_error_pct, 1 AS test_loss",
    "a table beside": "CREATE TABLE more (x)",
    "a table that is gone": "DROP TABLE epoch",
    "a column more": "ALTER TABLE run ADD COLUMN more",
    "a column that is worked out": "ALTER TABLE run ADD COLUMN more GENERATED ALWAYS AS (seed + 1) VIRTUAL",
    "a virtual table": "CREATE VIRTUAL TABLE words USING fts5 (body)",
    "an index more": "CREATE INDEX more ON run (abs(seed))",
}


@pytest.mark.parametrize("what", SCHEMAS)
def test_only_the_tables_of_a_frozen_file_are_read(what: str, frozen_once: Path, tmp_path: Path) -> None:
    path = tmp_path / "bench.db"
    copyfile(frozen_once, path)
    script(path, SCHEMAS[what])
    with pytest.raises(DatabaseError, match=r"bench\.db: its tables are not those of a frozen benchmark"):
        load(path)
    with pytest.raises(DatabaseError, match="its tables are not those"):
        merge([frozen_once, path], tmp_path / "out.db")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["bench.db"]


def script(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"PRAGMA ignore_check_constraints = ON; {sql}")


ROWS = {
    "a text as a seed": (
        "UPDATE run SET seed = 'x' WHERE id = 1",
        "seed: expected a whole number from 0 to 2^63 - 1, got 'x'",
    ),
    "a seed below 0": (
        "UPDATE run SET seed = -1 WHERE id = 1",
        "seed: expected a whole number from 0 to 2^63 - 1, got -1",
    ),
    "an infinite error": (
        "UPDATE epoch SET val_error_pct = 9e999",
        "val_error_pct: expected a number from 0 to 100, got inf",
    ),
    "an infinite loss": ("UPDATE epoch SET val_loss = -9e999", "val_loss: expected a finite number, got -inf"),
    "a text as an error": (
        "UPDATE epoch SET val_error_pct = 'low'",
        "val_error_pct: expected a number from 0 to 100, got 'low'",
    ),
    "bytes as a name": ("UPDATE environment SET device = x'00'", "device: expected a text"),
    "a text as a number of epochs": ("UPDATE run SET epochs = 'x'", "epochs: expected a whole number"),
    "seconds below 0": ("UPDATE epoch SET train_s = -1", "train_s: expected a number of seconds"),
    "a text as parameters": ("UPDATE architecture SET params = 'many'", "params: expected a whole number"),
    "a text as costs": ("UPDATE cost SET macs = 'many'", "macs: expected a whole number"),
    "a network that is no JSON": ("UPDATE architecture SET spec = '{'", "spec: expected a JSON object"),
    "a study that is no JSON": ("UPDATE study SET spec = 'x'", "spec: expected a JSON object"),
    "a study with seeds that are none": (
        'UPDATE study SET spec = \'{"seeds": "x"}\'',
        "seeds: expected a list of whole numbers, got 'x'",
    ),
    "a recipe that is no object": ("UPDATE recipe SET spec = '[]'", "spec: expected a JSON object"),
    "a shape that is none": ("UPDATE data SET input_shape = 'x'", "input_shape: expected three sizes"),
    "params that are none": ("UPDATE unit SET params = '3'", "params: expected a JSON object"),
    "a test score over 100": (
        "INSERT INTO test_score VALUES (1, 101, 0)",
        "test_error_pct: expected a number from 0 to 100",
    ),
    "plugins that are none": ("UPDATE environment SET plugins = ''", "plugins: expected a JSON object"),
    "a status that no run has": (
        "UPDATE run SET status = 'queued'",
        "status: expected one of complete, diverged, stopped, got 'queued'",
    ),
    "a study that can be written nowhere": (
        """UPDATE study SET spec = '{"units": ["\\ud800"]}'""",
        "spec: expected a JSON object",
    ),
    "units that are numbers": ("UPDATE study SET spec = '{\"units\": [7]}'", "units: expected a list of texts"),
    "a flag that is none": ("UPDATE environment SET tf32 = 2", "tf32: expected 0 or 1, got 2"),
    "a number that is too large for JSON": (
        "UPDATE recipe SET spec = json_set(spec, '$.lr', 7) || ' '; UPDATE recipe SET spec = replace(spec, '7', '1e999')",
        "spec: expected a JSON object",
    ),
    "a number as a unit": ("UPDATE unit SET number = 1.5", "number: expected a whole number"),
}


@pytest.mark.parametrize("what", ROWS)
def test_a_row_that_cannot_be_is_told_wherever_it_is_met(what: str, frozen_once: Path, tmp_path: Path) -> None:
    sql, words = ROWS[what]
    path = tmp_path / "bench.db"
    copyfile(frozen_once, path)
    script(path, sql)
    assert all(error is None or str(error) for error in (ended(question, path) for question in QUESTIONS))
    with pytest.raises(DatabaseError) as caught:
        merge([path, frozen_once], tmp_path / "out.db")
    assert words in str(caught.value)
    assert "get the file again" in str(caught.value)
    assert not (tmp_path / "out.db").exists()
    other_way = ended(lambda path: merge([frozen_once, path], tmp_path / "out.db"), path)
    assert other_way is None or str(path) in str(other_way), "the sound one is not to blame"


QUESTIONS: tuple[Callable[[Path], object], ...] = (
    lambda path: load(path).about,
    lambda path: load(path).units,
    lambda path: load(path).query("plain"),
    lambda path: load(path).query("plain", epoch=1, seed=0),
    lambda path: load(path).seeds("plain"),
    lambda path: load(path).architecture("plain"),
    lambda path: load(path).test("plain"),
    lambda path: load(path).simulate(lambda simulation: simulation.train("plain"), epochs=9),
    lambda path: str(load(path).query("original")),
)


def ended(question: Callable[[Path], object], path: Path) -> ResbenchError | None:
    """How a question ended: an answer, or an error of ours; anything else is a traceback."""
    try:
        question(path)
    except ResbenchError as error:
        return error
    return None


def test_a_unit_of_a_study_that_is_not_there(frozen_once: Path, tmp_path: Path) -> None:
    path = tmp_path / "bench.db"
    copyfile(frozen_once, path)
    script(path, "UPDATE unit SET study = 'gone'")
    with (
        load(path) as bench,
        pytest.raises(DatabaseError, match=r"bench\.db: a unit belongs to the study gone, which is not in the file"),
    ):
        bench.query("plain")


def test_an_index_that_finds_no_run(frozen_once: Path, tmp_path: Path) -> None:
    """SQLite trusts an index; a merge sees the row itself, and that of the other file."""
    path = tmp_path / "bench.db"
    copyfile(frozen_once, path)
    script(
        path,
        "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = "
        "'unit_of') WHERE name = 'sqlite_autoindex_run_1'",
    )
    merge([frozen_once, path], tmp_path / "out.db")
    with load(frozen_once) as whole, load(tmp_path / "out.db") as merged:
        assert merged.query("original") == whole.query("original")


def test_a_damaged_page_is_told(frozen_once: Path, tmp_path: Path) -> None:
    whole, path = frozen_once.read_bytes(), tmp_path / "bench.db"
    pages = range(4096, len(whole), 4096)
    for start in pages:
        path.write_bytes(whole[:start] + b"\xff" * 4096 + whole[start + 4096 :])
        for question in QUESTIONS:
            error = ended(question, path)
            assert error is None or str(error).startswith(f"{path}: ")
    assert len(pages) > 10


def test_a_question_that_does_not_end_is_ended(frozen_once: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here every question is one: its time is over before it begins."""
    bench = load(frozen_once)
    monkeypatch.setattr(frozen_files, "limit_time", lambda connection, seconds: limit_time(connection, -1.0))
    monkeypatch.setattr("resbench.store.connection.sqlite_open._STEPS_BETWEEN_LOOKS", 1)
    with pytest.raises(DatabaseError, match="reading it took more than 60 s and was stopped"):
        bench.query("plain")
