"""The picture in a terminal: what it looks like, that it fits, and that it can do without box-drawing characters."""

from __future__ import annotations

import pytest
from report_sample import NASTY, SHIPPED, graph_of, nasty, node, shipped, view

from resbench.drawing.format import count
from resbench.drawing.formats.text import text


def drawn(words: str) -> list[str]:
    """Without the head."""
    return words.split("\n\n", 1)[1].splitlines()[1:]


def test_a_unit() -> None:
    (inner,) = (at for at in shipped("full_preactivation") if at.place == "inner")
    assert text(inner).splitlines() == [
        "full_preactivation",
        "Full pre-activation, Figure 4(e): x + F(x), F = BN ReLU conv BN ReLU conv",
        "inner place in resnet_cifar (stages.0.units.1): 16×32×32 → 16×32×32, 4.67k params · 4.72M MACs",
        "",
        "                    node  shape     params   MACs",
        "x    input                16×32×32",
        "├─╮",
        "│ ●  bn             a     16×32×32      32",
        "│ ●  relu           a     16×32×32",
        "│ ●  conv3x3 16→16  f     16×32×32    2.3k  2.36M",
        "│ ●  bn             f     16×32×32      32",
        "│ ●  relu           f     16×32×32",
        "│ ●  conv3x3 16→16  f     16×32×32    2.3k  2.36M",
        "+─╯  add            y     16×32×32",
        "y    result               16×32×32",
    ]


def test_lines_that_branch_join_and_cross() -> None:
    (transition,) = (at for at in shipped("exclusive_gating") if at.place == "transition")
    assert [line[:9].rstrip() for line in drawn(text(transition))] == [
        "x", "├─┬───╮", "│ │   ●", "│ │   ●", "│ │   ●", "│ │   ●", "│ │   ●", "│ ●   │", "│ ●   │", "│ ├─╮ │",
        "│ ● │ │", "● │ │ │", "● │ │ │", "×─╯ │ │", "│   ╰─×", "+─────╯", "●", "y",
    ]  # fmt: skip
    assert any(
        line.startswith("×─│───╯ ") for line in drawn(text(nasty("three_gates")))
    )  # where two cross, down is whole


def test_ops_inside_of_an_op() -> None:
    lines = drawn(text(nasty("dropped")))
    assert [line[: line.index("4×8×8")].rstrip() for line in lines[2:9]] == [
        "│ ●  drop_branch 0.2 scale eval  f",
        "│ │    ●  conv3x3 4→4",
        "│ │    ●  bn",
        "│ │    ●  drop_branch 0.1",
        "│ │    │    ●  relu",
        "│ │    │    ●  conv3x3 4→4",
        "│ │    ●  bn",
    ]


def test_ops_inside_that_branch() -> None:
    held = ["conv3x3", {"squeeze_excite": {}}]
    graph = graph_of({"f": node("x", {"drop_branch": {"rate": 0.5, "ops": held}}), "y": node("x f", "add")})
    lines = drawn(text(view(graph)))
    assert "│ │    ├─╮" in lines
    assert any(line.startswith("│ │    ×─╯  multiply ") for line in lines)


def test_what_order_counts_and_what_is_read_twice_is_told() -> None:
    assert "concat b0, b1, b2, b3, b4, p " in text(nasty("six_branches"))
    assert "concat p, q " in text(nasty("two_streams"))
    assert "subtract c, d " in text(nasty("crossed"))
    twice = text(nasty("twice"))
    assert "add f, f " in twice
    assert "multiply x, d, x " in twice
    assert "+───┴─╯  add               y " in twice  # an order that does not count is not told


@pytest.mark.parametrize("width", [60, 78, 120])
def test_it_fits_and_every_op_is_there(width: int) -> None:
    for at in [at for unit in SHIPPED for at in shipped(unit)] + [nasty(name) for name in NASTY]:
        lines = text(at, width=width).splitlines()
        assert max(map(len, lines)) <= width, at.unit
        words = "\n".join(lines)
        assert all(op.label[:8] in words for op in at.graph.ops), at.unit
        assert all(count(op.macs) in words for op in at.graph.ops if op.macs), at.unit
        if width == 120 and at.unit != "mixed":
            assert all(f" {op.node} " in words for op in at.graph.ops), at.unit


def test_head_lines_are_wrapped_not_cut() -> None:
    (inner, *_) = shipped("full_preactivation")
    lines = text(inner, width=40).split("\n\n")[0].splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(lines).endswith("4.67k params · 4.72M MACs")


def test_plain_ascii() -> None:
    for at in [at for unit in SHIPPED for at in shipped(unit)] + [nasty(name) for name in NASTY]:
        lines = text(at, width=60, ascii_only=True)
        assert lines.isascii()
        assert "?" not in lines.replace(at.doc, "")
        assert max(map(len, lines.splitlines())) <= 60
    (inner,) = (at for at in shipped("full_preactivation") if at.place == "inner")
    assert [line[:20].rstrip() for line in drawn(text(inner, ascii_only=True))][:3] == ["x    input", "|-.", "| o  bn"]
    assert "+-'  add" in text(inner, ascii_only=True)
    assert "conv3x3 16->16" in text(inner, ascii_only=True)


def test_names_move_no_cursor() -> None:
    said = text(view(nasty("nothing").graph, unit="a\x1b[2Jb", doc="c\x1b[31m\td", place="inner\r"))
    assert "\x1b" not in said
    assert "\r" not in said
    assert "a\\x1b[2Jb" in said
