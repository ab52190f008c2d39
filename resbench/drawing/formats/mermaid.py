"""AnnotatedView -> a Mermaid flowchart, which README files and wikis show as a picture. The skip path is thick."""

from __future__ import annotations

from collections.abc import Iterator

from resbench import escape
from resbench.drawing.annotated import AnnotatedView
from resbench.drawing.layout.outline import Outline, OutlineNode, outline
from resbench.drawing.scene import COLOURS, INK

_BRACKETS = {"end": ('(["', '"])'), "box": ('["', '"]'), "sign": ('(("', '"))'), "point": ('(("', '"))')}


def mermaid(view: AnnotatedView) -> str:
    whole = outline(view.graph)
    lines = [*(f"%% {escape.mermaid(line)}" for line in view.title), "flowchart TD", *_part(whole, "  ")]
    for kind, colours in COLOURS.items():
        if any(line.endswith(f":::{kind}") for line in lines):
            lines.append(f"  classDef {kind} fill:{colours.fill},stroke:{colours.stroke},color:{INK}")
    return "".join(f"{line}\n" for line in lines)


def _part(part: Outline, indent: str) -> Iterator[str]:
    for node in part.knots:
        yield f"{indent}{_node(node)}"
    for node, inner in part.parts:
        yield f'{indent}subgraph {inner.first}_held["{escape.mermaid(node.lines[0])}"]'  # there is room for one line
        yield from _part(inner, f"{indent}  ")
        yield f"{indent}end"
    for link in part.links:
        yield f"{indent}{link.source} {'==>' if link.skip else '-->'} {link.target}"


def _node(node: OutlineNode) -> str:
    left, right = _BRACKETS[node.form]
    return f"{node.name}{left}{_words(node) or ' '}{right}:::{node.kind}"


def _words(node: OutlineNode) -> str:
    return "<br>".join(escape.mermaid(line) for line in node.lines)
