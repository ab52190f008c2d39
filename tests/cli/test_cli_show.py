"""Tables where no terminal is: laid out by hand, line for line what rich prints."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from resbench.cli.output import make_table, plain, show


def by_rich(what: Table | Text) -> list[str]:
    out = StringIO()
    Console(file=out, width=500, highlight=False).print(what)
    return out.getvalue().splitlines()


TABLES = (
    make_table([">#", "unit", "x"], [[1, "a", None], [22, "bbb [red]b[/red]", "ü漢字"]], title="small: val error"),
    make_table([">error %", "unit"], [["1.25", "plain"]], styles=["bold green"]),
    make_table(["unit"], []),
    make_table(["a", ">b"], [["x\ny", "\x1b[31mred"], ["", 3.5]]),
)


@pytest.mark.parametrize("table", TABLES, ids=range(len(TABLES)))
def test_a_table_is_laid_out_as_rich_does(table: Table) -> None:
    assert plain(table) == by_rich(table)


def test_texts_around_a_table_and_no_columns_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    show(Group(make_table(["a"], [["b"]]), Text("said [bold]of[/bold] it"), Text("")))
    assert capsys.readouterr().out.splitlines() == [*by_rich(make_table(["a"], [["b"]])), "said [bold]of[/bold] it", ""]
    show(make_table([], []))
    assert capsys.readouterr().out.strip(" \n─") == ""
