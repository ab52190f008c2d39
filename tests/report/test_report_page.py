"""The report: everything the database knows of a study, every text escaped, units drawn without their files."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from shutil import copyfile

import pytest
import yaml
from command_line import Database, Rb, say
from report_study_sample import HOSTILE, Made, made, store

from resbench.errors import BadInput
from resbench.html_report.build import page
from resbench.html_report.render import html, inlined
from resbench.html_report.study_file import study_file
from resbench.html_report.unit_section import draw_unit
from resbench.store.open import open_store
from resbench.store.records import ArchitectureRecord
from resbench.store.results import reading
from resbench.store.results.catalogue import get_architecture
from resbench.store.results.reading import runs_of_study
from resbench.store.results.stored import StoredStudy


class Read(HTMLParser):
    """Elements in their order, texts, and whether every element that is opened is closed."""

    VOID = ("meta", "link")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def real(finished: Path) -> tuple[str, Read]:
    text = html(page(open_store(str(finished / "resbench.db"), create=False), "small"))
    return text, Read(text)


def test_everything_is_on_the_page(real: tuple[str, Read], finished: Path) -> None:
    said = " ".join(real[1].texts)
    engine = open_store(str(finished / "resbench.db"), create=False)
    for run in runs_of_study(engine, "small"):
        for fact in (
            run.unit,
            run.digest,
            run.data_digest,
            run.recipe_digest,
            f"{run.val_error_pct:.2f}",
            run.created_at,
        ):
            assert fact in said
        assert f"{run.params:,}" in said
    for words in (
        "Two units that a second tells apart", "{use: resnet_cifar, depth: 8, width: 2}", "cannot be told apart (95 %).",
        "they are about new seeds on this split and data set", "one image is 0.29 points", "Welch's intervals",
        "conv3x3 2→2", "resbench study run small.yaml", "resbench results repeat", "thread(s) a training",
        "The test scores have not been looked at",
    ):  # fmt: skip
        assert words in said, words


def test_a_unit_is_drawn_from_the_database_alone(finished: Path) -> None:
    engine = open_store(str(finished / "resbench.db"), create=False)
    digest = runs_of_study(engine, "small")[0].digest
    drawn = draw_unit(get_architecture(engine, digest), "plain")
    assert drawn.problem == ""
    assert drawn.svg.startswith("<svg")
    assert [table.title.partition(" ")[0] for table in drawn.tables] == ["first", "transition", "the"]
    ops = yaml.safe_load(drawn.text)
    assert ops[0] == {"f.conv1": {"conv": ops[0]["f.conv1"]["conv"]}, "from": ["x"], "gives": [2, 8, 8]}
    assert json.loads(drawn.spec) == json.loads(get_architecture(engine, digest).spec)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("{}", "the stored network cannot be read: KeyError: 'format'"),
        ("<b>", "the stored network cannot be read: JSONDecodeError"),
        ('{"format": 99}', "architecture format 99; this version reads 1"),
    ],
)
def test_what_cannot_be_read_is_told(spec: str, told: str) -> None:
    drawn = draw_unit(ArchitectureRecord("a2_x", "net", "unit", spec, 1), "u")
    assert told in drawn.problem
    assert (drawn.svg, drawn.tables, drawn.spec) == ("", (), spec)


def test_an_op_that_is_not_there_is_told_and_the_unit_is_still_written(finished: Path) -> None:
    engine = open_store(str(finished / "resbench.db"), create=False)
    stored = get_architecture(engine, runs_of_study(engine, "small")[0].digest)
    spec = stored.spec.replace('"relu"', '"my_own_op"')
    drawn = draw_unit(ArchitectureRecord("a2_x", "net", "unit", spec, 1), "u")
    assert "this unit cannot be drawn here" in drawn.problem
    assert "my_own_op" in drawn.problem
    assert "my_own_op" in drawn.text


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Read]:
    doc = "<script>alert('doc')</script> {{ 7 * 7 }} [/red] \"quoted\""
    units = [
        *made(HOSTILE),
        Made("</script><script>alert(3)</script>", (9.0, 9.1, 9.2, 9.3, None), spec='{"text": "</pre><script>"}'),
    ]
    engine = store(tmp_path_factory.mktemp("hostile") / "a.db", units, doc=doc)
    text = html(page(engine, "s"))
    return text, Read(text)


def test_every_text_is_shown_and_none_is_obeyed(hostile: tuple[str, Read]) -> None:
    text, read = hostile
    assert [tag for tag, _ in read.tags].count("script") == 1
    assert not [tag for tag, _ in read.tags if tag in ("img", "iframe", "object", "form", "input")]
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on")]
    said = " ".join(read.texts)
    for shown in (*HOSTILE[:5], "<script>alert('doc')</script> {{ 7 * 7 }} [/red]", "</pre><script>"):
        assert shown in said
    assert "<script>alert" not in text


def test_nothing_is_asked_for_from_anywhere(real: tuple[str, Read]) -> None:
    text, read = real
    for tag, attributes in read.tags:
        for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            if attributes.get(name):
                assert str(attributes[name]).startswith(("#", "data:")), (tag, attributes)
    assert not re.search(r"@import|url\((?!#|&quot;#)", text)
    policy = next(a["content"] or "" for t, a in read.tags if t == "meta" and a.get("http-equiv"))
    assert policy.startswith("default-src 'none'")


def test_identifiers_are_each_given_once_and_all_that_is_referred_to_is_there(real: tuple[str, Read]) -> None:
    text, read = real
    ids = [a["id"] for _, a in read.tags if a.get("id")]
    assert len(set(ids)) == len(ids)
    referred = re.findall(r'(?:href="#|url\(#)([^")]+)', text)
    assert len(referred) > 20
    assert set(referred) <= set(ids)


def test_a_picture_is_cut_to_what_a_page_needs() -> None:
    svg = '<?xml version="1.0"?>\n<!DOCTYPE svg>\n<svg width="72pt" height="36pt" viewBox="0 0 72 36"><metadata>x</metadata>'
    svg += '<g id="axes_1"><use xlink:href="#m1"/></g><path id="m1" clip-path="url(#p1)"/></svg>\n'
    assert inlined(svg, "seeds") == (
        '<svg width="96" height="48" role="img" viewBox="0 0 72 36"><g><use xlink:href="#seeds-m1"/></g>'
        '<path id="seeds-m1" clip-path="url(#seeds-p1)"/></svg>'
    )


def test_the_same_page_each_time(real: tuple[str, Read], finished: Path) -> None:
    assert html(page(open_store(str(finished / "resbench.db"), create=False), "small")) == real[0]


def test_the_study_file_is_the_study(finished: Path, tmp_path: Path) -> None:
    """Run against the database that it was written from, it finds every run."""
    engine = open_store(str(finished / "resbench.db"), create=False)
    (tmp_path / "small.yaml").write_text(page(engine, "small").study_file, "utf-8")
    copyfile(finished / "resbench.db", tmp_path / "resbench.db")
    said = say(["study", "run", "small.yaml", "--db", "resbench.db"], tmp_path)
    assert (said.status, said.err.splitlines()[0]) == (0, "9 cached, 0 new")


def test_a_study_file_has_values_as_they_were_said() -> None:
    spec = {
        "fixed": {"network": {"depth": {"choices": [8, 14]}, "use": "net"}, "data": "digits", "recipe": {"epochs": 2},
                  "limits": {"params": 9, "macs": None}, "paired": True, "objectives": ["val_loss", "macs"], "race": [3, 4]},
        "seeds": [0, 1, 2, 3], "doc": "a: b",
    }  # fmt: skip
    units = ["plain network.depth=8", "plain network.depth=14", "gated bias=-6 order=[bn, relu] open=true"]
    assert yaml.safe_load(study_file("s", StoredStudy.from_json(spec), units, "mine")) == {
        "study": "s", "doc": "a: b", "network": {"use": "net", "depth": {"choices": [8, 14]}},
        "units": ["plain", {"use": "gated", "bias": -6, "order": ["bn", "relu"], "open": True}],
        "data": "digits", "recipe": {"use": "mine", "epochs": 2}, "seeds": [0, 1, 2, 3],
        "budget": {"params": 9}, "objectives": {"val_loss": "minimize", "macs": "minimize"}, "race": [3, 4], "paired": True,
    }  # fmt: skip


def test_a_look_at_the_test_scores_is_told(tmp_path: Path, finished: Path) -> None:
    copyfile(finished / "resbench.db", tmp_path / "a.db")
    engine = open_store(str(tmp_path / "a.db"), create=False)
    assert reading.test_scores(engine, "small", "me")
    assert any("looked at 1 time(s)" in line for line in page(engine, "small").limitations)


def test_where_nothing_can_be_claimed_the_page_still_stands(tmp_path: Path) -> None:
    engine = store(tmp_path / "a.db", [Made("a", (None, None, None)), Made("b", (None, None, None))], epochs=0)
    found = page(engine, "s")
    assert (set(found.pictures), found.differences) == ({"ranking", "seeds"}, None)
    said = " ".join(Read(html(found)).texts)
    assert "There are no two units to compare" in said
    assert "No epoch of these runs is in the database" in said


def test_a_study_that_is_not_there_and_one_without_runs(tmp_path: Path) -> None:
    engine = store(tmp_path / "a.db", [Made("a", (1.0,))])
    with pytest.raises(BadInput, match=r"no study 't' in .*; it holds: s"):
        page(engine, "t")
    Database(tmp_path / "a.db").change("DELETE FROM rb_study_run")
    with pytest.raises(BadInput, match="study s has no finished run yet"):
        page(engine, "s")


def test_the_commands(read: Rb, tmp_path: Path, finished: Path) -> None:
    said = read("report", "small", "-o", tmp_path / "r.html")
    assert (said.status, said.out) == (0, f"{tmp_path / 'r.html'}\n")
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")
    said = read("report", "small", "-o", tmp_path / "r.pdf")
    assert (said.status, said.err) == (
        2,
        f"-o: expected a file name that ends in .html or .htm, got {tmp_path / 'r.pdf'}\n",
    )
    said = read("report", "small", "-o", tmp_path / "gone" / "r.html")
    assert (said.status, said.err) == (2, f"{tmp_path / 'gone' / 'r.html'}: there is no folder {tmp_path / 'gone'}\n")

    said = read("results", "plot", "small", "ranking", "curves", "ranking", "-o", tmp_path / "p.svg", "--json")
    files = [str(tmp_path / f"p-{kind}.svg") for kind in ("ranking", "curves")]
    assert [row["file"] for row in said.json] == files
    assert all(Path(file).is_file() for file in files)
    said = read("results", "plot", "small", "pareto", "--cost", "macs", "-o", tmp_path / "p.pdf")
    assert (said.status, said.out) == (0, f"{tmp_path / 'p.pdf'}\n")
    said = read("results", "plot", "small", "-o", tmp_path / "all.png")
    assert (said.status, len(said.out.splitlines())) == (0, 5)
    assert said.err.startswith("no depth: study small: error against depth requires a unit at several depths")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("rankng", "-o", "x.svg"),
            "picture: expected one of curves, ranking, seeds, pareto, differences, depth, signal, ",
        ),
        (
            ("ranking", "-o", "x.gif"),
            "x.gif: expected an ending of .svg, .png, .pdf, got `.gif`",
        ),
        (("ranking", "-o", "gone/x.svg"), "gone/x.svg: there is no folder gone"),
        (("pareto", "-o", "x.svg", "--cost", "flops"), "cost: expected one of params, macs, train_s, got `flops`"),
        (
            ("depth", "-o", "x.svg"),
            "study small: error against depth requires a unit at several depths, but all its networks have 8",
        ),
    ],
)
def test_pictures_that_cannot_be(words: tuple[str, ...], told: str, read: Rb, finished: Path) -> None:
    said = read("results", "plot", "small", *words)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(told)
    assert not (finished / "x.svg").exists()
