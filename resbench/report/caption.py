"""View -> the words above its picture; nothing in them can move a cursor."""

from __future__ import annotations

from resbench.report.shown import View
from resbench.report.words import cost, times
from resbench.spec.names import printable


def title(view: View) -> list[str]:
    """The unit, what it is, where it stands and what it costs there."""
    return [line for line in (name(view), doc(view), f"{where(view)}: {', '.join(about(view))}") if line]


def name(view: View) -> str:
    return printable(view.unit)


def doc(view: View) -> str:
    return printable(" ".join(view.doc.split()), 400)


def where(view: View) -> str:
    return f"{printable(view.place)} place in {printable(view.network)} ({printable(view.path)})"


def about(view: View) -> list[str]:
    """Shapes in and out, and the whole cost."""
    graph = view.graph
    price = cost(graph.params, graph.macs)
    return [f"{times(graph.input_shape)} → {times(graph.output_shape)}", *([price] if price else [])]
