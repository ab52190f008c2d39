"""A published table as CSV -> errors in percent by unit; None is the paper's "fail"."""

from __future__ import annotations

import csv
from pathlib import Path

from resbench.errors import BadInput

COLUMNS = ("unit", "error_pct")


def read_published(path: Path) -> dict[str, float | None]:
    """Return lines that start with `#` say where the numbers are from. Raises BadInput with the line of what cannot be
    read.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise BadInput(f"{path}: is no text in UTF-8") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None
    table: dict[str, float | None] = {}
    rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")]
    reader = csv.DictReader([line for _, line in rows])
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise BadInput(
            f"{path}: the columns {', '.join(COLUMNS)} are needed, got {', '.join(reader.fieldnames or ['none'])}"
        )
    for (number, _), row in zip(rows[1:], reader, strict=False):
        name, said = (str(row[column] or "").strip() for column in COLUMNS)
        if not name or name in table:
            raise BadInput(f"{path}:{number}: " + (f"`{name}` is there twice" if name else "a unit's name is needed"))
        if row.get(None):
            raise BadInput(f"{path}:{number}: {len(COLUMNS)} columns are needed, got more; a decimal point is a point")
        table[name] = None if said == "fail" else _number(said, f"{path}:{number}")
    return table


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 100:
        raise BadInput(f"{where}: an error from 0 to 100 percent or `fail` is needed, got {text!r}")
    return number
