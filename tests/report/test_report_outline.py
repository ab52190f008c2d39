"""Mermaid and DOT: every op and edge once, the skip path thick, nobody's markup."""

from __future__ import annotations

import re

import pytest
from report_sample import NASTY, SHIPPED, graph_of, nasty, node, shipped, view

from resbench.drawing.annotated import AnnotatedView, ShownGraph
from resbench.drawing.formats.dot import dot
from resbench.drawing.formats.mermaid import mermaid

ALL = [*SHIPPED, *sorted(NASTY)]


def last_view(name: str) -> AnnotatedView:
    return nasty(name) if name in NASTY else shipped(name)[-1]


def count_edges(graph: ShownGraph) -> int:
    inner = sum(count_edges(held) for op in graph.ops for _, held in op.inner)
    return inner + 1 + sum(len(op.inputs) for op in graph.ops)


def count_ends(graph: ShownGraph) -> int:
    """x, y and every op; one that holds ops has the two ends of those instead."""
    return 2 + sum(sum(count_ends(held) for _, held in op.inner) or 1 for op in graph.ops)


@pytest.mark.parametrize("name", ALL)
def test_every_op_and_every_edge(name: str) -> None:
    at = last_view(name)
    for text, knot, edge in (
        (mermaid(at), r"^ *(n[\d_]+)[\[(].*:::\w+$", r"^ *(n[\d_]+) (?:-->|==>) (n[\d_]+)$"),
        (dot(at), r"^ *(n[\d_]+) \[shape=.*\]$", r"^ *(n[\d_]+) -> (n[\d_]+)(?: \[.*\])?$"),
    ):
        knots = re.findall(knot, text, re.MULTILINE)
        edges = re.findall(edge, text, re.MULTILINE)
        assert len(knots) == len(set(knots)) == count_ends(at.graph)
        assert len(edges) == count_edges(at.graph)
        assert {end for pair in edges for end in pair} == set(knots)


def test_what_a_knot_says() -> None:
    at = next(at for at in shipped("full_preactivation") if at.place == "inner")
    assert '  n3["conv3x3 16→16<br>f.conv1<br>16×32×32<br>2.3k params · 2.36M MACs"]:::weights\n' in mermaid(at)
    assert "  n0 ==> n7\n" in mermaid(at)
    assert "  classDef weights fill:#dbeafe" in mermaid(at)
    assert "classDef gate" not in mermaid(at)  # none is there
    assert 'label="conv3x3 16→16\\lf.conv1\\l16×32×32\\l2.3k params · 2.36M MACs\\l"]\n' in dot(at)
    assert "  n0 -> n7 [penwidth=2.2, weight=20" in dot(at)


def test_ops_inside_of_an_op_stand_in_a_frame() -> None:
    at = nasty("dropped")
    assert '  subgraph n1_0_held["drop_branch 0.2 scale eval"]\n' in mermaid(at)
    assert "  n0 --> n1_0\n" in mermaid(at)
    assert "  n1_5 --> n2\n" in mermaid(at)
    assert "  subgraph cluster_n1_0 {\n" in dot(at)
    assert dot(at).count("{") == dot(at).count("}") == 3


def test_signs_of_the_languages_are_words() -> None:
    evil = '<script>alert(1)</script>"]; `x` \\ #quot; %% {init} & \u2028'
    at = view(graph_of({"y": node("x", "relu")}), unit=evil, doc=evil)
    for line in mermaid(at).splitlines()[:3]:
        assert line.startswith("%% ")
        assert not set('<>"[]`\\{}&') & set(line)
    assert "#60;script#62;" in mermaid(at)
    head = dot(at).splitlines()[0]
    assert head.startswith('digraph "<script>alert(1)</script>\\"]; `x` \\\\ #quot; %% {init} &amp; \\\\u2028" {')
    assert len(dot(at).splitlines()) == 1 + 3 + 3 + 2 + 1  # nothing broke a line
