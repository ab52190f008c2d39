"""Whatever the texts of units, studies and databases say, each format shows them and obeys none: its structure stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import copyfile

import fuzz_formats as formats
import pytest
from command_line import Said, say
from fuzz_bases import make_database
from fuzz_case import FULL, Figures, cases, chunks, kept, noted
from fuzz_formats import Structure
from fuzz_texts import FORGED, names, odd_text, say_in_database, say_in_files

SAMPLE, WANTED = 80, 5_000
OUT = "out"


@dataclass(frozen=True, slots=True)
class Way:
    """A command that prints texts, and the structure of what it prints or, with `-o`, writes. {a} and {b} are names of units."""

    words: tuple[str, ...]
    structure: Structure
    often: int = 4

    def run(self, folder: Path, text: str) -> tuple[Said, str]:
        a, b = names(text, [1, 2])
        said = say([word.format(a=a, b=b, t=text) if "{" in word else word for word in self.words], folder)
        out = next((folder / word for word in self.words if word.startswith(f"{OUT}.")), None)
        return said, said.out if out is None or not out.exists() else out.read_text("utf-8")


DB = ("--db", "texts.db")
EXPORT = ("results", "export", "small", "-o")
SHOW = ("unit", "show", "mine.yaml")
RUNS = ("query", "SELECT * FROM v_runs", *DB)
BOTH = ("results", "compare", "small", "{a}", "{b}", *DB)
GIVEN = (  # texts that a person types, or a script passes on
    ("results", "top", "{t}", *DB), ("results", "compare", "small", "{a}", "{t}", *DB), (*EXPORT, "{t}", *DB),
    ("results", "list", "--db", "{t}"), ("results", "delete", "{t}", "--yes", *DB), ("results", "rename", "{t}", "{t}", *DB),
    ("results", "note", "small", "{t}", *DB), ("results", "delete", "small", "--unit", "{a}", *DB),
    ("query", "SELECT {t}", *DB), ("unit", "check", "{t}"), ("unit", "show", "plain", "{t}"),
    ("net", "show", "{t}"), ("net", "verify", "plain", "--against", "{t}"), ("study", "check", "{t}"),
    ("study", "check", "study.yaml", "{t}=1"),
)  # fmt: skip
WAYS = (
    Way(("results", "list", *DB), formats.terminal),
    Way(("results", "list", "--json", *DB), formats.of_json),
    Way(("results", "top", "small", *DB), formats.terminal, 8),
    Way(("results", "top", "small", "--json", *DB), formats.of_json),
    Way(("results", "note", "--list", *DB), formats.terminal),
    Way(("results", "note", "--list", "--json", *DB), formats.of_json),
    Way(("results", "show", "1", *DB), formats.terminal),
    Way(("results", "show", "1", "--json", *DB), formats.of_json),
    Way(BOTH, formats.terminal),
    Way((*BOTH, "--json"), formats.of_json),
    Way((*EXPORT, "out.md", *DB), formats.markdown, 8),
    Way((*EXPORT, "out.tex", *DB), formats.latex, 8),
    Way((*EXPORT, "out.csv", *DB), formats.of_csv, 8),
    Way((*EXPORT, "out.json", *DB), formats.of_json, 2),
    Way(("results", "unit", "small", "{a}", *DB), formats.yaml_file),
    Way(("study", "status", "small", *DB), formats.terminal),
    Way(("study", "status", "small", "--json", *DB), formats.of_json),
    Way(RUNS, formats.terminal, 1),
    Way((*RUNS, "--csv"), formats.of_csv, 1),
    Way((*RUNS, "--json"), formats.of_json, 1),
    Way(("results", "plot", "small", "ranking", "-o", "out.svg", *DB), formats.svg, 1),
    Way(("results", "plot", "small", "curves", "-o", "out.svg", *DB), formats.svg, 1),
    Way(("results", "top", "small", "--svg", "out.svg", *DB), formats.svg, 1),
    Way(("report", "small", "-o", "out.html", *DB), formats.html, 1),
    Way(SHOW, formats.graph_lines),
    Way((*SHOW, "--json"), formats.of_json),
    Way((*SHOW, "-o", "out.svg"), formats.svg),
    Way((*SHOW, "--format", "dot"), formats.dot),
    Way((*SHOW, "--format", "mermaid"), formats.mermaid),
    Way(("unit", "export", "mine.yaml", "--to", "python"), formats.python, 8),
    Way(("unit", "check", "mine.yaml"), formats.terminal),
    Way(("unit", "diff", "mine.yaml", "plain"), formats.terminal, 1),
    Way(("net", "export", "resnet_cifar", "unit=mine.yaml", "depth=8", "width=2", "--to", "python"), formats.python),
    Way(("study", "show", "study.yaml", "--resolved"), formats.yaml_file),
    Way(("study", "check", "study.yaml"), formats.terminal),
    *(Way(words, formats.terminal, 2) for words in GIVEN),
)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "texts.db"
    make_database(path)
    return path


@pytest.fixture(scope="session")
def plain(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Way], object]:
    """The structure that a way gives where every text is a word."""

    @cache
    def of(way: Way) -> object:
        folder = tmp_path_factory.mktemp("plain")
        say_all(base, folder, "word")
        said, written = way.run(folder, "word")
        assert said.status == 0 or way.words[:2] == ("unit", "diff"), (way.words, said)
        return way.structure(written)

    for way in WAYS if FULL else ():  # what they import is charged to no case
        if way.words not in GIVEN:
            of(way)
    return of


def say_all(base: Path, folder: Path, text: str) -> None:
    copyfile(base, folder / "texts.db")
    say_in_database(folder / "texts.db", text)
    say_in_files(folder, text)


@pytest.mark.parametrize("chunk", chunks(SAMPLE))
def test_a_text_is_shown_and_not_obeyed(
    chunk: int,
    base: Path,
    plain: Callable[[Way], object],
    figures: Figures,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    for number in cases(chunk, SAMPLE, WANTED):
        with figures.case(number) as rng, kept(tmp_path) as folder:
            text, way = odd_text(rng), rng.choices(WAYS, [way.often for way in WAYS])[0]
            with noted(f"{way.words} of {text!r}"):
                say_all(base, folder, text)
                try_text(way, folder, text, plain)


def try_text(way: Way, folder: Path, text: str, plain: Callable[[Way], object]) -> None:
    said, written = way.run(folder, text)
    assert "Traceback" not in said.err
    formats.terminal(said.err)
    assert not any(line.startswith(FORGED) for line in said.err.splitlines())
    if way.words in GIVEN:
        assert said.status in (0, 1, 2, 4), said
        assert said.status == 0 or said.err.strip()
        formats.terminal(said.out)
    elif said.status == 2 and text.startswith("-") and any(word == "{a}" for word in way.words):
        pass  # it was taken for an option
    elif said.status == 2 and "is not allowed in a text" in said.err:
        assert any(word.endswith(".yaml") for word in way.words)
    else:
        assert said.status == 0 or way.words[:2] == ("unit", "diff"), said
        assert way.structure(written) == plain(way)
