"""BoundNetwork -> the text of one Python file with its network, or with its unit at one place; imports torch alone.

The names in its state_dict are those of the built network, and so are its outputs and gradients, bit for bit.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

from resbench import __version__
from resbench.compiler.export.python.ast_tools import call, constant, parse, replaced, tidied
from resbench.compiler.export.python.classes import Classes, camel
from resbench.compiler.export.python.comprehension import UnitCall, series
from resbench.compiler.export.python.copied_ops import CopiedOps
from resbench.compiler.export.python.draft import Draft, draft
from resbench.compiler.export.python.forward import CodeBlock, Writer
from resbench.compiler.export.python.source_text import class_text, file_text, network_text, stage_text, unit_text
from resbench.compiler.export.python.tree import tree
from resbench.compiler.export.python.unit_names import NamedUnit, name_units, place
from resbench.compiler.graph import BoundNetwork, Graph, sizes
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.identity.normal_form import normal
from resbench.compiler.modules.network import build

Describe = Callable[[str], str]  # the name of a unit or block -> its description and source, in a sentence


@dataclass(frozen=True, slots=True)
class FileHeader:
    """The description in a file's header. `command` wrote it; `network`: in a sentence; `params`: the given ones;
    `units`: the name of each stage's unit.
    """

    command: str
    network: str
    params: str
    units: tuple[str, ...]
    describe: Describe


@dataclass(frozen=True, slots=True)
class _Row:
    """A stem, head or `before`: its layers, the classes they use by placeholder, and initialization statements."""

    layers: ast.expr
    blocks: dict[str, Draft]
    starts: list[ast.expr]


class _File:
    """The parts of a network's file: drafts first, so that equal structures share a class."""

    def __init__(self, bound: BoundNetwork, about: FileHeader) -> None:
        self.about, self.bound = about, normal(bound)
        count = sum(parameter.numel() for parameter in build(bound).parameters())
        self.facts = f"{count:,} parameters, digest {canonical(bound).digest}."
        self.copies = CopiedOps()
        self.classes = Classes(self.copies)
        self.units = self._units()
        self.rows = {
            path: self._row(path, graph) for path, graph in self.bound.parts() if ".units." not in path and graph.ops
        }
        drafts = {id(unit.draft): unit.draft for unit in self.units}
        self.classes.add([*drafts.values(), *(one for row in self.rows.values() for one in row.blocks.values())])
        self.places = name_units(self.classes, self.units)

    def _units(self) -> list[NamedUnit]:
        """Return every unit, in running order; equal ones have one draft."""
        named = zip(self.about.units, self.bound.stages, strict=True)
        graphs = [(name, graph) for name, stage in named for graph in stage.units]
        drafts = {
            (name, graph): draft(CodeBlock(graph, tree(graph, block=True), name), self.copies)
            for name, graph in dict.fromkeys(graphs)
        }
        return [NamedUnit(n, g, drafts[n, g], place(i, len(graphs), g)) for i, (n, g) in enumerate(graphs)]

    def _row(self, path: str, graph: Graph) -> _Row:
        root = tree(graph, block=False)
        writer = Writer(graph, root, self.copies)
        if not writer.reading.is_row(root):
            one = draft(CodeBlock(graph, root, path.rpartition(".")[2]), self.copies)
            return _Row(ast.Name("own"), {"own": one}, [])
        writer.prefix = f"{path}."
        layers = writer.row(root.parts)
        written = {name: constant(value) for name, value in writer.layers.names.items()}
        starts = [replaced(parse(re.sub(r"\.(\d+)", r"[\1]", text)), written.get) for text in writer.layers.starts]
        blocks = {key: draft(block, self.copies) for key, block in writer.layers.blocks.items()}
        return _Row(tidied(replaced(layers, written.get), self.copies.defaults), blocks, starts)

    def _module(self, path: str) -> ast.expr:
        row = self.rows[path]
        return replaced(row.layers, {key: self.classes.call(one) for key, one in row.blocks.items()}.get)

    def _stages(self) -> ast.expr:
        left, stages = list(self.units), []
        for number, stage in enumerate(self.bound.stages):
            drafts, left = [unit.draft for unit in left[: len(stage.units)]], left[len(stage.units) :]
            row = series([UnitCall(self.classes.of(one), self.classes.arguments(one)) for one in drafts])
            before = f"stages.{number}.before"
            stages.append(call("Stage", row, {"before": self._module(before)} if before in self.rows else {}))
        return call("nn.Sequential", stages, {})

    def _class_texts(self) -> list[str]:
        return [
            class_text(
                one, ". ".join(text for text in (self.about.describe(one.title), self.places.get(one.name)) if text)
            )
            for one in self.classes.all
        ]

    def _written(self) -> str:
        return f"Written by resbench {__version__}, `{self.about.command}`."

    def network(self) -> str:
        parts = {"stem": self._module("stem")} if "stem" in self.rows else {}
        parts["stages"] = self._stages()
        parts |= {"head": self._module("head")} if "head" in self.rows else {}
        starts = [line for row in self.rows.values() for line in row.starts]
        says = f"{sizes(self.bound.input_shape)} -> {self.bound.classes} classes."
        name = camel(self.bound.name)
        name = name if self.classes.free(name) == name else self.classes.free(f"{name}Network")
        stage = stage_text(before=any(path.endswith(".before") for path in self.rows))
        body = [*self._class_texts(), stage, network_text(name, says, parts, starts)]
        units = f"Of unit {', '.join(dict.fromkeys(self.about.units))}; {self.about.params}. {self.facts}"
        notes = (
            f"{self._written()} Parameters have the names that they have there: `load_state_dict` takes what `--to safetensors` "
            "writes. New ones start as torch starts them, but for those that a constructor here sets."
        )
        return file_text([self.about.network, units, notes], self.copies, body)

    def unit(self, number: int) -> str:
        """Return the text for the unit of that number. Its class is made for that place alone, since no other place is known."""
        placed = self.units[number]
        name = self.classes.of(placed.draft).name
        self.classes = Classes(self.copies)
        self.classes.add([placed.draft])
        if self.classes.of(placed.draft).name != name:
            self.classes.rename(self.classes.of(placed.draft), name)
        one = self.classes.of(placed.draft)
        shapes = f"{sizes(placed.graph.input_shape)} -> {sizes(placed.graph.output_shape)}"
        where = f"unit {number} of {len(self.units)} in {self.bound.name}; {self.about.params}"
        making = unit_text(one.name, self.classes.call(placed.draft), f"{shapes}: {where}.")
        return file_text(
            [self.about.describe(placed.unit), self._written()], self.copies, [*self._class_texts(), making]
        )


def network_file(bound: BoundNetwork, about: FileHeader) -> str:
    """Return the text of a file whose last class, which takes no arguments, is the network."""
    return _File(bound, about).network()


def unit_file(bound: BoundNetwork, about: FileHeader, number: int) -> str:
    """Return the text of a file whose `unit()` makes the unit of that number in the network, in running order from 0."""
    return _File(bound, about).unit(number)
