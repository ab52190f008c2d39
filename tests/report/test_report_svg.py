"""SVG: whole XML that needs nothing, with every op's words in it and nobody's markup."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from report_sample import NASTY, SHIPPED, graph_of, nasty, node, shipped, view

from resbench.drawing.annotated import AnnotatedView
from resbench.drawing.formats.svg import render, svg

NAME = "{http://www.w3.org/2000/svg}"


def words(picture: str) -> list[str]:
    """What stands in it, tooltips left out."""
    return ["".join(text.itertext()) for text in ElementTree.fromstring(picture).iter(f"{NAME}text")]


@pytest.mark.parametrize("unit", SHIPPED)
def test_every_op_is_there_with_what_it_costs(unit: str) -> None:
    views = shipped(unit)
    said = words(svg(views))
    for at in views:
        for op in at.graph.ops:
            assert (op.sign or op.label) in said or any(text.endswith("…") for text in said)
            assert "×".join(map(str, op.shape)) in said
        assert any(f"{at.place} place in {at.network}" in text for text in said)


@pytest.mark.parametrize("unit", ["original", "exclusive_gating", "convnext"])
def test_it_needs_nothing_and_names_nothing(unit: str) -> None:
    picture = svg(shipped(unit))
    tags = {element.tag.removeprefix(NAME) for element in ElementTree.fromstring(picture).iter()}
    assert tags <= {"svg", "title", "rect", "circle", "path", "polygon", "text"}
    for attribute in (" id=", "class=", "style=", "href", "url(", "onload"):
        assert attribute not in picture


def test_the_numbers() -> None:
    (inner,) = (at for at in shipped("full_preactivation") if at.place == "inner")
    said = words(svg([inner]))
    assert said[0] == "full_preactivation"
    assert "16×32×32 → 16×32×32" in said
    assert "4.67k params · 4.72M MACs" in said
    assert said.count("2.3k params · 2.36M MACs") == 2
    assert said.count("32 params") == 2
    assert " ".join(said).endswith("MACs are for one image. The thick line is the skip path.")
    assert "The thick line" not in " ".join(words(svg(shipped("plain"))))  # it has none


def evil() -> AnnotatedView:
    graph = graph_of({"y": node("x", "relu")})
    name = "<script>alert('x')</script>&amp;\"]]>"
    return view(graph, unit=name, doc=f"{name} \x00\x1b\ud800", place=name)


def test_markup_in_names_is_shown_not_obeyed() -> None:
    picture = svg([evil()])
    assert "<script" not in picture
    assert picture.encode("utf-8")
    said = words(picture)
    assert said[0] == "<script>alert('x')</script>&amp;\"]]>"
    assert "\\x00\\x1b\\ud800" in said[1] + said[2]


def test_the_thick_line_is_the_skip_path() -> None:
    root = ElementTree.fromstring(svg([nasty("shared_gate")]))
    thick = [path.get("d", "") for path in root.iter(f"{NAME}path") if path.get("stroke-width") == "2.2"]
    assert len(thick) == 3
    assert len({path.split("L")[0].split()[0] for path in thick}) == 1  # one x for all
    assert all("Q" not in path for path in thick)


def test_all_pictures_can_be_read() -> None:
    for name in NASTY:
        root = ElementTree.fromstring(svg([nasty(name)]))
        assert float(root.get("width", "0")) > 100
        assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"


def test_the_scene_alone_decides() -> None:
    from resbench.drawing.layout.card import card

    assert render(card([nasty("cell")])) == svg([nasty("cell")])
