"""A table of texts -> Markdown or LaTeX to paste.  No character of a name acts as markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO

from resbench.escape import csv_text, json_text, latex, latex_wrapped, markdown, markdown_row
from resbench.results.rows import Rows, library

_EM = {
    **dict.fromkeys(".,:;'|[]()!ijl", 0.28),
    **dict.fromkeys("ftr -/I", 0.4),
    **dict.fromkeys("mwMW%–", 1.0),
    "#": 0.84,
}
_COLUMN_PT, _SMALL_EM_PT, _GAP_PT = (
    345,
    9.25,
    8,
)  # of LaTeX's article at 10 pt; the gap is between two columns of the table
_NAME_PT = 90  # the longest part of a name that is never broken, in bold


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of texts. A column whose name starts with `>` is aligned to the right.

    `strong` holds the indices of the rows whose name is bold; `label` is the table's label in a document.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: frozenset[int]
    notes: tuple[str, ...]
    label: str = ""

    @property
    def name(self) -> int:
        """The index of the column that names the rows: `unit`, else the first that is aligned to the left."""
        left = [number for number, column in enumerate(self.columns) if not column.startswith(">")]
        return self.columns.index("unit") if "unit" in self.columns else next(iter(left), len(self.columns) - 1)

    def written(self, number: int, escape: Callable[[str], str]) -> list[str]:
        """Return the cells of a column, escaped."""
        return [escape(row[number]) for row in self.rows]


def as_markdown(table: TextTable) -> str:
    """Return the table in GitHub's Markdown, between its title and its notes."""
    names = [markdown(name.removeprefix(">")) for name in table.columns]
    rule = ["---:" if name.startswith(">") else "---" for name in table.columns]
    columns = [table.written(number, markdown) for number in range(len(names))]
    columns[table.name] = _strong(table, columns[table.name], "**", "**")
    lines = [markdown_row(cells) for cells in (names, rule, *zip(*columns, strict=True))]
    notes = [f"- {markdown(note)}" for note in table.notes]
    return "\n".join([markdown(table.title), "", *lines, "", *notes]) + "\n"


def as_latex(table: TextTable, *, booktabs: bool = False) -> str:
    """Return a table environment as wide as a column of the page: names are wrapped in the space left by the other columns.

    It requires no package, except booktabs where `booktabs` is true.
    """
    columns = [table.written(number, latex) for number in range(len(table.columns))]
    columns[table.name] = [
        rf"\raggedright {name}" for name in _strong(table, table.written(table.name, latex_wrapped), r"\textbf{", "}")
    ]
    heads = [latex(name.removeprefix(">")) for name in table.columns]
    end = r"\tabularnewline" if table.name == len(heads) - 1 else r"\\"  # \raggedright has a \\ of its own
    lines = [f"    {' & '.join(cells)} {end}" for cells in (heads, *zip(*columns, strict=True))]
    places = ["r" if name.startswith(">") else "l" for name in table.columns]
    gaps = 2 * (len(places) - 1)
    places[table.name] = rf"p{{\dimexpr\columnwidth-{_others_em(table):.2f}em-{gaps}\tabcolsep\relax}}"
    top, middle, bottom = (r"\toprule", r"\midrule", r"\bottomrule") if booktabs else (r"\hline",) * 3
    notes = r"\par ".join(map(latex_wrapped, table.notes))
    return "\n".join([
        *([r"% \usepackage{booktabs}"] if booktabs else []), r"\begin{table}", r"  \centering",
        f"  \\caption{{{latex_wrapped(table.title)}.}}", f"  \\label{{tab:{_label(table.label or table.title)}}}",
        rf"  \small\setlength{{\tabcolsep}}{{{_GAP_PT / 2:g}pt}}", f"  \\begin{{tabular}}{{@{{}}{''.join(places)}@{{}}}}",
        f"    {top}", lines[0], f"    {middle}", *lines[1:], f"    {bottom}", r"  \end{tabular}",
        r"  \par\smallskip", rf"  \parbox{{\columnwidth}}{{\raggedright\footnotesize {notes}}}", r"\end{table}",
    ]) + "\n"  # fmt: skip


def latex_excess_pt(table: TextTable) -> int:
    """Return by how many points the table exceeds the width of a column of LaTeX's article; 0 where it fits."""
    width = _others_em(table) * _SMALL_EM_PT + _GAP_PT * (len(table.columns) - 1) + _NAME_PT
    return max(0, round(width - _COLUMN_PT))


def _others_em(table: TextTable) -> float:
    """Return an upper bound on the width of all columns but the one of names, by the widths of Computer Modern."""
    columns = zip(table.columns, *table.rows, strict=True)
    return sum(max(map(_em, column)) for number, column in enumerate(columns) if number != table.name)


def _em(text: str) -> float:
    return sum(_EM.get(sign, 0.8 if sign.isupper() or not sign.isascii() else 0.56) for sign in text.removeprefix(">"))


def _strong(table: TextTable, names: list[str], before: str, after: str) -> list[str]:
    return [f"{before}{name}{after}" if number in table.strong else name for number, name in enumerate(names)]


def _label(text: str) -> str:
    """Return the text as a legal LaTeX label."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "results"


About = Mapping[str, str]  # metadata of the file, where its format has room for it


def as_csv(rows: Rows, about: About) -> bytes:
    """Return CSV with texts made safe for spreadsheets and terminals; `raw_csv` leaves them unchanged."""
    return csv_text(rows.columns, rows.values).encode()


def raw_csv(rows: Rows, about: About) -> bytes:
    """Return CSV with texts unchanged. A lone surrogate, which UTF-8 cannot encode, is written as `\\ud800`."""
    return csv_text(rows.columns, rows.values, raw=True).encode("utf-8", "backslashreplace")


def as_json(rows: Rows, about: About) -> bytes:
    """Return a JSON list of objects, one per line."""
    lines = map(json_text, rows)
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def as_parquet(rows: Rows, about: About) -> bytes:
    """Return a Parquet file. Raises BadInput where pyarrow is not installed."""
    table = rows.to_arrow()
    out = BytesIO()
    library("pyarrow.parquet").write_table(table.replace_schema_metadata(dict(about)), out, compression="zstd")
    return out.getvalue()


WRITERS: Mapping[str, Callable[[Rows, About], bytes]] = {".csv": as_csv, ".json": as_json, ".parquet": as_parquet}
