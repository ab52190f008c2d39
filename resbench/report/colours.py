"""The sort of an op -> its colours. All pictures are a light card with dark words, which can be read on any page.

Fill and border of each pair differ in lightness too, so that they can be told apart without colour.
"""

from __future__ import annotations

from dataclasses import dataclass

from resbench.report.kind import Kind

PAPER, CARD_EDGE = "#ffffff", "#d0d7de"
INK, MUTED = "#1f2328", "#57606a"
FRAME, FRAME_EDGE = "#f6f8fa", "#dde3e9"
SKIP, EDGE = "#1f2328", "#6e7781"


@dataclass(frozen=True, slots=True)
class Colours:
    """`name`: what a legend calls the sort."""

    fill: str
    stroke: str
    name: str


COLOURS: dict[Kind, Colours] = {
    "weights": Colours("#dbeafe", "#2563eb", "convolution, linear"),
    "norm": Colours("#dcfce7", "#15803d", "normalisation"),
    "activation": Colours("#ffedd5", "#c2410c", "activation"),
    "gate": Colours("#fce7f3", "#be185d", "gate, scale, bias"),
    "random": Colours("#ede9fe", "#6d28d9", "random"),
    "moving": Colours("#eef2f6", "#57606a", "pool, pad, slice"),
    "merge": Colours("#ffffff", "#1f2328", "+ add  × multiply  ‖ concat  − subtract"),
    "other": Colours("#ffffff", "#57606a", "other op"),
}
