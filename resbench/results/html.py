"""Columns and rows -> an HTML table for a notebook.  Every text is data: it is escaped, whoever wrote it."""

from __future__ import annotations

from collections.abc import Sequence

from resbench.escape import LONGEST, printable, xml_text

MOST_ROWS = 200  # that a notebook is shown of one table


def html_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "", notes: Sequence[str] = ()
) -> str:
    """Return the table, with a title above and notes below. Numbers are aligned to the right.

    >>> html_table(["unit"], [["<script>"], [1.5]])
    '<table><thead><tr><th>unit</th></tr></thead><tbody><tr><td style="text-align: left">&lt;script&gt;</td></tr>\
<tr><td style="text-align: right">1.5</td></tr></tbody></table>'
    """
    head = "".join(f"<th>{_text(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows[:MOST_ROWS])
    left_out = [f"{len(rows) - MOST_ROWS} more rows"] if len(rows) > MOST_ROWS else []
    caption = f"<p><b>{_text(title)}</b></p>" if title else ""
    below = "".join(f"<p>{_text(note)}</p>" for note in (*left_out, *notes))
    return f"{caption}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def _cell(value: object) -> str:
    side = "right" if isinstance(value, int | float) and not isinstance(value, bool) else "left"
    return f'<td style="text-align: {side}">{_text(_shown(value))}</td>'


def _shown(value: object) -> str:
    """A missing value is a dash; a number has the digits that it is worth."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}" if isinstance(value, float) else str(value)


def _text(text: str) -> str:
    return xml_text(printable(text, LONGEST))
