"""Words of the command line -> what is exported, a network or one unit of it: as Python text, or with weights as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from resbench import __version__
from resbench.cli.network import bind_unit, places
from resbench.cli.request import request_of
from resbench.compiler.architecture import bind_network
from resbench.compiler.canonical import canonical
from resbench.compiler.emit.file import About, network_file, unit_file
from resbench.compiler.export import onnx_bytes, safetensors_bytes, torch_bytes
from resbench.compiler.fit import load_weights
from resbench.compiler.graph import BoundNetwork, Graph
from resbench.compiler.materialise import materialise
from resbench.compiler.network import build
from resbench.errors import BadInput
from resbench.escape import shell_line
from resbench.measure.room import require
from resbench.ops.schema import table
from resbench.spec.library import Library

INIT = "he_normal"
OTHERS = "`resbench net import-weights` puts weights of torchvision's, timm's or torch-resnet's networks under our names"


@dataclass(frozen=True, slots=True)
class Source:
    """Where weights come from, a file or the seed (0 without one), and ops: the folders of plugins that were given."""

    seed: int | None
    file: Path | None
    plugins: tuple[Path, ...] = ()

    @property
    def words(self) -> list[str]:
        return [word for folder in self.plugins for word in ("--plugins", str(folder))]


@dataclass(frozen=True, slots=True)
class Subject:
    """`unit`: the path of one unit in the network and its graph, or None for the whole."""

    bound: BoundNetwork
    about: About
    source: Source
    unit: tuple[str, Graph] | None = None

    @property
    def title(self) -> str:
        whole = f"{self.bound.name} of {self.bound.unit}"
        return whole if self.unit is None else f"{self.unit[0]} of {whole}"

    def python(self) -> str:
        if self.unit is None:
            return network_file(self.bound, self.about)
        paths = [path for path, _ in self.bound.parts() if ".units." in path]
        return unit_file(self.bound, self.about, paths.index(self.unit[0]))

    def data(self, to: str) -> bytes:
        if to == "python":
            return self.python().encode()
        shape = self.bound.input_shape if self.unit is None else self.unit[1].input_shape
        module = self.module()
        if to == "onnx":
            return onnx_bytes(module, shape)
        return torch_bytes(module, shape) if to == "torch" else safetensors_bytes(module, self.metadata())

    def module(self) -> nn.Module:
        """With weights, as the seed draws them in the whole network, or from a file."""
        require("exporting it", self.bound, times=2)  # the network, and the bytes of the file
        network = build(self.bound)
        materialise(network, canonical(self.bound).numbers, self.source.seed or 0, INIT)
        module = network if self.unit is None else network.get_submodule(self.unit[0])
        if self.source.file is not None:
            load_weights(module, self.source.file, OTHERS if self.unit is None else "")
        return module

    def metadata(self) -> dict[str, str]:
        about = {"network": self.bound.name, "unit": self.bound.unit, "digest": canonical(self.bound).digest}
        about |= {"place": self.unit[0]} if self.unit is not None else {}
        source = str(self.source.file.name) if self.source.file else f"{INIT}, seed {self.source.seed or 0}"
        return about | {"from": source, "resbench": __version__}


@dataclass(frozen=True, slots=True)
class Asked:
    """`network`, `unit`: names or paths of files."""

    command: list[str]
    words: tuple[str, ...]
    network: str
    unit: str | None


def network_subject(network: str, words: tuple[str, ...], source: Source) -> Subject:
    request, library = request_of(network, words)
    bound = bind_network(request, library)
    command = ["resbench", "net", "export", network, *words, *source.words, "--to", "python"]
    asked = None if request.unit is None else request.unit.name
    return Subject(bound, _about(bound, library, Asked(command, words, network, asked)), source)


def unit_subject(unit: str, words: tuple[str, ...], place: str, source: Source) -> Subject:
    """Raises BadInput for a place that the unit does not have there."""
    _, bound = bind_unit(unit, words)
    library = Library(table(), Path(unit).parent if unit.endswith(".yaml") else None)
    found = places(bound)
    if place not in found:
        raise BadInput(f"{bound.unit} has no {place} place in this {bound.name}; it has: {', '.join(found)}")
    command = ["resbench", "unit", "export", unit, *words, *source.words, "--place", place, "--to", "python"]
    return Subject(bound, _about(bound, library, Asked(command, words, bound.name, unit)), source, found[place])


def _about(bound: BoundNetwork, library: Library, asked: Asked) -> About:
    spec = library.network(asked.network)
    given = {bound.unit: asked.unit or bound.unit}  # a file is found by its path, not by its unit's name
    units = []
    for stage in spec.stages:
        own = stage.unit.name if stage.unit and stage.unit.name else given[bound.unit]
        units.append(library.unit(own).name)
        given[units[-1]] = own
    params = ", ".join(word for word in asked.words if not word.startswith(("unit=", "network="))) or "no params given"
    sentence = _sentence(bound.name, spec.doc, spec.cite)
    return About(
        shell_line(asked.command), sentence, params, tuple(units),
        lambda name: _described(library, name, given.get(name)),
    )  # fmt: skip


def _described(library: Library, name: str, unit: str | None) -> str:
    """`unit`: where it is found if it is one. Of what is neither unit nor block (a stem), the name."""
    if unit is not None:
        spec = library.unit(unit)
        return _sentence(name, spec.doc, spec.cite)
    if name in library.names("block"):
        block = library.block(name)
        return _sentence(name, block.doc, block.cite)
    return name


def _sentence(name: str, doc: str, cite: str) -> str:
    return f"{name}: {'. '.join(text for text in (doc.rstrip('.'), cite) if text)}".removesuffix(": ")
