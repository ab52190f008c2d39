"""Facts of geometry, held for every unit of the library at every place, for nasty units and for random graphs."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from report_geometry import crossings, faults
from report_sample import NASTY, SHIPPED, graph_of, nasty, node, shipped, view

from resbench.drawing.annotated import ShownGraph, ShownOp, show_graph
from resbench.drawing.format import text_width
from resbench.drawing.layout.boxes import TWO_LINES
from resbench.drawing.layout.card import card
from resbench.drawing.layout.layout import GAP, Layout, lay_out
from resbench.drawing.scene import TextRun


@pytest.mark.parametrize("unit", SHIPPED)
def test_every_shipped_unit(unit: str) -> None:
    for at in shipped(unit):
        assert faults(lay_out(at.graph)) == [], at.place


@pytest.mark.parametrize("name", sorted(NASTY))
def test_nasty_units(name: str) -> None:
    assert faults(lay_out(nasty(name).graph)) == []


def test_few_edges_cross() -> None:
    """As many as there are today; one in rir and three in `crossed` is what their graphs ask for."""
    most = {"rir": 1, "crossed": 3, "three_gates": 1, "dense": 10}
    for at in [at for unit in SHIPPED for at in shipped(unit)] + [nasty(name) for name in NASTY]:
        assert crossings(lay_out(at.graph)) <= most.get(at.unit, 0), at.unit


def random_graph(seed: int) -> ShownGraph:
    """Up to 16 ops, a third of which read several values, the same one perhaps twice; some are read by nothing."""
    draw = random.Random(seed)
    ops = []
    for i in range(draw.randint(1, 16)):
        several = draw.random() < 0.4
        inputs = [draw.randint(max(0, i - draw.randint(0, 6)), i) for _ in range(draw.randint(2, 4) if several else 1)]
        sign = draw.choice("+×‖") if several and draw.random() < 0.8 else ""
        shape, label = (16, 8, 8)[: draw.choice((1, 3))], "conv3x3 16→32 groups 4"[: draw.randint(2, 22)]
        costs = draw.choice((0, 32, 2304)), draw.choice((0, 10**6))
        ops.append(ShownOp(f"{draw.choice('abc')}.op{i}", "op", label, "", "other", sign, tuple(inputs), shape, *costs))
    return ShownGraph((16, 8, 8), tuple(ops), len(ops))


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_random_graphs(start: int) -> None:
    for seed in range(start, start + 50):
        assert faults(lay_out(random_graph(seed))) == [], seed


def test_ops_of_a_node_stand_close_beside_a_high_one() -> None:
    """What an op holds makes its row high; the node beside it goes on at its own pace, unless an edge is in between."""
    high = {"drop_branch": {"rate": 0.5, "ops": ["conv3x3", "bn", "relu"]}}
    h = node("x", {"slice": {"stop": 2}}, {"pad_channels": {"out": 4}})
    layout = lay_out(show_graph(graph_of({"h": h, "f": node("x", high), "y": node("h f", "add")})))
    _, cut, padded, dropped, *_ = layout.items
    assert padded.top - cut.bottom == GAP
    assert dropped.axis > padded.axis
    assert padded.bottom < dropped.bottom - 50
    assert dropped.top < cut.top  # beside its words, not beside what it holds
    assert cut.bottom < dropped.top + TWO_LINES


def broken(layout: Layout, **changes: object) -> list[str]:
    return [words.split(":")[0] for words in faults(replace(layout, **changes))]


def test_the_checks_can_fail() -> None:
    """One thing moved at a time."""
    graph = show_graph(graph_of({"f": node("x", "conv3x3", "bn"), "y": node("x f", "add")}))
    layout = lay_out(graph)
    assert faults(layout) == []
    x, conv, *rest = layout.items
    beside = replace(conv, left=x.left + 5, top=x.top + 5)
    assert "items 0 and 1 overlap" in broken(layout, items=(x, beside, *rest))
    below = replace(conv, left=layout.axis - 20, top=conv.top + 30)
    assert "edge 0 -> 3 runs through item 1" in broken(layout, items=(x, below, *rest))
    thin = replace(conv, box=replace(conv.box, width=60.0))
    assert "the words of item 1 do not fit" in broken(layout, items=(x, thin, *rest))
    aside = replace(rest[1], left=rest[1].left + 3)
    assert "item 3 of the skip path is not on its line" in broken(layout, items=(x, conv, rest[0], aside, rest[2]))
    same = tuple(replace(edge, source=7 + i, target=9 + i, points=((5.0, 0.0), (5.0, 9.0))) for i, edge in
                 enumerate(layout.edges[:2]))  # fmt: skip
    items = layout.items * 3
    assert any("share a line" in words for words in broken(layout, edges=same, items=items, skip=()))
    assert "the skip path is not straight from 0 to 3" in broken(layout, edges=layout.edges[:1])


def test_places_side_by_side_do_not_meet_and_all_words_are_on_the_card() -> None:
    for views in (shipped("exclusive_gating"), (nasty("mixed"),), (nasty("nothing"),)):
        scene = card(views)
        for shape in scene.shapes:
            if isinstance(shape, TextRun):
                width = text_width(shape.text, shape.size) * (1.1 if shape.bold else 1)
                left = shape.x - {"start": 0, "middle": width / 2, "end": width}[shape.anchor]
                assert left >= 0
                assert left + width <= scene.width, shape.text
                assert shape.y <= scene.height
    one, three = card(shipped("exclusive_gating")[:1]), card(shipped("exclusive_gating"))
    assert three.width > 2 * one.width


def test_a_long_doc_is_wrapped() -> None:
    graph = nasty("shared_gate").graph
    short, long = (card([view(graph, doc=doc)]) for doc in ("Short.", "many words " * 30))
    assert long.width == short.width
    assert long.height > short.height + 60
