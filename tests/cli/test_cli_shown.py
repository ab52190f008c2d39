"""Names and texts are shown as they are, never obeyed as markup or escape sequences; a piped table is never cut."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from command_line import Database, Rb

from resbench.cli.progress import StudyProgress

RED = "\x1b[31mred"


@pytest.mark.parametrize("text", ["[/red]", "[bold]x[/bold]", "[link=http://x]y", ":smile:"])
def test_markup_in_rows_and_in_names_of_columns(text: str, read: Rb) -> None:
    said = read("query", f"SELECT '{text}' AS \"{text}\"")
    assert said.status == 0
    assert said.out.count(text) == 2


def test_escape_sequences_and_lines_in_rows_and_names_of_columns(read: Rb) -> None:
    said = read("query", f"SELECT '{RED}' || char(10) || 'two' AS \"{RED}\"")
    assert "\x1b" not in said.out
    assert said.out.count(r"\x1b[31mred") == 2
    assert r"red\x0atwo" in said.out


@pytest.mark.parametrize(
    "words",
    [
        ("results", "top", RED),
        ("results", "compare", "small", "plain", RED),
        ("study", "run", RED),
        ("study", "run", "small.yaml", f"{RED}=1"),
        ("study", "run", "small.yaml", f"units+={RED}"),
        ("study", "run", "small.yaml", "--device", RED),
        ("net", "show", "resnet_cifar", RED),
        ("net", "show", RED),
        ("unit", "check", RED),
        ("query", f"SELECT {RED}"),
        ("query", "SELECT 1", "--db", f"{RED}.db"),
    ],
)
def test_escape_sequences_in_messages(words: tuple[str, ...], read: Rb) -> None:
    said = read(*words)
    assert said.status in (2, 4)
    assert "\x1b" not in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("text", ["[/red]", RED])
def test_words_that_are_no_command(text: str, read: Rb) -> None:
    for words in ((text,), ("results", text), ("results", "top", "small", f"--{text}")):
        said = read(*words)
        assert said.status == 2
        assert "Traceback" not in said.err


def test_a_unit_of_that_name_in_a_ranking(rb: Rb, ran: None, database: Database) -> None:
    database.change(f"UPDATE rb_trial SET name = '[/red]{RED}' WHERE id = 1")
    for words in (("results", "top", "small"), ("results", "show", 1), ("results", "top", "small", "--test")):
        said = rb(*words)
        assert said.status == 0
        assert r"[/red]\x1b[31mred" in said.out
        assert "\x1b" not in said.out + said.err


def test_progress_shows_what_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    with StudyProgress() as progress:
        progress.planned(1, 3)
        for epoch in (1, 2):
            progress.epoch("[/red]", 0, 2, epoch, 40.0 / epoch)
        progress.saved("[/red]", 0, 2, 2, 20.0)
        progress.epoch("b", 0, 2, 1, None)
        progress.saved("b", 0, 2, 1, None)
        assert (progress.done, progress.epochs_done) == (2, 4)  # an early end does not keep the bar from its own
        progress.cell_failed("c", f"{RED}\nline")
        progress.note("note [bold]")
    assert stderr.getvalue().splitlines() == [
        "1 cached, 3 new",
        "[1/3] [/red], seed 0: val error 20.00 % after 2 epochs (0 s, about 0 s left)",
        "[2/3] b, seed 0: diverged after 1 epochs (0 s, about 0 s left)",
        r"FAILED c: \x1b[31mred\x0aline",
        "note [bold]",
    ]


def test_a_piped_table_has_a_line_for_each_row_however_wide(read: Rb) -> None:
    columns = ", ".join(f"'{letter * 40}' AS {letter * 30}" for letter in "abcdefghijklmnop")
    lines = read("query", f"SELECT {columns}").out.splitlines()
    (row,) = [line for line in lines if "a" * 40 in line]
    assert row.split() == [letter * 40 for letter in "abcdefghijklmnop"]
    (head,) = [line for line in lines if "a" * 30 in line and "a" * 31 not in line]
    assert head.split() == [letter * 30 for letter in "abcdefghijklmnop"]


def test_a_unit_with_a_long_name_is_not_cut(rb: Rb, ran: None, database: Database) -> None:
    long = " ".join(["unit", *(f"param_{i}=some_value" for i in range(30))])
    database.change(f"UPDATE rb_trial SET name = '{long}' WHERE id = 1")
    assert sum(long in line for line in rb("results", "top", "small").out.splitlines()) == 1


def test_an_unprintable_folder_is_no_reason_to_fail(rb: Rb, tmp_path: Path) -> None:
    folder = tmp_path / "\x1b[31m"
    folder.mkdir()
    (folder / "x.yaml").write_text("unit: x\nnodes: 3\n", "utf-8")
    said = rb("unit", "check", str(folder / "x.yaml"))
    assert said.status == 2
    assert "\x1b" not in said.err
