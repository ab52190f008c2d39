"""Results asked for in ways that cannot be answered: where, what was given, what is allowed, and nothing written."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import pytest
from command_line import Database, Rb


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("top", "small", "--svg", "x.png"), "--svg: expected a name that ends in .svg, got x.png"),
        (("top", "small", "--svg", "nowhere/x.svg"), "--svg nowhere/x.svg: there is no folder nowhere"),
        (
            ("top", "small", "--svg", "x.svg", "--test"),
            "--svg draws the ranking on the validation split and does not apply to --test",
        ),
        (
            ("power", "small", "--delta", "nan"),
            "--delta: expected a finite difference above 0, in the unit of the objective, got nan",
        ),
        (
            ("power", "small", "--delta", "inf"),
            "--delta: expected a finite difference above 0, in the unit of the objective, got inf",
        ),
    ],
)
def test_results(rb: Rb, ran: None, database: Database, words: tuple[str, ...], told: str) -> None:
    said = rb("results", *words)
    assert (said.status, said.out) == (2, "")
    assert told in said.err
    assert database.rows("SELECT * FROM rb_reveal") == []
    assert not list(database.path.parent.glob("x.*"))


@pytest.mark.parametrize("run", ["99999999999999999999", "9223372036854775808", "9223372036854775807", "-1", "0"])
@pytest.mark.parametrize("command", ["show", "repeat"])
def test_a_run_that_no_database_can_have(rb: Rb, ran: None, command: str, run: str) -> None:
    said = rb("results", command, "--", run)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(f"no run {run} in ")
    assert said.err.endswith("resbench.db; `resbench results top STUDY` and the view v_runs show numbers\n")


@pytest.mark.parametrize("seed", ["-1", "9223372036854775808", "99999999999999999999"])
@pytest.mark.parametrize(
    "words",
    [
        ("analyze", "plain"),
        ("study", "proxies", "small"),
        ("unit", "export", "plain", "--to", "safetensors", "-o", "x.safetensors"),
        ("net", "export", "resnet_cifar", "unit=plain", "--to", "safetensors", "-o", "x.safetensors"),
    ],
)
def test_a_seed_that_no_database_can_have(rb: Rb, tmp_path: Path, words: tuple[str, ...], seed: str) -> None:
    said = rb(*words, "--seed", seed)
    assert (said.status, said.out) == (2, "")
    assert "--seed" in said.err
    assert ("greater than or equal to 0" if seed == "-1" else str(2**63 - 1)) in said.err
    assert not list(tmp_path.glob("x.*"))


def test_more_rows_than_can_be_asked_for(rb: Rb, ran: None) -> None:
    assert rb("query", "SELECT 1", "--max-rows", "99999999999999999999").status == 2


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("unit,error_pct\nplain,6,61\n", "t.csv:2: expected 2 columns, got more; write decimals with a point"),
        ("unit,error_pct\nplain,300\n", "t.csv:2: expected an error from 0 to 100 percent or `fail`, got '300'"),
        ("unit,error_pct\nplain,nan\n", "t.csv:2: expected an error from 0 to 100 percent or `fail`, got 'nan'"),
        (
            "unit,error_pct\nother,6.1\n",
            "t.csv: expected units of study small, got none of them; the study has plain, original",
        ),
        ("\ufeffunit,error_pct\nother,6.1\n", "t.csv: expected units of study small, got none"),
    ],
)
def test_published_tables(rb: Rb, ran: None, tmp_path: Path, table: str, told: str) -> None:
    (tmp_path / "t.csv").write_text(table, "utf-8")
    said = rb("results", "agreement", "small", "t.csv")
    assert said.status == 2
    assert told in said.err


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT * FROM v_run", "SQL: no such table: v_run; did you mean `v_runs`"),
        ("SELECT * FROM elsewhere", "SQL: no such table: elsewhere; views: v_runs, v_epochs, "),
        ("SELECT val_eror_pct FROM v_runs", "no such column: val_eror_pct; did you mean `val_error_pct`"),
        ("SELECT ?", "SQL: expected no parameter (`?`, `:name`), since none is bound; write the value"),
    ],
)
def test_queries(rb: Rb, ran: None, sql: str, told: str) -> None:
    said = rb("query", sql)
    assert said.status == 2
    assert told in said.err


def test_a_run_whose_numbers_were_changed_is_not_the_same(rb: Rb, ran: None, database: Database) -> None:
    database.change("UPDATE rb_run SET val_error_pct = 1.0 WHERE id = 1")
    said = rb("results", "repeat", "1")
    assert said.status == 1
    assert "not the same" in said.out
    database.change("DELETE FROM rb_epoch WHERE run_id = 2")
    said = rb("results", "repeat", "2")
    assert said.status == 4
    assert "run 2: 1 epochs, and 0 of them are there; see `resbench db check`" in said.err


def test_a_copy_onto_itself_and_a_folder_of_plugins_that_is_not_there(rb: Rb, ran: None) -> None:
    said = rb("db", "backup", "resbench.db", "--force")
    assert (said.status, "is the database itself" in said.err) == (2, True)
    said = rb("report", "small", "-o", "r.html", "--plugins", "nowhere")
    assert (said.status, "--plugins: expected a folder, got nowhere" in said.err) == (2, True)


def test_several_objectives_have_a_front_everywhere(rb: Rb, small: Path) -> None:
    text = small.read_text("utf-8") + "objectives: {val_error_pct: minimize, params: minimize}\n"
    small.write_text(text.replace("seeds: 2", "seeds: 3"), "utf-8")
    assert rb("study", "run", "small.yaml").status == 0
    top = rb("results", "top", "small", "--json").json
    assert all("on_front" in row and "tied_with_best" not in row for row in top)
    assert rb("report", "small", "-o", "r.html").status == 0
    page = (small.parent / "r.html").read_text("utf-8")
    assert ">front<" in page
    assert ">tied<" not in page
    for kind in ("ranking", "seeds"):
        assert rb("results", "plot", "small", kind, "-o", f"{kind}.svg").status == 0
        picture = (small.parent / f"{kind}.svg").read_text("utf-8")
        assert "no other unit is shown" in picture
        assert "tied with the best" not in picture


def test_help_keeps_its_brackets(rb: Rb) -> None:
    assert "resbench[dashboard]" in "".join(rb("dashboard", "--help").out.split())
    assert "[tool.resbench]" in rb("results", "list", "--help").out


def test_a_unit_of_two_runs_is_not_called_behind(rb: Rb, ran: None, tmp_path: Path) -> None:
    assert rb("results", "plot", "small", "pareto", "-o", "x.svg").status == 0
    picture = (tmp_path / "x.svg").read_text("utf-8")
    assert "no claim: under 3 converged runs" in picture
    assert "behind it, at 95 %" not in picture


def test_what_only_fails_is_not_said_to_be_worse_with_confidence(
    rb: Rb, finished: Path, tmp_path: Path, database: Database
) -> None:
    copyfile(finished / "resbench.db", database.path)
    database.change(
        "UPDATE rb_run SET status = 'diverged' WHERE id IN (SELECT run_id FROM v_runs WHERE unit <> 'original')"
    )
    said = rb("results", "top", "small").out
    assert "fails: under half of the runs converged" in said
    assert "with 95 % confidence" not in said
    assert "?:" not in said


@pytest.mark.parametrize(
    "words",
    [
        ("study", "run", "{}"), ("study", "check", "{}.yaml"), ("unit", "check", "{}.yaml"), ("unit", "diff", "{}.yaml", "plain"),
        ("net", "show", "{}.yaml"), ("plugins", "check", "{}"), ("unit", "check", "plain", "--plugins", "{}"),
        ("results", "list", "--db", "{}"), ("net", "export", "resnet_cifar", "--weights", "{}", "-o", "x.pt2"),
        ("results", "freeze", "-o", "x.db", "--merge", "{}"),
    ],
)  # fmt: skip
def test_a_name_that_no_file_can_have(rb: Rb, tmp_path: Path, words: tuple[str, ...]) -> None:
    said = rb(*(word.format("a" * 3000) for word in words))
    assert said.status in (2, 4)
    assert "a" * 20 in said.err
    assert "Traceback" not in said.err
    assert list(tmp_path.iterdir()) == []
