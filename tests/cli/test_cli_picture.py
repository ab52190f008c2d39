"""`unit show`: in the terminal, as a file, as JSON, and what it says of wrong words."""

from __future__ import annotations

import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from xml.etree import ElementTree

import pytest
from command_line import Rb

from resbench.api.architecture.draw import draw
from resbench.cli.architecture.picture import print_picture
from resbench.drawing.picture_format import Format

UNIT = """\
unit: mine
doc: Half of it, <script>alert(1)</script>
params: {rate: 0.5}
nodes:
  f: {from: x, ops: [conv3x3: {stride: $stride}, bn, drop_branch: {rate: $rate, ops: [relu, conv3x3]}]}
  h: {from: x, ops: [shortcut]}
  y: {from: [h, f], ops: [subtract]}
"""


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever terminal the tests run in."""
    monkeypatch.setenv("COLUMNS", "120")


def test_the_inner_place_in_the_terminal(rb: Rb) -> None:
    said = rb("unit", "show", "full_preactivation")
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "full_preactivation"
    assert lines[2] == (
        "inner place in resnet_cifar (stages.0.units.1): 16×32×32 → 16×32×32, 4.67k params · 4.72M MACs"
    )
    assert "│ ●  conv3x3 16→16  f     16×32×32    2.3k  2.36M" in lines
    assert lines[-1] == "y    result               16×32×32"


def test_places_and_words_are_those_of_check(rb: Rb) -> None:
    said = rb("unit", "show", "exclusive_gating", "width=8", "gate_bias=-3", "--place", "all")
    assert [line.split()[0] for line in said.out.splitlines() if " place in " in line] == [
        "first",
        "inner",
        "transition",
    ]
    assert "conv1x1 8→16 /2 bias -3" in said.out
    checked = rb("unit", "check", "exclusive_gating", "width=8", "gate_bias=-3", "--json").json["places"]
    shown = rb("unit", "show", "exclusive_gating", "width=8", "gate_bias=-3", "--place", "all", "--json").json
    for a, b in zip(checked, shown, strict=True):
        assert (a["place"], a["params"], a["macs"]) == (b["place"], b["params"], b["macs"])


def test_json_of_every_op(rb: Rb, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(UNIT, "utf-8")
    (place,) = rb("unit", "show", "mine.yaml", "--place", "transition", "--json").json
    assert (place["unit"], place["network"], place["path"]) == ("mine", "resnet_cifar", "stages.1.units.0")
    assert (place["input"], place["output"]) == ([16, 32, 32], [32, 16, 16])
    conv = place["ops"][0]
    assert conv == {
        "path": "f.conv1", "op": "conv", "label": "conv3x3 16→32 /2", "inputs": ["x"], "shape": [32, 16, 16],
        "params": 4608, "macs": 1179648,
    }  # fmt: skip
    assert place["params"] == sum(op["params"] for op in place["ops"])
    held = place["ops"][2]
    assert (held["op"], held["params"]) == ("drop_branch", 9216)
    assert [op["path"] for op in held["inner"]["ops"]["ops"]] == ["relu1", "conv1"]
    last = place["ops"][-1]
    assert (last["path"], last["inputs"]) == ("y.subtract1", ["h.shortcut1.y.pad_channels1", "f.drop_branch1"])
    assert place["result"] == "y.subtract1"


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (("--format", "svg"), "<svg "), (("--format", "mermaid"), "%% original\n"), (("--format", "dot"), "digraph "),
        (("--format", "text"), "original\n"),
    ],
)  # fmt: skip
def test_texts_go_to_stdout(words: tuple[str, ...], start: str, rb: Rb) -> None:
    said = rb("unit", "show", "original", *words)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(start)


def test_a_file_in_the_format_of_its_ending(rb: Rb, tmp_path: Path) -> None:
    for name, start in (("a.svg", b"<svg "), ("a.png", b"\x89PNG"), ("a.mmd", b"%% "), ("a.txt", b"original\n")):
        said = rb("unit", "show", "original", "-o", name, "--place", "all")
        assert (said.status, said.out, said.err) == (0, "", "")
        assert (tmp_path / name).read_bytes().startswith(start)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mmd", "a.png", "a.svg", "a.txt"]


def test_a_doc_is_never_markup(rb: Rb, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(UNIT, "utf-8")
    assert rb("unit", "show", "mine.yaml", "-o", "a.svg").status == 0
    picture = (tmp_path / "a.svg").read_text("utf-8")
    assert "<script" not in picture
    assert "<script>alert(1)</script>" in "".join(ElementTree.fromstring(picture).itertext())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--format", "png"), "a PNG cannot be shown in the terminal: name a file with -o"),
        (("--format", "pgn"), "format `pgn`: choose from text, svg, png, mermaid, dot; did you mean `png`?"),
        (("-o", "a.jpg"), "a.jpg: the ending tells the format, and `.jpg` says none"),
        (("-o", "a.svg", "--format", "dot"), "a.svg: its ending says svg, --format says dot"),
        (("-o", "gone/a.svg"), "gone/a.svg: there is no folder gone"),
        (("--place", "iner"), "place: expected first, inner, transition, all, got `iner`; did you mean `inner`?"),
        (("--json", "-o", "a.json"), "the ending tells the format"),
        (("--json", "-o", "a.svg"), "--json prints to stdout: leave out --format and -o"),
        (("change=paint",), "paint"),
    ],
)
def test_wrong_words(words: tuple[str, ...], message: str, rb: Rb, tmp_path: Path) -> None:
    said = rb("unit", "show", "original", *words)
    assert (said.status, said.out) == (2, "")
    assert message in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_is_told_as_check_tells_it(rb: Rb, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(UNIT.replace("relu, conv3x3", "rleu"), "utf-8")
    shown, checked = rb("unit", "show", "mine.yaml"), rb("unit", "check", "mine.yaml")
    assert (shown.status, shown.err) == (2, checked.err)
    assert "did you mean `relu`" in shown.err


def printed(how: Format, encoding: str, monkeypatch: pytest.MonkeyPatch, columns: int = 100) -> str:
    """On a terminal of that encoding and width."""
    out = TextIOWrapper(BytesIO(), encoding=encoding)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys, "stdout", out)
    print_picture(draw("full_preactivation"), how)
    out.flush()
    assert isinstance(out.buffer, BytesIO)
    return out.buffer.getvalue().decode("utf-8")


def test_a_terminal_without_such_characters_and_a_narrow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = printed("text", "ascii", monkeypatch)
    assert plain.isascii()
    assert "|-." in plain
    assert "?" not in plain
    narrow = printed("text", "utf-8", monkeypatch, 46).splitlines()
    assert max(map(len, narrow)) <= 46
    assert "├─╮" in narrow
    assert "16×32×32" in printed("svg", "ascii", monkeypatch)  # the bytes of a file, whatever the terminal's are
    assert printed("dot", "utf-8", monkeypatch) == printed("dot", "latin-1", monkeypatch)
