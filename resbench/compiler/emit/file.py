"""BoundNetwork -> the text of one Python file with its network, or with its unit at one place; imports torch alone.

The names in its state_dict are those of the built network, and so are its outputs and gradients, bit for bit.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

from resbench import __version__
from resbench.compiler.canonical import canonical
from resbench.compiler.emit.classes import Classes, camel
from resbench.compiler.emit.copied import Copies
from resbench.compiler.emit.draft import Draft, draft
from resbench.compiler.emit.part import tree
from resbench.compiler.emit.places import name_units
from resbench.compiler.emit.series import Made, series
from resbench.compiler.emit.syntax import call, constant, parse, replaced, tidied
from resbench.compiler.emit.text import class_text, file_text, network_text, stage_text
from resbench.compiler.emit.writer import Block, Writer
from resbench.compiler.graph import BoundNetwork, Graph, sizes
from resbench.compiler.network import build
from resbench.compiler.normal import normal

Describe = Callable[[str], str]  # the name of a unit or block -> what it is and where it is from, in a sentence


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself. `command` wrote it; `units`: the name of each stage's unit."""

    command: str
    network: str
    units: tuple[str, ...]
    describe: Describe


class File:
    """What a network's file is made of: drafts first, so that all that is alike shares a class."""

    def __init__(self, bound: BoundNetwork, about: About) -> None:
        self.bound, self.about = normal(bound), about
        self.digest = canonical(bound).digest
        self.params = sum(parameter.numel() for parameter in build(bound).parameters())
        self.copies = Copies()
        self.classes = Classes(self.copies)
        self.units: dict[tuple[str, Graph], Draft] = {}
        for name, graph in self.unit_places():
            if (name, graph) not in self.units:
                self.units[name, graph] = draft(Block(graph, tree(graph, block=True), name), self.copies)
        self.lists = {
            path: self.row(path, graph) for path, graph in self.bound.parts() if ".units." not in path and graph.ops
        }
        self.classes.add(
            [*self.units.values(), *(one for _, drafts, _ in self.lists.values() for one in drafts.values())]
        )
        name_units(self.classes, [(name, graph, self.units[name, graph]) for name, graph in self.unit_places()])

    def unit_places(self) -> list[tuple[str, Graph]]:
        """Every unit with its name, in running order."""
        named = zip(self.about.units, self.bound.stages, strict=True)
        return [(name, graph) for name, stage in named for graph in stage.units]

    def row(self, path: str, graph: Graph) -> tuple[ast.expr, dict[str, Draft], list[ast.expr]]:
        """A stem, head or `before`: its layers, the classes they use by placeholder, statements on how they start."""
        root = tree(graph, block=False)
        writer = Writer(graph, root, self.copies)
        if not writer.reading.is_row(root):
            one = draft(Block(graph, root, path.rpartition(".")[2]), self.copies)
            return ast.Name("own"), {"own": one}, []
        writer.prefix = f"{path}."
        layers = writer.row(root.parts)
        written = {name: constant(value) for name, value in writer.layers.names.items()}
        starts = [replaced(parse(re.sub(r"\.(\d+)", r"[\1]", text)), written.get) for text in writer.layers.starts]
        blocks = {key: draft(block, self.copies) for key, block in writer.layers.blocks.items()}
        return tidied(replaced(layers, written.get), self.copies.defaults), blocks, starts

    def module(self, path: str) -> ast.expr:
        layers, drafts, _ = self.lists[path]
        return replaced(layers, {key: self.classes.call(one) for key, one in drafts.items()}.get)

    def stage(self, number: int) -> ast.expr:
        name, units = self.about.units[number], self.bound.stages[number].units
        drafts = [self.units[name, graph] for graph in units]
        row = series([Made(self.classes.of(one), self.classes.arguments(one)) for one in drafts])
        before = f"stages.{number}.before"
        return call("Stage", row, {"before": self.module(before)} if before in self.lists else {})

    def class_texts(self) -> list[str]:
        return [class_text(one, [self.about.describe(one.title)]) for one in self.classes.all]

    def network(self) -> str:
        parts = {"stem": self.module("stem")} if "stem" in self.lists else {}
        parts["stages"] = call("nn.Sequential", [self.stage(number) for number in range(len(self.bound.stages))], {})
        parts |= {"head": self.module("head")} if "head" in self.lists else {}
        starts = [line for _, _, lines in self.lists.values() for line in lines]
        says = f"{sizes(self.bound.input_shape)} -> {self.bound.classes} classes."
        name = self.classes.free(camel(self.bound.name))
        stage = stage_text(before=any(path.endswith(".before") for path in self.lists))
        body = [*self.class_texts(), stage, network_text(name, [says], parts, starts)]
        units = [self.about.describe(unit) for unit in dict.fromkeys(self.about.units)]
        return file_text([self.about.network, *units, self.written()], self.copies, body)

    def written(self) -> str:
        return (
            f"Written by resbench {__version__}, `{self.about.command}`. {self.params:,} parameters, digest {self.digest}. "
            "Parameters are called as in resbench, so `load_state_dict` takes what `--to safetensors` writes; until then they "
            "start as torch starts them, but for those that a constructor here sets."
        )


def network_file(bound: BoundNetwork, about: About) -> str:
    """One class without arguments, the last in the file, is the network."""
    return File(bound, about).network()
