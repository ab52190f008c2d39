"""PNG: the same card, twice as many pixels; too large a one is refused."""

from __future__ import annotations

import re
import struct

import pytest
from report_sample import nasty

from resbench.drawing.formats.png import png, render
from resbench.drawing.layout.card import card
from resbench.drawing.scene import Rect, Scene, TextRun
from resbench.errors import BadInput


def size(data: bytes) -> tuple[int, int]:
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    return width, height


@pytest.mark.parametrize("name", ["dropped", "crossed", "nothing"])
def test_it_is_the_card(name: str) -> None:
    scene = card([nasty(name)])
    width, height = size(png([nasty(name)]))
    assert abs(width - 2 * scene.width) <= 2
    assert abs(height - 2 * scene.height) <= 2


def test_it_is_the_same_every_time_and_signs_of_mathematics_are_words() -> None:
    scene = Scene(
        200, 60, "t", (Rect(0, 0, 200, 60, 5, "#ffffff", "#000000"), TextRun(5, 30, "$x^2$ \\frac", 12, "#000000"))
    )
    assert render(scene) == render(scene)


def test_a_large_one_has_fewer_pixels_an_inch_and_a_huge_one_is_refused() -> None:
    width, height = size(render(Scene(100, 20_000, "t", ())))
    assert height <= 32_000
    assert abs(width / height - 100 / 20_000) < 0.001
    with pytest.raises(
        BadInput, match=re.escape("a PNG of 100 x 90000 pixels is too large to be drawn; svg has no such limit")
    ):
        render(Scene(100, 90_000, "t", ()))
