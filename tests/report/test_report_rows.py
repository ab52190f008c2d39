"""Plain rows, and what they become: frames, files, tables to paste."""

from __future__ import annotations

import csv
import json
import sys
from io import BytesIO, StringIO

import pytest

from resbench.errors import BadInput
from resbench.results.rows import Rows
from resbench.results.writers import TextTable, as_csv, as_json, as_latex, as_markdown, as_parquet, raw_csv

ROWS = Rows(
    ("unit", "n", "mean", "tied", "aliases", "note"),
    (("plain", 3, 7.5, True, ["a", "b"], None), ('o,"x"\n', None, None, None, [], None)),
)
NASTY = 'a|b_c *d* <e> $f$ `g` [h] ~i~ & # % {j} \\k ^l "m" _n_\x1b[31m\n'


def test_rows_are_a_list_of_plain_dicts() -> None:
    assert ROWS[0] == {"unit": "plain", "n": 3, "mean": 7.5, "tied": True, "aliases": ["a", "b"], "note": None}
    assert list(ROWS) == [ROWS[0], ROWS[1]]
    assert (len(ROWS), ROWS[-1]["mean"], len(ROWS[:1]), bool(Rows(("a",), ()))) == (2, None, 1, False)
    assert [row["unit"] for row in reversed(ROWS)] == ['o,"x"\n', "plain"]
    with pytest.raises(IndexError):
        ROWS[2]


def test_polars() -> None:
    polars = pytest.importorskip("polars")
    frame = ROWS.to_polars()
    assert frame.rows() == [tuple(row.values()) for row in ROWS]
    assert dict(frame.schema) == {
        "unit": polars.String, "n": polars.Int64, "mean": polars.Float64, "tied": polars.Boolean,
        "aliases": polars.List(polars.String), "note": polars.Float64,
    }  # fmt: skip
    assert dict(Rows(("error",), (), (("error", str),)).to_polars().schema) == {"error": polars.String}


def test_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    frame = ROWS.to_pandas()
    assert [str(frame[name].dtype) for name in ("n", "mean", "tied")] == ["Int64", "float64", "boolean"]
    assert frame["n"].tolist()[0] == 3
    assert pandas.isna(frame["mean"][1])
    assert str(Rows(("n",), ((1,), (2,))).to_pandas()["n"].dtype) == "int64"


def test_parquet_keeps_types_lists_and_where_it_comes_from() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(BytesIO(as_parquet(ROWS, {"study": "small"})))
    assert table.to_pylist() == list(ROWS)
    assert [str(field.type) for field in table.schema][:5] == [
        "string",
        "int64",
        "double",
        "bool",
        "list<element: string>",
    ]
    assert table.schema.metadata == {b"study": b"small"}


def test_csv_and_json() -> None:
    assert list(csv.reader(StringIO(as_csv(ROWS, {}).decode(), newline=""))) == [
        list(ROWS.columns), ["plain", "3", "7.5", "true", '["a", "b"]', ""], ['o,"x"\\x0a', "", "", "", "[]", ""],
    ]  # fmt: skip
    assert json.loads(as_json(ROWS, {})) == list(ROWS)
    assert list(csv.reader(StringIO(raw_csv(ROWS, {}).decode(), newline="")))[2][0] == 'o,"x"\n'
    assert b"\r" not in as_csv(ROWS, {})


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_a_library_that_is_missing_is_named_with_its_command(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(BadInput) as caught:
        {"polars": ROWS.to_polars, "pandas": ROWS.to_pandas}[library]()
    assert str(caught.value) == (
        f"{library} is not installed; run `pip install 'resbench[frames]'` or `pip install {library}`"
    )


def test_a_column_of_two_types_and_two_of_one_name() -> None:
    with pytest.raises(BadInput, match="column a: expected values of one type, got int and str; CAST them"):
        Rows(("a",), ((1,), ("b",))).to_polars()
    with pytest.raises(BadInput, match="columns: expected different names, got `a` twice"):
        Rows(("a", "a"), ((1, 2),)).to_polars()
    assert Rows(("a",), ((1,), (2.5,))).to_polars().rows() == [(1.0,), (2.5,)]


TABLE = TextTable(
    "small_net: 5 %", (">#", "unit", ">sd"), (("1", NASTY, "–"), ("2", "plain", "0.5")), frozenset({0}), ("n & m.",)
)


def test_markdown_shows_a_name_and_obeys_nothing_of_it() -> None:
    text = as_markdown(TABLE)
    assert text.splitlines() == [
        "small_net: 5 %", "", "| \\# | unit | sd |", "| ---: | --- | ---: |",
        r'| 1 | **a\|b_c \*d\* &lt;e\> \$f\$ \`g\` \[h\] \~i\~ &amp; \# % {j} \\k ^l "m" \_n\_\\x1b\[31m\\x0a** | – |',
        "| 2 | plain | 0.5 |", "", r"- n &amp; m.",
    ]  # fmt: skip


def test_latex_shows_a_name_and_obeys_nothing_of_it() -> None:
    text = as_latex(TABLE)
    lines = text.splitlines()
    assert r"  \caption{small\_net: 5 \%.}" in lines
    assert r"  \label{tab:small-net-5}" in lines
    assert r"  \begin{tabular}{@{}rp{\dimexpr\columnwidth-2.24em-4\tabcolsep\relax}r@{}}" in lines
    assert r"    2 & \raggedright plain & 0.5 \\" in lines
    assert r"  \parbox{\columnwidth}{\raggedright\footnotesize n \& m.}" in lines
    (name,) = (line for line in text.splitlines() if line.startswith("    1 & "))
    assert name.replace(r"\allowbreak{}", "").replace(r"\penalty9000{}", "") == (
        r"    1 & \raggedright \textbf{a\textbar{}b\_c {*}d* \textless{}e\textgreater{} \$f\$ "
        r"\textasciigrave{}g\textasciigrave{} {[}h] \textasciitilde{}i\textasciitilde{} "
        r"\& \# \% \{j\} \textbackslash{}k \textasciicircum{}l ''m'' \_n\_"
        r"\textbackslash{}x1b{[}31m\textbackslash{}x0a} & -- \\"
    )
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
