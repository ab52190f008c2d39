"""Rows -> the bytes of a CSV, JSON or Parquet file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

from resbench.escape import csv_text, json_text
from resbench.report.rows import Rows, library

About = Mapping[str, str]  # what is kept in the file beside the rows, where its kind has room for it


def as_csv(rows: Rows, about: About) -> bytes:
    """Texts as a spreadsheet and a terminal may show them; `raw_csv` as they are."""
    return csv_text(rows.columns, rows.values).encode()


def raw_csv(rows: Rows, about: About) -> bytes:
    """Half a pair of surrogates, which UTF-8 has no bytes for, is `\\ud800`."""
    return csv_text(rows.columns, rows.values, raw=True).encode("utf-8", "backslashreplace")


def as_json(rows: Rows, about: About) -> bytes:
    """A list of objects, one a line."""
    lines = map(json_text, rows)
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def as_parquet(rows: Rows, about: About) -> bytes:
    """Raises BadInput where pyarrow is not installed."""
    table = rows.to_arrow()
    out = BytesIO()
    library("pyarrow.parquet").write_table(table.replace_schema_metadata(dict(about)), out, compression="zstd")
    return out.getvalue()


WRITERS: Mapping[str, Callable[[Rows, About], bytes]] = {".csv": as_csv, ".json": as_json, ".parquet": as_parquet}
