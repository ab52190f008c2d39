"""A published table as CSV -> errors in percent by unit; None is the paper's "fail"."""

from __future__ import annotations

import csv
from pathlib import Path

from resbench.errors import BadInput

COLUMNS = ("unit", "error_pct")


def read_published(path: Path) -> dict[str, float | None]:
    """Lines that start with `#` say where the numbers are from. Raises BadInput with the line of what cannot be read."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from None
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
        table[name] = None if said == "fail" else _number(said, f"{path}:{number}")
    return table


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{where}: an error in percent or `fail` is needed, got {text!r}") from None
