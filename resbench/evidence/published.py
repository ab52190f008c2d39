"""A published table as CSV -> errors in percent by unit; None is the paper's "fail"."""

from __future__ import annotations

import csv
from pathlib import Path

from resbench.errors import BadInput

COLUMNS = ("unit", "error_pct")


def read_published(path: Path) -> dict[str, float | None]:
    """Read the errors of a published table. Lines that start with `#` are comments, such as the source of the numbers.

    Raises BadInput, with the line, for what cannot be read.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise BadInput(f"{path}: expected a text in UTF-8, got other bytes") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None
    table: dict[str, float | None] = {}
    rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")]
    reader = csv.DictReader([line for _, line in rows])
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise BadInput(
            f"{path}: expected the columns {', '.join(COLUMNS)}, got {', '.join(reader.fieldnames or ['none'])}"
        )
    for (number, _), row in zip(rows[1:], reader, strict=False):
        name, value = (str(row[column] or "").strip() for column in COLUMNS)
        if not name or name in table:
            given = f"`{name}` twice; remove one of the lines" if name else "none"
            raise BadInput(f"{path}:{number}: expected the name of a unit, got {given}")
        if row.get(None):
            raise BadInput(f"{path}:{number}: expected {len(COLUMNS)} columns, got more; write decimals with a point")
        table[name] = None if value == "fail" else _number(value, f"{path}:{number}")
    return table


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 100:
        raise BadInput(f"{where}: expected an error from 0 to 100 percent or `fail`, got {text!r}")
    return number
