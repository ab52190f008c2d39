"""Rows -> a table or JSON on stdout. Names and texts are shown as they are, never obeyed as markup."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from resbench.cli.echo import write
from resbench.drawing.format import count as count
from resbench.escape import LONGEST, json_text, printable

MOST_ROWS = 1_000  # rich takes 0.3 ms for each row; longer tables are printed without it


def show(what: Table | Text | Group) -> None:
    """Print on stdout. Without a terminal, and in a very long table, each row is one line of any length."""
    parts = what.renderables if isinstance(what, Group) else [what]
    if sys.stdout.isatty() and not any(isinstance(part, Table) and part.row_count > MOST_ROWS for part in parts):
        Console(file=sys.stdout, highlight=False).print(what)
    else:
        write("".join(f"{line}\n" for part in parts for line in plain(part)))


def plain(part: RenderableType) -> list[str]:
    """Return the lines that rich would print for a table or a text, thirty times as fast."""
    if not isinstance(part, Table):
        return str(part).splitlines() or [""]
    columns = [[str(column.header), *map(str, column.cells)] for column in part.columns]
    widths = [max(map(cell_len, column)) for column in columns]
    padded = [
        [" " * (width - cell_len(text)) + text for text in column]
        if part.columns[number].justify == "right"
        else [text + " " * (width - cell_len(text)) for text in column]
        for number, (column, width) in enumerate(zip(columns, widths, strict=True))
    ]
    head, *rows = ("   ".join(row) for row in zip(*padded, strict=True)) if columns else [""]
    edge, total = " " * (cell_len(head) + 2), cell_len(head)
    title = [str(part.title).ljust(total + 2)] if part.title else []
    return [*title, edge, f" {head} ", f" {'─' * total} ", *(f" {row} " for row in rows), edge]


def print_json(value: object) -> None:
    write(json_text(value, indent=2) + "\n")


def json_value(value: object) -> object:
    """Return a value that JSON can hold: bytes become hexadecimal text, and a number that is not finite becomes None.

    >>> json_value(b"\\x00\\xff"), json_value(float("inf")), json_value(1.5)
    ('00ff', None, 1.5)
    """
    if isinstance(value, bytes):
        return value.hex()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def terminal_width() -> int | None:
    """Return the width of the terminal; None if stdout is not a terminal, and a table may have any width."""
    return Console(file=sys.stdout).width if sys.stdout.isatty() else None


def table_width(columns: Sequence[str], rows: Sequence[Sequence[object]], kept: Sequence[int]) -> int:
    """Return the width of a table of the columns `kept`, in its narrow form without folding."""
    lines = [[name.removeprefix(">") for name in columns], *rows]
    widths = [max(cell_len(cell(line[number])) for line in lines) for number in kept]
    return sum(widths) + 2 * len(kept)  # a gap of two between columns, and a blank at each end


def make_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    styles: Sequence[str] = (),
    title: str = "",
    folded: str = "",
    width: int | None = None,
) -> Table:
    """Return a table. A column whose name starts with `>` is aligned to the right.

    Args:
        styles: A style for each row.
        folded: The only column that may take several lines.
        width: Columns of the terminal; a table that does not fit gets smaller gaps.
    """
    narrow = width is not None and table_width(columns, rows, range(len(columns))) + len(columns) - 1 > width
    table = Table(
        padding=(0, 1, 0, 0) if narrow else (0, 1),
        box=box.SIMPLE_HEAD,
        title=Text(printable(title, LONGEST)) if title else None,
        title_justify="left",
        pad_edge=False,
    )
    for column in columns:
        name = Text(printable(column.removeprefix(">"), LONGEST))
        table.add_column(
            name,
            justify="right" if column.startswith(">") else "left",
            overflow="fold",
            no_wrap=bool(folded) and column != folded,
        )
    for number, row in enumerate(rows):
        table.add_row(*(Text(cell(value)) for value in row), style=styles[number] if styles else "")
    return table


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    show(make_table(columns, rows))


def cell(value: object) -> str:
    """Return a value as a table shows it; None becomes a dash."""
    if value is None:
        return "–"
    return printable(str(value), LONGEST)
