"""Whatever a unit, its doc, its places and its ops' arguments say: a picture has the same shapes, and the text is text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from xml.etree import ElementTree

import pytest
from hostile import ANY, CHARACTERS, COMBINED, TEXT, forged, unprintable
from hypothesis import given, settings
from report_sample import nasty

from resbench.drawing.annotated import AnnotatedView, ShownGraph
from resbench.drawing.formats.dot import dot
from resbench.drawing.formats.mermaid import mermaid
from resbench.drawing.formats.png import png
from resbench.drawing.formats.svg import svg
from resbench.drawing.formats.text import text as drawn
from resbench.escape import printable
from resbench.results.writers import TextTable, as_latex, as_markdown

TEXTS = [
    "word",
    TEXT,
    *("".join(CHARACTERS[i : i + 40]) for i in range(0, len(CHARACTERS), 40)),
    *COMBINED[:60],
    '"];\nx -> y',
    "%%{init: {}}%%",
]


def hostile(words: str, label: str | None = None) -> AnnotatedView:
    """A unit with ops in ops, each with that label."""
    return AnnotatedView(
        words, words, words, words, words, labelled(nasty("dropped").graph, words if label is None else label)
    )


def as_shown(words: str) -> AnnotatedView:
    """With labels as `show_graph` makes them: fit to be printed."""
    return hostile(words, printable(words, 4000))


def labelled(graph: ShownGraph, words: str) -> ShownGraph:
    ops = tuple(
        replace(
            op, label=words, operands=words, inner=tuple((name, labelled(inner, words)) for name, inner in op.inner)
        )
        for op in graph.ops
    )
    return replace(graph, ops=ops)


def shapes(picture: str) -> Counter[str]:
    return Counter(element.tag.partition("}")[2] for element in ElementTree.fromstring(picture).iter())


def dot_shape(source: str) -> tuple[int, int, int]:
    """Nodes, edges and frames, the strings taken out."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', source)
    assert not set(re.sub(r'->|[\w\s{}\[\]=,.]|""', "", bare))
    nodes = re.findall(r"^ *n[\d_]+ \[", bare, re.MULTILINE)
    return len(nodes), bare.count("->"), bare.count("subgraph")


def mermaid_shape(source: str) -> tuple[int, int, int]:
    bare = re.sub(r'"[^"\n]*"', '""', source)
    nodes = re.findall(r'^ *n[\d_]+(?:\(\[|\[|\(\()""', bare, re.MULTILINE)
    return len(nodes), len(re.findall(r"-->|==>", bare)), bare.count("subgraph")


@cache
def ordinary() -> tuple[tuple[int, int, int], tuple[int, int, int], int]:
    at = hostile("word")
    return dot_shape(dot(at)), mermaid_shape(mermaid(at)), len(dot(at).splitlines())


def check(words: str) -> None:
    at = hostile(words)
    picture = svg([at])
    assert set(shapes(picture)) <= {"svg", "title", "rect", "circle", "path", "polygon", "text"}
    assert Counter({**shapes(picture), "text": 0, "title": 0}) == Counter(
        {**shapes(svg([hostile("word")])), "text": 0, "title": 0}
    )
    assert printable(words, 60) in {
        text or "" for element in ElementTree.fromstring(picture).iter() for text in [element.text]
    }
    for source in (picture, dot(at), mermaid(at), drawn(as_shown(words))):
        assert unprintable(source) == ""
        assert source.encode("utf-8")
    assert (
        forged(picture) == forged(dot(at)) == forged(mermaid(at)) == []
    )  # in text, words are wrapped, and any may begin a line
    nodes, boxes, lines = ordinary()
    assert dot_shape(dot(at)) == nodes
    assert mermaid_shape(mermaid(at)) == boxes
    assert len(dot(at).splitlines()) == lines
    assert all(len(line) <= 60 for line in drawn(as_shown(words), width=60).splitlines())


@pytest.mark.parametrize("words", TEXTS, ids=range(len(TEXTS)))
def test_a_picture_has_the_same_shapes_whatever_is_said(words: str) -> None:
    check(words)


def test_any_text() -> None:
    settings(max_examples=60, deadline=None, derandomize=True)(given(ANY)(check))()


def test_a_png_is_no_formula() -> None:
    for words in (TEXT, "$x", "$\\frac$", "\\$"):
        assert png([as_shown(words)]).startswith(b"\x89PNG")


def test_tables_to_paste_have_the_same_rows() -> None:
    for words in TEXTS:
        table = TextTable(words, ("unit", ">n"), ((words, "1"), ("plain", words)), frozenset({0}), (words, "a note"))
        markdown, latex = as_markdown(table), as_latex(table)
        assert (unprintable(markdown), unprintable(latex)) == ("", "")
        assert len(markdown.splitlines()) == 1 + 1 + 4 + 1 + 2
        assert [len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in markdown.splitlines()[2:6]] == [3, 3, 3, 3]
        assert len(latex.splitlines()) == 6 + 2 + 3 + 2 + 3
