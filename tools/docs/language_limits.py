"""The limits of a file -> a table in Markdown."""

from __future__ import annotations

from resbench.compiler.binding import bind, shapes
from resbench.compiler.binding import network as architecture
from resbench.compiler.modules import network
from resbench.language import names
from resbench.language.expressions import grammar
from resbench.language.graph import body, unit
from resbench.language.graph import op_list as oplist
from resbench.language.graph.network import MAX_STAGES
from resbench.language.library import library
from resbench.language.study import study
from resbench.language.yaml import reader as builder
from resbench.language.yaml import reader as source
from tools.docs.language_values import markdown_table


def limits() -> str:
    rows = (
        ("bytes of a file", source.MAX_BYTES),
        ("values in a file, aliases counted wherever they are used", builder.MAX_NODES),
        ("mappings and lists inside each other", builder.MAX_DEPTH),
        ("characters of a name", names.MAX_LENGTH),
        ("characters of an expression", grammar.MAX_TEXT),
        ("files that extend each other, blocks inside blocks", library.MAX_CHAIN),
        ("params of a file", body.MAX_PARAMS),
        ("nodes of a unit or block", body.MAX_NODES),
        ("sources of a block", unit.MAX_INPUTS),
        ("ops in one list", oplist.MAX_OPS),
        ("times of a `repeat`", bind.MAX_REPEAT),
        ("ops of one unit at one place", bind.MAX_STEPS),
        ("channels", shapes.MAX_CHANNELS),
        ("stages of a network", MAX_STAGES),
        ("units of a network", architecture.MAX_UNITS),
        ("ops of a network", architecture.MAX_OPS),
        ("parameters of a network", network.MAX_PARAMS),
        ("seeds of a study", study.MAX_SEEDS),
    )
    return markdown_table(("at most", ""), [(what, f"{most:,}") for what, most in rows])
