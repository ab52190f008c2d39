"""Every command over a database whose texts are a stranger's: nothing of them is obeyed on stdout, on stderr or in a file."""

from __future__ import annotations

import csv
import json
import re
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from shutil import copyfile
from xml.etree import ElementTree

import pytest
from command_line import Database, Rb, Said
from hostile import STUDY, TEXT, forged, make_hostile, unprintable

from resbench.cli.echo import format_warning, print_error
from resbench.cli.progress import StudyProgress
from resbench.errors import BadInput
from resbench.escape import printable

SHOWN = printable(TEXT, 1000)
OURS = "\u00a0"  # keeps a number with its percent sign, in pictures


@pytest.fixture
def hostile(finished: Path, tmp_path: Path) -> Database:
    copyfile(finished / "resbench.db", tmp_path / "resbench.db")
    make_hostile(tmp_path / "resbench.db")
    return Database(tmp_path / "resbench.db")


def units(database: Database) -> list[str]:
    return [str(name) for (name,) in database.rows("SELECT name FROM rb_trial")]


def harmless(said: Said, status: int | None = 0) -> Said:
    assert status is None or said.status == status, said.err
    assert unprintable(said.out) == unprintable(said.err) == ""
    assert forged(said.out) == forged(said.err) == []
    return said


ODD = 'SELECT 1 AS "=1\u202e\n"'
READING: Sequence[tuple[str, ...]] = (
    ("results", "list"), ("results", "top", STUDY), ("results", "top", STUDY, "--test"), ("results", "show", "1"),
    ("results", "power", STUDY, "--delta", "0.5"), ("study", "status", STUDY), ("query", "SELECT * FROM v_runs"),
    ("query", "SELECT * FROM rb_study"), ("query", "SELECT * FROM v_runs", "--csv"), ("query", ODD), ("query", ODD, "--csv"),
    ("query", "SELECT error FROM v_runs", "--json"), ("results", "list", "--json"), ("results", "top", STUDY, "--json"),
    ("results", "show", "1", "--json"), ("study", "status", STUDY, "--json"),
)  # fmt: skip


@pytest.mark.parametrize("words", READING, ids=lambda words: " ".join(words).replace(STUDY, "STUDY")[:50])
def test_what_is_read_is_shown(words: tuple[str, ...], rb: Rb, hostile: Database) -> None:
    said = harmless(rb(*words))
    assert said.out
    if "--json" in words:
        assert said.out.isascii()


def test_json_gives_back_every_text(rb: Rb, hostile: Database) -> None:
    assert [row["study"] for row in rb("results", "list", "--json").json] == [STUDY]
    assert {row["unit"] for row in rb("results", "top", STUDY, "--json").json} == set(units(hostile))
    assert {row["error"] for row in rb("query", "SELECT error FROM v_runs", "--json").json} == {TEXT}
    assert rb("study", "status", STUDY, "--json").json["failed"][0]["error"] == f"{TEXT}\n{TEXT}"


def test_units_are_compared_and_the_database_is_checked(rb: Rb, hostile: Database) -> None:
    assert SHOWN in harmless(rb("results", "compare", STUDY, *units(hostile))).out
    assert SHOWN in harmless(rb("db", "check"), 4).err
    assert SHOWN in harmless(rb("study", "status", STUDY)).out


def test_tables_in_files_have_as_many_rows_and_cells(rb: Rb, read: Rb, hostile: Database, tmp_path: Path) -> None:
    for ending in ("md", "tex", "csv", "json"):
        harmless(rb("results", "export", STUDY, "-o", f"x.{ending}"))
        text = (tmp_path / f"x.{ending}").read_text("utf-8")
        assert (unprintable(text), forged(text)) == ("", [])
    written = (tmp_path / "x.csv").read_text("utf-8")
    rows = list(csv.reader(StringIO(written)))
    assert len(rows) == 1 + 9 == len(written.splitlines())
    assert len({len(row) for row in rows}) == 1
    assert {row[rows[0].index("error")] for row in rows[1:]} == {f"'{SHOWN}"}
    markdown = (tmp_path / "x.md").read_text("utf-8").splitlines()
    assert len([line for line in markdown if line.startswith("|")]) == 2 + 3
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in markdown if line.startswith("|")} == {12}
    latex = (tmp_path / "x.tex").read_text("utf-8").splitlines()
    assert len([line for line in latex if line.endswith(r" \\")]) == 1 + 3
    assert {row["error"] for row in json.loads((tmp_path / "x.json").read_text("utf-8"))} == {TEXT}


def test_csv_as_it_is(rb: Rb, hostile: Database, tmp_path: Path) -> None:
    assert rb("results", "export", STUDY, "-o", "x.csv", "--raw").status == 0
    rows = list(csv.DictReader(StringIO((tmp_path / "x.csv").read_bytes().decode("utf-8"), newline="")))
    assert {row["error"] for row in rows} == {TEXT}
    assert {row["study"] for row in rows} == {STUDY}
    said = rb("query", "SELECT error, run_id FROM v_runs", "--csv", "--raw")
    assert {row["error"] for row in csv.DictReader(StringIO(said.out, newline=""))} == {TEXT}
    for words, message in (
        (("query", "SELECT 1", "--raw"), "--raw applies only to --csv"),
        (("results", "export", STUDY, "-o", "x.json", "--raw"), "--raw applies only to .csv, got x.json"),
        (("study", "proxies", STUDY, "--raw"), "--raw applies only to the CSV of --out"),
    ):
        assert (rb(*words).status, rb(*words).err) == (2, f"{message}\n")


def test_proxies_as_a_table(rb: Rb, hostile: Database, tmp_path: Path) -> None:
    harmless(rb("study", "proxies", STUDY, "--images", "4", "-o", "x.csv"))
    text = (tmp_path / "x.csv").read_text("utf-8")
    assert (unprintable(text), forged(text)) == ("", [])
    rows = list(csv.DictReader(StringIO(text)))
    assert sorted(row["unit"] for row in rows) == sorted(printable(name, 1000) for name in units(hostile))
    assert all(float(row["val_error_pct"]) > 0 for row in rows)


def elements(svg: str) -> Counter[str]:
    return Counter(element.tag.partition("}")[2] for element in ElementTree.fromstring(svg).iter())


def words_of(svg: str) -> str:
    return " ".join(" ".join(element.itertext()) for element in ElementTree.fromstring(svg).iter())


def test_pictures_hold_the_text_as_text(rb: Rb, read: Rb, hostile: Database, finished: Path, tmp_path: Path) -> None:
    harmless(rb("results", "plot", STUDY, "-o", "p.svg"))
    harmless(rb("results", "top", STUDY, "--svg", "t.svg"))
    pictures = sorted(tmp_path.glob("*.svg"))
    assert len(pictures) >= 5
    for picture in pictures:
        svg = picture.read_text("utf-8")
        assert unprintable(svg.replace(OURS, "")) == ""
        assert set(elements(svg)) <= {
            "svg", "metadata", "RDF", "Work", "format", "type", "title", "defs", "style", "g", "path", "use", "text", "clipPath",
            "rect", "circle",
        }  # fmt: skip
        assert "[red]" in words_of(svg)
        assert "$x$" in words_of(svg).replace(OURS, " ")
    assert (
        "no profile was recorded" in harmless(rb("results", "plot", STUDY, "signal", "-o", "s.svg"), 2).err
    )  # the study is found
    for ending in ("png", "pdf"):
        harmless(rb("results", "plot", STUDY, "ranking", "-o", f"p.{ending}"))
        assert (tmp_path / f"p.{ending}").stat().st_size > 1000


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self.links |= {str(value) for name, value in attrs if name in ("href", "xlink:href", "src")}


def test_a_report_has_no_element_more(rb: Rb, read: Rb, hostile: Database, tmp_path: Path) -> None:
    assert read("report", "small", "-o", tmp_path / "plain.html").status == 0
    harmless(rb("report", STUDY, "-o", "r.html"))
    html = (tmp_path / "r.html").read_text("utf-8")
    plain, found = Page((tmp_path / "plain.html").read_text("utf-8")), Page(html)
    assert unprintable(html.replace(OURS, "")) == ""
    assert [forged(code) for code in re.findall(r"<pre.*?</pre>", html, re.DOTALL) if forged(code)] == []
    assert set(found.tags) <= set(plain.tags)
    drawn = {
        "text",
        "g",
        "path",
        "use",
        "rect",
        "title",
        "circle",
        "polygon",
        "defs",
        "clippath",
    }  # a long name takes more lines
    assert {tag: n for tag, n in found.tags.items() if tag not in drawn} == {
        tag: n for tag, n in plain.tags.items() if tag not in drawn
    }
    assert found.attributes == plain.attributes
    assert all(link.startswith("#") or link == "data:," for link in found.links)
    assert "resbench results top $&#39;small =" in html  # to be copied into a shell
    drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(drawings) > 5
    assert all("script" not in elements(drawing) for drawing in drawings)


WRONG: Sequence[tuple[str, ...]] = (
    (TEXT,), (f"--{TEXT}",), ("results", TEXT), ("results", f"--x{TEXT}"), ("results", "top", STUDY, TEXT),
    ("results", "show", TEXT), ("results", "top", TEXT), ("results", "compare", STUDY, TEXT, TEXT),
    ("results", "unit", STUDY, TEXT), ("results", "plot", STUDY, TEXT), ("results", "export", STUDY, "-o", TEXT),
    ("results", "agreement", STUDY, TEXT), ("results", "export", STUDY, "-o", "x.md", "--what", TEXT),
    ("results", "top", STUDY, "--db", TEXT), ("query", TEXT), ("query", f"SELECT '{TEXT}'' FROM x"),
    ("unit", "check", TEXT), ("unit", "show", "plain", TEXT), ("unit", "show", "plain", "--place", TEXT),
    ("unit", "diff", TEXT, TEXT), ("unit", "export", "plain", "--to", TEXT), ("net", "show", TEXT),
    ("net", "show", "resnet_cifar", TEXT), ("analyze", TEXT), ("study", "run", TEXT), ("schema", TEXT),
    ("study", "check", f"{TEXT}.yaml"), ("study", "show", "quickstart", TEXT),
    ("study", "show", "quickstart", f"recipe.{TEXT}=1"), ("study", "show", "quickstart", f"units+={TEXT}"),
    ("plugins", "check", TEXT), ("plugins", "new", TEXT), ("data", "--plugins", TEXT),
    ("worker", "--study", STUDY, "--tags", TEXT), ("report", STUDY, "-o", TEXT), ("dashboard", TEXT),
    ("worker", "--study", STUDY, "--time-limit", TEXT), ("net", "verify", "resnet_cifar", "--against", TEXT),
)  # fmt: skip


@pytest.mark.parametrize("words", WRONG, ids=range(len(WRONG)))
def test_what_is_asked_wrongly_is_repeated_and_not_obeyed(words: tuple[str, ...], rb: Rb, hostile: Database) -> None:
    said = harmless(rb(*words), None)
    assert said.status in (2, 4)
    assert said.err


def test_a_study_with_such_texts_is_shown_as_yaml(rb: Rb, tmp_path: Path) -> None:
    """What is printed is a study that says the same."""
    doc = "Says \"two\" \\ \u202e \u2028 # 'x': [red] \t {y}\nand a line"
    text = (
        f"study: odd\ndoc: {json.dumps(doc)}\nnetwork: {{use: resnet_cifar, depth: 8, width: $(max(1, 2))}}\n"
        "units: [plain]\ndata: digits\nrecipe: he2016_small\n"
    ).replace("$(max(1, 2))", '"$(max(1, 2))"')
    (tmp_path / "odd.yaml").write_text(text, "utf-8")
    shown = harmless(rb("study", "show", "odd.yaml"))
    (tmp_path / "again.yaml").write_text(shown.out, "utf-8")
    first, second = rb("study", "show", "odd.yaml", "--json"), rb("study", "show", "again.yaml", "--json")
    assert first.json == second.json
    assert first.json["doc"] == doc
    harmless(rb("study", "show", "odd.yaml", "--resolved"))


def test_a_file_with_such_texts_has_its_problems_told(rb: Rb, tmp_path: Path) -> None:
    for name, text in {
        "key": "unit: key\n\"no\u202e\u2028\": 1\nnodes: {y: {from: x, ops: [relu]}}\n",
        "op": "unit: op\nnodes: {y: {from: x, ops: [\"re\u202elu\\n[red]\"]}}\n",
        "torn": "unit: torn\ndoc: [\u202e \u2028\nnodes: \x7f\n",
        "control": "unit: control\ndoc: \"\\e[31m\"\nnodes: {y: {from: x, ops: [relu]}}\n",
    }.items():  # fmt: skip
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
        assert f"{name}.yaml:" in harmless(rb("unit", "check", f"{name}.yaml"), 2).err


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def plain(text: str) -> str:
    """Without what rich itself writes to move the cursor and to colour."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text)


def test_a_terminal_is_given_no_more_than_ours(rb: Rb, hostile: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours are rich's; those of the text are shown."""
    from resbench.cli import output as show
    from resbench.evidence.leaderboard import leaderboard
    from resbench.store.open import open_store

    monkeypatch.setenv("COLUMNS", "4000")
    board = leaderboard(open_store(str(hostile.path), create=False), STUDY)
    out = Terminal()
    with redirect_stdout(out):
        from resbench.cli.results.ranking import ranking_table

        show.show(ranking_table(board))
    text = plain(out.getvalue())
    assert unprintable(text) == ""
    assert forged(text) == []
    assert SHOWN in text


def test_progress_is_shown_on_a_terminal_and_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "4000")
    monkeypatch.setenv("TERM", "xterm")
    for out in (Terminal(), StringIO()):
        with redirect_stderr(out), StudyProgress() as progress:
            progress.planned(0, 2)
            progress.epoch(TEXT, 0, 2, 1, 50.0)
            progress.bar.refresh()
            progress.saved(TEXT, 0, 2, 2, 50.0)
            progress.cell_failed(TEXT, TEXT)
            progress.note(f"{TEXT} :smile:")
        text = plain(out.getvalue())
        assert unprintable(text) == ""
        assert forged(text) == []
        assert text.count(f"FAILED {SHOWN}: {SHOWN}") == 1
        assert ":smile:" in text


def test_pythons_own_lines_are_shown(rb: Rb, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours with such a text in it, and a warning."""
    err = StringIO()
    with redirect_stderr(err):
        try:
            raise RuntimeError(TEXT)
        except RuntimeError as error:
            print_error(RuntimeError, error, error.__traceback__)
    assert unprintable(err.getvalue()) == ""
    assert "RuntimeError: =\\x1b[31m" in err.getvalue()
    assert unprintable(format_warning(UserWarning(TEXT), UserWarning, "a.py", 1)) == ""

    from resbench.cli import main

    def fail(prog_name: str) -> None:
        raise RuntimeError(TEXT)

    monkeypatch.setattr(main, "_command", lambda: fail)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    with pytest.raises(RuntimeError):
        main.run()
    assert sys.excepthook is print_error
    assert warnings.formatwarning is format_warning


@pytest.mark.parametrize(
    ("sql", "status"),
    [
        ('CREATE TRIGGER "t\n    FORGED" AFTER INSERT ON rb_run BEGIN SELECT 1; END', 4),
        ("UPDATE rb_study SET name = 'x\n    FORGED'", 2),
    ],
)
def test_a_text_of_a_database_writes_no_line_of_its_own_in_a_message(
    rb: Rb, ran: None, database: Database, sql: str, status: int
) -> None:
    database.change(sql)
    said = harmless(rb("results", "top", "other"), status)
    assert "\\x0a    FORGED" in said.err
    assert said.err.count("\n") == 1


def test_a_name_writes_no_line_of_its_own_in_a_message(rb: Rb, monkeypatch: pytest.MonkeyPatch) -> None:
    from resbench.cli import main

    def fail(prog_name: str) -> None:
        raise BadInput(f"no study {TEXT}")

    monkeypatch.setattr(main, "_command", lambda: fail)
    said = harmless(rb("anything"), 2)
    assert "\\x0aFORGED" in said.err
    assert said.err.count("\n") == 1
