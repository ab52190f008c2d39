"""Which path is the skip path, and into which paths the rest is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from report_sample import SHIPPED, nasty, shipped

from resbench.drawing.annotated import ShownGraph
from resbench.drawing.layout.columns import reads_of, tracks_of


def names(graph: ShownGraph, track: tuple[int, ...]) -> str:
    """The ops of a track, without x and y."""
    return " ".join(graph.ops[i - 1].path for i in track if 0 < i <= len(graph.ops))


@pytest.mark.parametrize(
    ("unit", "place", "path"),
    [
        ("original", "inner", "y.add1 y.relu1"),
        ("original", "transition", "h.shortcut1.y.subsample1 h.shortcut1.y.pad_channels1 y.add1 y.relu1"),
        ("full_preactivation", "inner", "y.add1"),
        ("full_preactivation", "first", "a.bn1 a.relu1 y.add1"),
        ("conv1x1_shortcut", "inner", "h.conv1 h.bn1 y.add1 y.relu1"),
        ("exclusive_gating", "inner", "h.multiply1 y.add1 y.relu1"),
        (
            "exclusive_gating_bottleneck",
            "transition",
            "s.shortcut1.y.conv1 s.shortcut1.y.bn1 h.multiply1 y.add1 y.relu1",
        ),
        ("dropout_shortcut", "inner", "h.dropout1 y.add1 y.relu1"),
        ("plain", "inner", "f.conv1 f.bn1 f.relu1 f.conv2 f.bn2 y.relu1"),
    ],
)
def test_the_skip_path(unit: str, place: str, path: str) -> None:
    graph = next(view.graph for view in shipped(unit) if view.place == place)
    track = tracks_of(graph)[0]
    assert names(graph, track) == path
    assert (track[0], track[-1]) == (0, len(graph.ops) + 1)


def test_what_is_left_is_cut_cheapest_first() -> None:
    graph = next(view.graph for view in shipped("exclusive_gating") if view.place == "inner")
    assert [names(graph, track) for track in tracks_of(graph)][1:] == [  # though f is written first
        "g.conv1 g.sigmoid1 c.one_minus1",
        "f.conv1 f.bn1 f.relu1 f.conv2 f.bn2 gf.multiply1",
    ]
    graph = nasty("shared_gate").graph
    assert [names(graph, track) for track in tracks_of(graph)] == [
        "h.multiply1 y.add1",
        "g.conv1 g.sigmoid1",
        "f.conv1 f.bn1 f.relu1 f.conv2 gf.multiply1",
    ]
    graph = nasty("excited").graph
    assert names(graph, tracks_of(graph)[1]) == "f.conv1 f.bn1 f.relu1 f.conv2 f.bn2 m.multiply1"


@pytest.mark.parametrize("unit", SHIPPED)
def test_every_item_is_in_one_track_behind_what_it_reads(unit: str) -> None:
    for view in shipped(unit):
        tracks, reads = tracks_of(view.graph), reads_of(view.graph)
        assert sorted(item for track in tracks for item in track) == list(range(len(reads)))
        for track in tracks:
            assert all(above in reads[item] for above, item in pairwise(track))
