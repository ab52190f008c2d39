"""`resbench results export` and `resbench.open_results`: the numbers that the ranking shows, and no test score."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Database, Rb

import resbench
from resbench.cli.results.export import KEYS
from resbench.errors import BadInput, DatabaseError


def test_the_ranking_to_paste(read: Rb, finished: Path, tmp_path: Path) -> None:
    rows = read("results", "top", "small", "--json").json
    for ending, mark in ((".md", "**{}**"), (".tex", r"\textbf{{{}}}")):
        out = tmp_path / f"x{ending}"
        said = read("results", "export", "small", "-o", out)
        assert (said.status, said.out, said.err) == (0, "", f"{out}: leaderboard of small, 3 units\n")
        text = out.read_text("utf-8").replace("\\allowbreak{}", "").replace("\\penalty9000{}", "")
        for row in rows:
            name = row["unit"].replace("_", "\\_") if ending == ".tex" else row["unit"]
            line = next(line for line in text.splitlines() if name in line and f"{row['mean']:.2f}" in line)
            assert (mark.format(name) in line) == (row["tied_with_best"] is True)
            assert f"{row['std']:.2f}" in line
            assert f"{row['ci_low']:.2f}, {row['ci_high']:.2f}" in line
            assert f" {row['n']} " in line
            assert "1.32k" in line
        assert "they are about new seeds on this split and data set" in text


def test_columns_of_a_table_to_paste_are_chosen(read: Rb, tmp_path: Path) -> None:
    chosen = ("--columns", "unit,error, n", "-o")
    assert read("results", "export", "small", *chosen, tmp_path / "x.md").status == 0
    lines = (tmp_path / "x.md").read_text().splitlines()
    assert lines[2] == "| unit | error % | n |"
    assert any(line.startswith("- Bold: not worse than the best") for line in lines)
    said = read("results", "export", "small", *chosen, tmp_path / "x.tex", "--booktabs")
    text = (tmp_path / "x.tex").read_text()
    assert (said.status, said.err.endswith("3 units\n")) == (0, True)
    assert "    unit & error \\% & n \\\\\n    \\midrule\n" in text
    assert text.startswith("% \\usepackage{booktabs}\n")
    read("results", "export", "small", "-o", tmp_path / "plain.tex")
    text = (tmp_path / "plain.tex").read_text()
    assert ("rule" in text, "booktabs" in text, "\\label{tab:small}" in text) == (False, False, True)
    wide = read("results", "export", "small", "--columns", ",".join(KEYS), "-o", tmp_path / "wide.tex")
    assert "pt too wide for a column of LaTeX's article: choose fewer --columns" in wide.err


def test_the_leaderboard_as_data_is_that_of_top(read: Rb, tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    assert read("results", "export", "small", "-o", out, "--what", "leaderboard").status == 0
    assert json.loads(out.read_text()) == read("results", "top", "small", "--json").json


@pytest.mark.parametrize(("what", "view", "n"), [("runs", "v_runs", 9), ("epochs", "v_epochs", 9)])
def test_runs_and_epochs_are_rows_of_the_views(what: str, view: str, n: int, read: Rb, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    asked = sorted(read("query", f"SELECT * FROM {view}", "--json").json, key=lambda row: row["run_id"])
    for name in ("x.json", "x.csv", "x.parquet"):
        said = read("results", "export", "small", "-o", tmp_path / name, "--what", what)
        assert said.err.endswith(f"{what} of small, {n} rows\n")
    by_run = {"key": lambda row: int(row["run_id"])}
    assert sorted(json.loads((tmp_path / "x.json").read_text()), **by_run) == asked
    assert sorted(parquet.read_table(tmp_path / "x.parquet").to_pylist(), **by_run) == asked
    with (tmp_path / "x.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), **by_run)
    assert [float(row["val_error_pct"]) for row in rows] == [row["val_error_pct"] for row in asked]
    assert not any("test" in column for column in rows[0])


def test_runs_are_what_data_formats_hold_unless_asked_otherwise(read: Rb, tmp_path: Path) -> None:
    assert read("results", "export", "small", "-o", tmp_path / "x.CSV").err.endswith("runs of small, 9 rows\n")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("small", "-o", "gone/x.csv"), 2, "gone/x.csv: there is no folder gone"),
        (("small", "-o", "x.xls"), 2, "-o x.xls: expected a file name that ends in .parquet, .csv, .json, .md, .tex, got `.xls`"),
        (("small", "-o", "x"), 2, "-o x: expected a file name that ends in .parquet, .csv, .json, .md, .tex, got none"),
        (("small", "-o", "x.parqet"), 2, "did you mean `.parquet`?"),
        (("small", "-o", "x.csv", "--what", "epoch"), 2, "--what: expected leaderboard, runs, epochs, got epoch; did you mean"),
        (("small", "-o", "x.md", "--what", "runs"), 2, "--what runs: expected a file that ends in .parquet, .csv, .json, "
            "got x.md; .md holds only"),
        (("small", "-o", "x.csv", "--columns", "unit"), 2, "--columns applies only to .md and .tex, got x.csv"),
        (("small", "-o", "x.md", "--booktabs"), 2, "--booktabs applies only to .tex, got x.md"),
        (("small", "-o", "x.md", "--columns", "unit,eror"), 2, "got eror; did you mean `error`?"),
        (("small", "-o", "x.md", "--columns", "error,sd"), 2, "--columns: expected `unit` and other columns, each once"),
        (("small", "-o", "x.md", "--columns", "unit,sd,sd"), 2, "--columns: expected `unit` and other columns, each once"),
        (("smal", "-o", "x.csv"), 2, "no study 'smal'"),
        (("empty", "-o", "x.csv"), 2, "study empty: expected runs to export, got none"),
        (("empty", "-o", "x.parquet", "--what", "epochs"), 2, "study empty: expected epochs to export, got none"),
        (("empty", "-o", "x.md"), 2, "study empty has no finished run yet"),
        (("small", "-o", "x.csv", "--db", "gone.db"), 4, "gone.db: no such database"),
    ],
)  # fmt: skip
def test_what_cannot_be_exported(
    words: tuple[str, ...], status: int, told: str, rb: Rb, ran: None, database: Database, tmp_path: Path
) -> None:
    database.change(
        "INSERT INTO rb_study (name, spec, digest, created_at, updated_at) VALUES ('empty', '{}', 'd', '', '')"
    )
    before = sorted(tmp_path.iterdir())
    said = rb("results", "export", *words)
    assert (said.status, said.out) == (status, "")
    assert told in said.err
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_stands_stays_whole_where_writing_fails(
    rb: Rb, ran: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.csv").write_text("before", "utf-8")

    def fail(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    said = rb("results", "export", "small", "-o", "x.csv", "--force")
    assert (said.status, said.err) == (5, "x.csv: cannot be written: No space left on device\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resbench.db", "small.yaml", "x.csv"]
    assert (tmp_path / "x.csv").read_text() == "before"


def test_a_missing_pyarrow_is_named_with_its_command(rb: Rb, ran: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = rb("results", "export", "small", "-o", "x.parquet")
    assert (said.status, said.err) == (
        2, "pyarrow is not installed; run `pip install 'resbench[frames]'` or `pip install pyarrow`\n"
    )  # fmt: skip


def test_python_sees_the_same(finished: Path, read: Rb) -> None:
    with resbench.open_results(finished / "resbench.db") as results:
        assert list(results.leaderboard("small")) == read("results", "top", "small", "--json").json
        assert list(results.studies()) == read("results", "list", "--json").json
        sql = "SELECT unit, AVG(val_error_pct) AS mean FROM v_runs GROUP BY unit"
        assert list(results.query(sql)) == read("query", sql, "--json").json
        assert len(results.runs("small")) == len(results.epochs("small")) == 9
        assert results.runs("small")[0]["active"] is True
        frame = pytest.importorskip("polars") and results.runs("small").to_polars()
        assert frame.height == 9
        assert results.epochs("small").to_pandas().shape == (9, 15)


def test_python_is_refused_what_the_commands_are(finished: Path) -> None:
    with resbench.open_results(str(finished / "resbench.db")) as results:
        with pytest.raises(BadInput, match="test scores are not read by SQL"):
            results.query("SELECT * FROM rb_test_score")
        with pytest.raises(BadInput, match="not allowed"):
            results.query("DELETE FROM rb_run")
        with pytest.raises(
            BadInput, match="query: expected at most 2 rows, got more; add a LIMIT, or set a larger max_rows"
        ):
            results.query("SELECT * FROM v_runs", max_rows=2)
        with pytest.raises(BadInput, match="no study 'smal'"):
            results.epochs("smal")
        for rows in (results.leaderboard("small"), results.runs("small"), results.epochs("small")):
            assert not [name for name in rows.columns if "test" in name]
    with pytest.raises(DatabaseError, match="no such database"):
        resbench.open_results(finished / "gone.db")


def test_neither_imports_torch(finished: Path) -> None:
    script = (
        "import sys, resbench\n"
        "assert not {'sqlalchemy', 'numpy'} & set(sys.modules)\n"
        "with resbench.open_results('resbench.db') as results: results.leaderboard('small'), results.query('SELECT 1')\n"
        "print([name for name in ('torch', 'typer', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=finished, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
