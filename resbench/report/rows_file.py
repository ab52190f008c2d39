"""Rows -> the bytes of a CSV, JSON or Parquet file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from io import BytesIO, StringIO
from typing import Any

from resbench.report.rows import Rows, library

About = Mapping[str, str]  # what is kept in the file beside the rows, where its kind has room for it


def as_csv(rows: Rows, about: About) -> bytes:
    """RFC 4180 with lines that end in a single newline; nothing is an empty cell, a list is JSON."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows.columns)
    writer.writerows([_cell(value) for value in row] for row in rows.values)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | tuple) else value


def as_json(rows: Rows, about: About) -> bytes:
    """A list of objects, one a line."""
    lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def as_parquet(rows: Rows, about: About) -> bytes:
    """Raises BadInput where pyarrow is not installed."""
    table = rows.to_arrow()
    out = BytesIO()
    library("pyarrow.parquet").write_table(table.replace_schema_metadata(dict(about)), out, compression="zstd")
    return out.getvalue()


WRITERS: Mapping[str, Callable[[Rows, About], bytes]] = {".csv": as_csv, ".json": as_json, ".parquet": as_parquet}
