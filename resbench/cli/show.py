"""Rows -> a table or JSON on stdout. Names and texts are shown as they are, never obeyed as markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from resbench.spec.names import printable

WIDE = 200  # columns where no terminal says how many it has


def console() -> Console:
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDE, highlight=False)


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def make_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, styles: Sequence[str] = (), title: str = ""
) -> Table:
    """A column whose name starts with `>` is aligned to the right. `styles` are of the rows."""
    table = Table(box=box.SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(
            column.removeprefix(">"), justify="right" if column.startswith(">") else "left", overflow="fold"
        )
    for number, row in enumerate(rows):
        table.add_row(*(Text(cell(value)) for value in row), style=styles[number] if styles else "")
    return table


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    console().print(make_table(columns, rows))


def cell(value: object) -> str:
    """A value as a table shows it; nothing is a dash."""
    if value is None:
        return "–"
    return printable(str(value), 4000) if isinstance(value, str) else str(value)


def count(value: float | None) -> str:
    """A large count in short, three digits kept.

    >>> count(853018), count(40_551_040), count(12), count(None)
    ('853k', '40.6M', '12', '–')
    """
    if value is None:
        return "–"
    for size, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{suffix}"
    return f"{value:g}"
