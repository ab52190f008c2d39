"""Databases of strangers with something broken in them: each is read, merged or refused with its name, and nothing is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from random import Random
from shutil import copyfile
from typing import Any

import pytest
from command_line import say
from fuzz_bases import make_database, small_pages
from fuzz_case import FULL, Figures, cases, chunks, ended, kept, noted
from fuzz_sqlite import mutate_file

from resbench.store.maintenance.upgrade import upgrade_database
from resbench.store.merge.databases import merge, merge_to_new
from resbench.store.open import open_store
from resbench.store.optuna.storage import optuna_storage

SAMPLE, WANTED = 40, 5_000
READING: tuple[tuple[str, ...], ...] = (
    ("results", "list"), ("results", "list", "--json"), ("results", "top", "small"), ("results", "top", "small", "--json"),
    ("results", "show", "1"), ("results", "show", "2", "--json"), ("results", "compare", "small", "plain", "original"),
    ("results", "compare", "small", "plain", "original", "--exact", "--json"), ("results", "power", "small", "--delta", "5"),
    ("results", "export", "small", "-o", "out.md"), ("results", "export", "small", "-o", "out.csv"),
    ("results", "export", "small", "-o", "out.json"), ("results", "export", "small", "-o", "out.tex"),
    ("results", "freeze", "small", "-o", "out.db"), ("results", "unit", "small", "plain"),
    ("study", "status", "small"), ("study", "status", "small", "--json"), ("db", "check"), ("db", "check", "--json"),
    ("db", "backup", "out.db"),
    ("results", "note", "--list"), ("results", "note", "--list", "--json"),
)  # fmt: skip
SLOW: tuple[tuple[str, ...], ...] = (
    ("report", "small", "-o", "out.html"), ("query", "SELECT * FROM v_runs"), ("query", "SELECT * FROM v_leaderboard", "--csv"),
    *(("results", "plot", "small", kind, "-o", "out.svg") for kind in ("curves", "ranking", "seeds", "pareto", "depth")),
    ("results", "plot", "small", "differences", "-o", "out.png"),
)  # fmt: skip
PLACES = ("broken.db", "study small", "of the study", "expected one sample", "architecture a2_", "SQL: ")
WORK = ("rb_cell", "rb_cell_plan", "rb_attempt", "rb_worker", "rb_lease", "rb_checkpoint")  # stays where it is
OF_RUNS = {"rb_run": "id", "rb_epoch": "run_id", "rb_test_score": "run_id", "rb_run_plan": "run_id"}
GROWS = {("rb_study", name) for name in ("spec", "digest", "updated_at")}
Rows = Mapping[str, tuple[list[str], list[tuple[Any, ...]]]]  # of each table: its columns, its rows


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same database on large pages and on small ones."""
    folder = tmp_path_factory.mktemp("databases")
    make_database(folder / "large.db")
    small_pages(folder / "large.db", folder / "small.db")
    return [folder / "large.db", folder / "small.db"]


@pytest.fixture(scope="session")
def mine(bases: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a user has: the same study, without some of its runs and costs."""
    path = tmp_path_factory.mktemp("mine") / "mine.db"
    copyfile(bases[0], path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DELETE FROM rb_study_run WHERE run_id > 5; DELETE FROM rb_epoch WHERE run_id > 5; DELETE FROM rb_test_score WHERE "
            "run_id > 5; DELETE FROM rb_run_plan WHERE run_id > 5; DELETE FROM rb_run WHERE id > 5; "
            "UPDATE rb_cost SET memory_mib = NULL; UPDATE rb_run SET val_loss = val_loss + 1 WHERE id = 2"
        )
    return path


@pytest.fixture(scope="module", autouse=True)
def sound(bases: list[Path], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Of what is not broken every command makes something; and what they import is charged to no case."""
    for base in bases:
        folder = tmp_path_factory.mktemp("sound")
        copyfile(base, folder / base.name)
        for command in (*READING, *SLOW) if FULL else READING[::3]:
            said = say([*command, "--db", base.name], folder)
            assert said.status == (4 if command[:2] == ("db", "check") else 0) or "depth" in command, (command, said)
            for path in folder.glob("out.*"):
                path.unlink()


@pytest.mark.parametrize("chunk", chunks(SAMPLE))
def test_a_broken_database_is_read_or_refused(
    chunk: int, bases: list[Path], mine: Path, figures: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    for number in cases(chunk, SAMPLE, WANTED):
        with figures.case(number) as rng, kept(tmp_path) as folder:
            path = folder / "broken.db"
            copyfile(rng.choice(bases), path)
            copyfile(mine, folder / "mine.db")
            with noted(mutate_file(path, rng)):
                read(path, rng)
                rng.choices([merge_from, merge_into, merge_both, write, remove], [5, 5, 1, 2, 2])[0](path)


def read(path: Path, rng: Random) -> None:
    before = path.read_bytes()
    for words in [rng.choice(READING), rng.choice(SLOW)] if rng.random() < 0.05 else [rng.choice(READING)]:
        command(path, words)
    assert path.read_bytes() == before, "a command that reads changed the file"


def command(path: Path, words: tuple[str, ...]) -> None:
    """It does its work, or says with the place what is wrong; `db check` says it in its answer."""
    said = say([*words, "--db", path.name], path.parent)
    assert said.status in (0, 1, 2, 4), (words, said)
    placed = PLACES[:1] if said.status == 4 else PLACES  # a database that is wrong is named itself
    refused = said.status in (2, 4) and not said.out
    assert not refused or any(place in said.err for place in placed), (words, said)
    assert "Traceback" not in said.err


def remove(path: Path) -> None:
    """The study is deleted, or the file is as it was."""
    before = path.read_bytes()
    said = say(["results", "delete", "small", "--yes", "--revealed", "--db", path.name], path.parent)
    assert said.status in (0, 2, 4), said
    assert "Traceback" not in said.err
    if said.status == 0:
        assert not {"rb_study", "rb_trial", "rb_study_run"} & {name for name, (_, found) in rows(path).items() if found}
    else:
        assert path.read_bytes() == before, f"changed, though it was refused: {said.err}"


def merge_from(path: Path) -> None:
    """The broken one into the user's."""
    taken(path.with_name("mine.db"), path, lambda: merge(str(path.with_name("mine.db")), [str(path)]))


def merge_into(path: Path) -> None:
    taken(path, path.with_name("mine.db"), lambda: merge(str(path), [str(path.with_name("mine.db"))]))


def merge_both(path: Path) -> None:
    mine, out = path.with_name("mine.db"), path.with_name("new.db")
    before = path.read_bytes(), mine.read_bytes()
    refused = ended(lambda: merge_to_new(str(out), [str(mine), str(path)]), path.name, mine.name)
    assert (path.read_bytes(), mine.read_bytes()) == before
    assert out.exists() == (refused is None)
    if refused is None:
        held = {name: table for name, table in rows(mine).items() if name not in WORK}
        assert not lost(held, rows(out), ids=False)


def taken(into: Path, source: Path, way: Callable[[], object]) -> None:
    """Every row of before is in the database afterwards, or the file is untouched; the other file is in any case."""
    before, other = into.read_bytes(), source.read_bytes()
    held = rows(into)
    refused = ended(way, "broken.db", "mine.db")
    assert source.read_bytes() == other, "the database merged from was changed"
    if refused is not None:
        assert into.read_bytes() == before, f"changed, though it was refused: {refused}"
    else:
        assert not lost(held, rows(into))


def write(path: Path) -> None:
    """What opens a database to write into it. A refused one is as it was."""
    before, held = path.read_bytes(), rows(path)
    ways: tuple[Callable[[], object], ...] = (
        lambda: open_store(str(path), create=True).dispose(),
        lambda: optuna_storage(str(path)).engine.dispose(),
        lambda: upgrade_database(str(path)),
        lambda: command(path, ("results", "top", "small", "--test")),
    )
    for way in ways:
        refused = ended(way, path.name)
        assert refused is None or path.read_bytes() == before, f"changed, though it was refused: {refused}"
        assert not lost(held, rows(path))
        before = path.read_bytes()


def rows(path: Path) -> Rows:
    """All of our tables, past resbench; nothing of what cannot be read."""
    found = {}
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.text_factory = bytes
            names = [
                name.decode()
                for (name,) in connection.execute(
                    "SELECT name FROM sqlite_master WHERE name LIKE 'rb_%' AND type = 'table'"
                )
            ]
            for name in names:
                cursor = connection.execute(f'SELECT * FROM "{name}"')
                found[name] = [column[0] for column in cursor.description], cursor.fetchall()
    except (sqlite3.Error, UnicodeDecodeError):
        return {}
    return found


def lost(before: Rows, after: Rows, *, ids: bool = True) -> list[str]:
    """Rows that are gone or say something else: only what was NULL may be filled in, what a study wants may grow, and a run
    that came to no end may give way. `ids`: whether the database's own numbers are the same.
    """
    gone = []
    columns, runs = before.get("rb_run", ([], []))
    unfinished = {row[columns.index("id")] for row in runs if row[columns.index("status")] in (b"failed", b"stopped")}
    for table, (columns, held) in before.items():
        own = [n for n, column in enumerate(columns) if (table, column) not in GROWS and (ids or not is_id(column))]
        there = [tuple(row[n] for n in own) for row in after[table][1]]
        for row in held:
            given_way = table in OF_RUNS and row[columns.index(OF_RUNS[table])] in unfinished
            kept_row = tuple(row[n] for n in own)
            if kept_row not in there and not given_way and not any(grew(kept_row, other) for other in there):
                gone.append(f"{table} {row}")
    return gone


def is_id(column: str) -> bool:
    return column == "id" or column.endswith("_id")


def grew(row: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return all(was is None or was == now for was, now in zip(row, other, strict=True))
