"""`results delete`, `rename` and `note` as a person types them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from command_line import Database, Rb

from resbench.cli.results import changes as results_delete
from resbench.cli.results.changes import sentences
from resbench.store.edits.deletion import DeletionPlan, Run, ScoreReveal, Trial
from resbench.store.records import StudyRow

ODD = "<b>\x1b[31mred\u202e|`"


class Terminal(io.StringIO):
    """A person at a terminal, who types."""

    def isatty(self) -> bool:
        return True


def runs(database: Database) -> int:
    return int(database.one("SELECT COUNT(*) FROM rb_run"))


def test_without_a_terminal_nothing_is_deleted(rb: Rb, ran: None, database: Database) -> None:
    said = rb("results", "delete", "small")
    assert (said.status, said.out) == (2, "")
    assert "there is no terminal for the question, so nothing was deleted; --yes deletes without asking" in said.err
    assert runs(database) == 4


@pytest.mark.parametrize(("typed", "left", "status"), [("y\n", 0, 0), ("n\n", 4, 1), ("", 4, 1), ("study\n", 4, 1)])
def test_a_person_is_asked(
    typed: str, left: int, status: int, rb: Rb, ran: None, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    said = rb("results", "delete", "small")
    assert (said.status, runs(database)) == (status, left)
    assert "the whole study small: plain, original" in said.err
    assert "4 runs (4 complete), 4 epochs, 4 test scores" in said.err
    assert "Delete this permanently? [y/N]" in said.err


def test_a_study_that_was_deleted_is_trained_anew(rb: Rb, ran: None, database: Database) -> None:
    before = database.rows("SELECT seed, val_error_pct FROM v_runs ORDER BY unit, seed")
    assert rb("results", "delete", "small", "--yes").status == 0
    assert database.one("SELECT COUNT(*) FROM studies") == 0
    assert rb("db", "check").status == 0
    said = rb("results", "top", "small")
    assert said.status == 2
    assert "study small was deleted at " in said.err
    again = rb("results", "delete", "small", "--yes")
    assert (again.status, "study small was deleted at " in again.err) == (2, True)
    assert rb("study", "run", "small.yaml").status == 0
    assert database.rows("SELECT seed, val_error_pct FROM v_runs ORDER BY unit, seed") == before
    assert rb("db", "check").status == 0


def test_units_and_runs_are_trained_anew(rb: Rb, ran: None, database: Database) -> None:
    before = database.rows("SELECT unit, seed, val_error_pct FROM v_runs ORDER BY unit, seed")
    run = database.one("SELECT run_id FROM v_runs WHERE unit = 'original' AND seed = 1")
    assert rb("results", "delete", "small", "--unit", "plain", "--yes").status == 0
    assert rb("results", "delete", "--run", run, "--yes").status == 0
    assert database.rows("SELECT unit, seed FROM v_runs") == [("original", 0)]
    assert database.rows("SELECT DISTINCT state FROM trials") == [("FAIL",)]  # nobody trains
    assert [row["unit"] for row in rb("results", "top", "small", "--json").json] == ["original"]
    assert rb("db", "check").status == 0
    said = rb("study", "run", "small.yaml")
    assert said.status == 0, said.err
    assert database.rows("SELECT unit, seed, val_error_pct FROM v_runs ORDER BY unit, seed") == before
    assert database.rows("SELECT state, COUNT(*) FROM trials GROUP BY state ORDER BY state") == [
        ("COMPLETE", 2),
        ("FAIL", 1),
    ]
    assert rb("db", "check").status == 0


def test_looks_at_the_test_set_are_told_and_need_a_word_of_their_own(rb: Rb, ran: None, database: Database) -> None:
    assert rb("results", "top", "small", "--test").status == 0
    said = rb("results", "delete", "small", "--yes")
    assert said.status == 2
    assert "the test scores of small were looked at: 20" in said.err
    assert ": resbench results top --test" in said.err
    assert "add --revealed to --yes to delete them" in said.err
    assert runs(database) == 4
    assert rb("results", "delete", "small", "--yes", "--revealed").status == 0
    assert runs(database) == 0
    assert "resbench results top --test" in database.one("SELECT details FROM rb_change")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "expected either STUDY, with --unit"),
        (("small", "--run", 1), "give one of them"),
        (("--unit", "plain"), "expected either STUDY, with --unit"),
        (("--run", 1, "--unit", "plain"), "--unit requires STUDY"),
        (("smal", "--yes"), "no study 'smal' in resbench.db; did you mean `small`"),
        (("small", "--unit", "plan", "--yes"), "is called `plan`; did you mean `plain`"),
        (("--run", 99, "--yes"), "no run 99 in resbench.db"),
    ],
)
def test_what_cannot_be_deleted(words: tuple[object, ...], told: str, rb: Rb, ran: None, database: Database) -> None:
    said = rb("results", "delete", *words)
    assert said.status == 2
    assert told in said.err
    assert runs(database) == 4


def test_a_database_that_is_not_there_is_not_made(rb: Rb, tmp_path: Path) -> None:
    for words in (("delete", "s", "--yes"), ("rename", "s", "t"), ("note", "s", "x"), ("note", "--list")):
        assert rb("results", *words).status == 4
    assert list(tmp_path.iterdir()) == []


def test_everything_that_stays_is_told() -> None:
    run = Run(3, "a", "r", "d", 7, "failed", (("other", "plain"), ("small", "plain")))
    trial = Trial(1, 0, "plain", "a", "r", "d")
    study = StudyRow(1, "small", "{}", "d", "x", "x")
    looks = (ScoreReveal("small", "2026-11-30T10:00:00Z", "ann: resbench results top --test"),)
    assert [*sentences(DeletionPlan(study, (), (trial,), (), (run,), 0, 0, looks))] == [
        "the whole study small: plain",
        "0 runs, 0 epochs, 0 test scores",
        "1 more run is kept, used elsewhere: other (plain)",
        "the test scores of small were looked at: 2026-11-30T10:00:00Z, ann: resbench results top --test",
        "frozen files, exports and copies are not changed",
    ]
    many = tuple(Run(n, "a", "r", "d", n, "complete", ()) for n in range(results_delete.MOST + 2))
    told = [*sentences(DeletionPlan(None, (), (), many, (), 1, 0, ()))]
    assert told[0] == "run 0: complete, seed 0, used by no study"
    assert "and 2 more runs" in told
    assert "22 runs (22 complete), 1 epoch, 0 test scores" in told


def test_a_study_goes_on_under_its_new_name(rb: Rb, ran: None, database: Database) -> None:
    said = rb("results", "rename", "small", "tiny")
    assert (said.status, said.out) == (0, "")
    assert "small is now tiny" in said.err
    assert database.rows("SELECT study_name FROM studies") == [("tiny",)]
    again = rb("study", "run", "small.yaml", "--fork", "tiny")
    assert again.status == 0, again.err
    assert runs(database) == 4
    assert rb("results", "rename", "small", "tiny").status == 2
    assert rb("results", "rename", "tiny", "for").err.startswith("a study's new name: `for` is a word of Python")


def test_notes_are_shown_and_never_obeyed(rb: Rb, ran: None, database: Database) -> None:
    assert rb("results", "note", "small", ODD).err.startswith("note 1 on study small")
    assert rb("results", "note", "--run", 1, f"run {ODD}").status == 0
    shown = "<b>\\x1b[31mred\\u202e|`"
    assert f"notes: {shown}" in rb("results", "top", "small").out
    assert f"run {shown}" in rb("results", "show", 1).out
    assert [note["text"] for note in rb("results", "show", 1, "--json").json["notes"]] == [f"run {ODD}"]
    assert [study["notes"] for study in rb("results", "list", "--json").json] == [[ODD]]
    listed = rb("results", "note", "--list").out
    assert (shown in listed, f"run {shown}" in listed, "\x1b" in listed) == (True, True, False)
    assert [note["run"] for note in rb("results", "note", "--list", "--json").json] == [None, 1]
    assert [note["run"] for note in rb("results", "note", "--run", 1, "--list", "--json").json] == [1]
    assert rb("report", "small", "-o", "page.html").status == 0
    page = (database.path.parent / "page.html").read_text("utf-8")
    assert ("<b>\x1b" in page, "note on run 1" in page, "&lt;b&gt;" in page) == (False, True, True)
    said = rb("results", "note", "--remove", 1)
    assert (said.status, said.err) == (0, f"deleted note 1: {shown}\n")
    assert "notes:" not in rb("results", "top", "small").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "expected STUDY or --run N, and a text"),
        (("small",), "`results note STUDY`: expected one text, in quotes, got 0 words"),
        (("small", "two", "words"), "expected one text, in quotes, got 2 words"),
        (("--run", 1), "`results note --run N`: expected one text"),
        (("small", "x", "--list"), "expected no text, got 1 words"),
        (("--list", "--remove", 1), "--list and --remove"),
        (("small", "x", "--json"), "--json applies only to --list"),
        (("small", ""), "got an empty one"),
        (("--remove", 5), "no note 5 in resbench.db"),
    ],
)
def test_a_note_that_is_asked_for_wrongly(words: tuple[object, ...], told: str, rb: Rb, ran: None) -> None:
    said = rb("results", "note", *words)
    assert said.status == 2
    assert told in said.err
