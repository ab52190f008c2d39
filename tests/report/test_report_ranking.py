"""The ranking on a terminal: columns go before a name is folded, names are short, and commands take them as they are shown."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from command_line import say
from report_study_sample import made, store
from rich.console import Console

from resbench.cli.results.ranking import ranking_table
from resbench.evidence.leaderboard import leaderboard
from resbench.store.open import open_store

NAMES = (
    "original recipe.lr=0.098691035983", "full_preactivation recipe.lr=0.0123456789",
    "exclusive_gating gate_bias=-3 recipe.lr=0.0438220728514",
)  # fmt: skip
SHORT = (
    "original recipe.lr=0.09869", "full_preactivation recipe.lr=0.01235", "exclusive_gating gate_bias=-3 recipe.lr=0.04382",
)  # fmt: skip
ALWAYS = ["#", "unit", "error", "95", "n", "best?"]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    store(tmp_path / "r.db", made(NAMES)).dispose()
    return tmp_path / "r.db"


def drawn(database: Path, width: int | None) -> list[str]:
    board = leaderboard(open_store(str(database), create=False), "s")
    out = StringIO()
    Console(file=out, width=width or 400, highlight=False).print(ranking_table(board, width))
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("width", "dropped", "lines"),
    [
        (60, ["sd", "median", "params", "MACs", "train s"], [2, 2, 3]),
        (80, ["sd", "median", "params", "MACs", "train s"], [1, 1, 2]),
        (100, ["median", "MACs", "train s"], [1, 1, 1]),
        (120, ["train s"], [1, 1, 1]),
        (160, [], [1, 1, 1]),
    ],
)
def test_a_narrow_terminal_drops_columns_before_it_folds_names(
    width: int, dropped: list[str], lines: list[int], database: Path
) -> None:
    text = drawn(database, width)
    assert max(map(len, text)) <= width
    head = next(line for line in text if "best?" in line)
    assert all(word in head.split() for word in ALWAYS)
    assert [name for name in ("sd", "median", "params", "MACs", "train s") if name not in head] == dropped
    rule = next(i for i, line in enumerate(text) if "──" in line)
    rows = text[rule + 1 : rule + 1 + sum(lines)]
    assert [i for i, row in enumerate(rows) if row.split()[0] in "123"] == [sum(lines[:i]) for i in range(3)]
    words = " ".join(word for row in rows for word in row.split())
    assert all(word in words.split() for name in SHORT for word in name.split())
    told = " ".join(" ".join(text).split())
    assert (f"Not shown in {width} columns: {', '.join(dropped)};" in told) is bool(dropped)


def test_an_objective_is_no_column_that_is_dropped(tmp_path: Path) -> None:
    store(tmp_path / "r.db", made(NAMES), objectives=["val_error_pct", "params"]).dispose()
    head = next(line for line in drawn(tmp_path / "r.db", 60) if "best?" in line or "params" in line)
    assert "params" in head
    assert "MACs" not in head


def test_where_stdout_is_no_terminal_nothing_is_dropped(database: Path) -> None:
    said = say(["results", "top", "s", "--db", str(database)], database.parent)
    assert "Not shown" not in said.out
    assert all(name in said.out for name in ("median", "train s", *SHORT))


def test_json_has_whole_names_and_commands_take_both(database: Path) -> None:
    found = say(["results", "top", "s", "--json", "--db", str(database)], database.parent).json
    assert sorted(row["unit"] for row in found) == sorted(NAMES)
    compared = ["results", "compare", "s", "--json", "--db", str(database)]
    whole = say([*compared, *NAMES[:2]], database.parent)
    assert whole.status == 0, whole.err
    for words in (SHORT[:2], ("original recipe.lr=0.09869", "full_preactivation recipe.lr=0.012"), ("1", "2")):
        assert say([*compared, *words], database.parent).out == whole.out
    table = say([*compared[:3], *compared[4:], *NAMES[:2]], database.parent).out
    assert SHORT[0] in table
    assert NAMES[0] not in table


def test_names_that_differ_late_are_whole_and_a_short_one_is_not_taken_for_both(tmp_path: Path) -> None:
    names = ("a recipe.lr=0.012341", "a recipe.lr=0.012342")
    store(tmp_path / "r.db", made(names)).dispose()
    said = say(["results", "top", "s", "--db", str(tmp_path / "r.db")], tmp_path)
    assert all(name in said.out for name in names)
    refused = say(["results", "compare", "s", "a recipe.lr=0.01234", "1", "--db", str(tmp_path / "r.db")], tmp_path)
    assert refused.status == 2
    assert all(name in refused.err for name in names)


def test_the_report_and_its_pictures_show_short_names_and_each_unit_s_whole_one_once(database: Path) -> None:
    said = say(["report", "s", "-o", "r.html", "--db", str(database)], database.parent)
    assert said.status == 0, said.err
    text = (database.parent / "r.html").read_text("utf-8")
    for whole, short in zip(NAMES, SHORT, strict=True):
        assert short in text
        assert text.count(f"<dd>{whole}</dd>") == 1
    said = say(["results", "plot", "s", "ranking", "-o", "r.svg", "--db", str(database)], database.parent)
    assert said.status == 0, said.err
    picture = (database.parent / "r.svg").read_text("utf-8")
    assert SHORT[0].split("=")[1] in picture
    assert "0.098691035983" not in picture
