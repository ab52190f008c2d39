"""AnnotatedView -> DOT for Graphviz and compatible tools. The skip path is thick and, where they can, straight."""

from __future__ import annotations

from collections.abc import Iterator

from resbench import escape
from resbench.drawing.annotated import AnnotatedView
from resbench.drawing.layout.outline import Outline, OutlineNode, outline
from resbench.drawing.scene import COLOURS, SKIP

_FORMS = {"end": "box", "box": "box", "sign": "circle", "point": "point"}
_SKIP = f' [penwidth=2.2, weight=20, color="{SKIP}"]'


def dot(view: AnnotatedView) -> str:
    head = [
        f"digraph {_quoted(view.name)} {{",
        f"  graph [rankdir=TB, labelloc=t, labeljust=l, fontname=Helvetica, label={_quoted(chr(10).join(view.title))}]",
        '  node [fontname=Helvetica, fontsize=11, style="filled,rounded", margin="0.12,0.05"]',
        "  edge [arrowsize=0.7]",
    ]
    return "".join(f"{line}\n" for line in [*head, *_part(outline(view.graph), "  "), "}"])


def _part(part: Outline, indent: str) -> Iterator[str]:
    for node in part.knots:
        yield f"{indent}{_node(node)}"
    for node, inner in part.parts:
        colours = COLOURS[node.kind]
        yield f"{indent}subgraph cluster_{inner.first} {{"
        look = f'style="filled,rounded", fillcolor="{colours.fill}", color="{colours.stroke}"'
        yield f"{indent}  graph [label={_label(node)}, {look}]"
        yield from _part(inner, f"{indent}  ")
        yield f"{indent}}}"
    for link in part.links:
        yield f"{indent}{link.source} -> {link.target}{_SKIP if link.skip else ''}"


def _node(node: OutlineNode) -> str:
    if node.form == "point":
        return f"{node.name} [shape=point]"
    colours = COLOURS[node.kind]
    look = f'shape={_FORMS[node.form]}, fillcolor="{colours.fill}", color="{colours.stroke}"'
    if node.form == "sign":  # lines in the middle
        words = "\\n".join(escape.dot(line) for line in node.lines)
        return f'{node.name} [{look}, label="{words}", fontsize=9, margin="0.02"]'
    return f"{node.name} [{look}, label={_label(node)}]"


def _label(node: OutlineNode) -> str:
    return _quoted("\n".join(node.lines))


def _quoted(text: str) -> str:
    """Return a string of DOT: lines end to the left."""
    first, *more = map(escape.dot, text.split("\n"))
    return f'"{first}"' if not more else '"' + "".join(f"{line}\\l" for line in (first, *more)) + '"'
