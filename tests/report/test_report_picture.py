"""`resbench.draw`, notebooks and files."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
from report_sample import nasty

import resbench
from resbench.drawing.picture import Picture
from resbench.drawing.picture_format import FORMATS, asked_format
from resbench.errors import BadInput

PICTURE = Picture((nasty("shared_gate"),))


def test_importing_resbench_imports_no_torch() -> None:
    probe = "import sys, resbench; dir(resbench); assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules"
    probe += "; resbench.draw('plain').svg; assert 'torch' in sys.modules and 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", probe], check=True, timeout=600)


def test_a_door_that_is_not_there() -> None:
    assert "draw" in dir(resbench)
    with pytest.raises(AttributeError, match="module `resbench` has no attribute `drawn`"):
        _ = resbench.drawn


def test_draw_takes_the_words_of_the_command_line() -> None:
    picture = resbench.draw("exclusive_gating", "width=8", "gate_bias=-3", place="transition")
    assert "conv1x1 8→16 /2 bias -3" in picture.text
    assert "transition place in resnet_cifar (stages.1.units.0)" in picture.text
    assert len(resbench.draw("plain", place="all").views) == 3
    with pytest.raises(BadInput, match=re.escape("place: expected first, inner, transition, all, got `inside`")):
        resbench.draw("plain", place="inside")
    with pytest.raises(
        BadInput, match=re.escape("dense has no inner place in densenet; its places there: first, transition")
    ):
        resbench.draw("dense", "network=densenet", place="inner")
    assert resbench.draw("dense", "network=densenet").views[0].place == "first"


def test_notebooks_show_it_and_nobody_changes_it() -> None:
    assert PICTURE._repr_svg_() == PICTURE.svg
    assert str(PICTURE) == PICTURE.text
    with pytest.raises(dataclasses.FrozenInstanceError):
        PICTURE.views = ()  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.svg", b"<svg "), ("a.PNG", b"\x89PNG"), ("a.txt", b"shared_gate\n"), ("a.mmd", b"%% shared"),
        ("a.mermaid", b"%% shared"), ("a.dot", b"digraph "), ("a.gv", b"digraph "),
    ],
)  # fmt: skip
def test_save_by_the_ending(name: str, start: bytes, tmp_path: Path) -> None:
    PICTURE.save(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(BadInput, match="exists already and was left as it is"):
        PICTURE.save(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"mine"
    PICTURE.save(tmp_path / name, force=True)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_endings_that_say_no_format(tmp_path: Path) -> None:
    endings = "endings: .txt, .svg, .png, .mmd, .mermaid, .dot, .gv"
    with pytest.raises(
        BadInput, match=re.escape(f"a.jpg: the ending tells the format, and `.jpg` says none; {endings}")
    ):
        PICTURE.save("a.jpg")
    with pytest.raises(BadInput, match=re.escape(f"unit: the ending tells the format, and it has none; {endings}")):
        PICTURE.save("unit")
    with pytest.raises(BadInput, match=r"did you mean `\.svg`"):
        PICTURE.save("a.svgz")


def test_the_format_asked_for() -> None:
    assert asked_format(None, None) == "text"
    assert asked_format(None, Path("x.png")) == "png"
    assert asked_format("dot", Path("x")) == "dot"
    assert [asked_format(how, Path(f"x.{how}")) for how in FORMATS if how in ("svg", "png", "mermaid", "dot")]
    for given, out, said in (
        ("jpeg", None, "format `jpeg`: choose from text, svg, png, mermaid, dot"),
        ("sgv", None, "did you mean `svg`?"),
        ("png", None, "a PNG cannot be shown in the terminal: name a file with -o"),
        ("png", Path("x.svg"), "x.svg: its ending says svg, --format says png"),
    ):
        with pytest.raises(BadInput, match=re.escape(said)):
            asked_format(given, out)
