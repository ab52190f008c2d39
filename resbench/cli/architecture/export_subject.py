"""Words of the command line -> the exported network, or a unit of it: as Python text, or with weights as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from torch import nn

from resbench import __version__
from resbench.api.architecture.request import request_of
from resbench.api.architecture.words import bind_unit
from resbench.compiler.binding.network import bind_network
from resbench.compiler.export.python.module import FileHeader, network_file, unit_file
from resbench.compiler.export.serialized import onnx_bytes, safetensors_bytes, torch_bytes
from resbench.compiler.export.torch_module import plain_network, plain_unit
from resbench.compiler.graph import BoundNetwork, Graph
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.identity.unit_positions import places
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.load_weights import fit, load_weights
from resbench.compiler.modules.network import build
from resbench.compiler.modules.weight_files import Named
from resbench.errors import BadInput, PluginError
from resbench.escape import shell_line
from resbench.language.library.library import Library
from resbench.measure.memory_check import require
from resbench.ops.schema import table
from resbench.store.open import open_store
from resbench.store.results.reading import run_detail
from resbench.train.calibrate import calibrate
from resbench.train.statistics import norms_of
from resbench.workers.job import stored_network

NOTHING: Mapping[str, str] = MappingProxyType({})
INIT = "he_normal"
OTHERS = (
    "`resbench net import-weights` converts weights of torchvision's, timm's or torch-resnet's networks to our names"
)
FRESH = (
    "its running statistics are 0 and 1, as before the first image, so in evaluation outputs grow with depth (1e18 at 254 "
    "layers, NaN at 1001); `--calibrate DATA` computes them from training images"
)
RESBENCH_CLASSES = (
    "it consists of resbench's own classes, which quantisers and other tools for torch's classes do not recognise"
)


@dataclass(frozen=True, slots=True)
class Source:
    """The sources of an export: a file or seed for weights (default 0), a data set for statistics, plugin folders for ops."""

    seed: int | None
    file: Path | None
    plugins: tuple[Path, ...] = ()
    calibrate: str | None = None

    @property
    def words(self) -> list[str]:
        return [word for folder in self.plugins for word in ("--plugins", str(folder))]


@dataclass(frozen=True, slots=True)
class ExportFile:
    """The bytes of a file, with `notes` for its users."""

    data: bytes
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportSubject:
    """A bound network to export, or one `unit` of it: its path in the network and its graph."""

    bound: BoundNetwork
    about: FileHeader
    source: Source
    unit: tuple[str, Graph] | None = None

    @property
    def title(self) -> str:
        whole = f"{self.bound.name} of {self.bound.unit}"
        return whole if self.unit is None else f"{self.unit[0]} of {whole}"

    def python(self) -> str:
        if self.unit is None:
            return network_file(self.bound, self.about)
        return unit_file(self.bound, self.about, self._number)

    def export(self, to: str, weights: Named | None = None, metadata: Mapping[str, str] = NOTHING) -> ExportFile:
        """Write it in one of the formats.

        Args:
            weights: Every tensor by its name; without them, those of `source`.
            metadata: Further metadata (`study`, `run`), beside digest, unit and network.
        """
        if to == "python":
            return ExportFile(self.python().encode())
        require("exporting it", self.bound, times=2)  # the network, and the bytes of the file
        module, about, notes = self._weighted(weights)
        about |= metadata
        if to == "safetensors":
            return ExportFile(safetensors_bytes(module.state_dict(), about), tuple(notes))
        try:
            module = self._plain(module)
        except PluginError as error:
            notes.append(f"{error}; {RESBENCH_CLASSES}")
        shape = self.bound.input_shape if self.unit is None else self.unit[1].input_shape
        write = onnx_bytes if to == "onnx" else torch_bytes
        return ExportFile(write(module, shape, about), tuple(notes))

    def _weighted(self, weights: Named | None) -> tuple[nn.Module, dict[str, str], list[str]]:
        """Return the module with weights, its metadata and notes. A unit has the weights that it has in the whole network."""
        source, seed = self.source, self.source.seed or 0
        network = build(self.bound)
        initialize_weights(network, canonical(self.bound).numbers, seed, INIT)
        module = network if self.unit is None else network.get_submodule(self.unit[0])
        about = {"network": self.bound.name, "unit": self.bound.unit, "digest": canonical(self.bound).digest}
        about |= {"resbench": __version__} | ({"place": self.unit[0]} if self.unit is not None else {})
        if weights is not None:
            fit(module, weights, "the weights that were kept")
        elif source.file is not None:
            load_weights(module, source.file, OTHERS if self.unit is None else "")
            about["from"] = source.file.name
        else:
            about["from"] = f"{INIT}, seed {seed}"
        images = 0 if source.calibrate is None else calibrate(network, self.bound, source.calibrate)
        if images:
            about["statistics"] = f"{images} training images of {source.calibrate}"
        if weights is not None or source.file is not None:
            return module, about, []
        fresh = self.unit is None and not images and norms_of(module)
        return module, about, [f"untrained weights, seed {seed}{f': {FRESH}' if fresh else ''}"]

    @property
    def _number(self) -> int:
        """The number of the unit, in execution order."""
        assert self.unit is not None
        return [path for path, _ in self.bound.parts() if ".units." in path].index(self.unit[0])

    def _plain(self, module: nn.Module) -> nn.Module:
        """Return the module as plain torch. Raises PluginError for an op whose source cannot be exported."""
        units = self.about.units
        if self.unit is None:
            return plain_network(self.bound, units, module)
        return plain_unit(self.bound, units, self._number, module)


def run_subject(url: str, run_id: int) -> ExportSubject:
    """Return the stored network of a run, without the file of its unit. Raises BadInput if there is no such run."""
    engine = open_store(url, create=False)
    detail = run_detail(engine, run_id)
    bound = stored_network(engine, detail.run.architecture)
    about = FileHeader(
        shell_line(["resbench", "net", "export", "--run", str(run_id), "--to", "python"]),
        f"{bound.name}, as it was trained in run {run_id}", f"recipe {detail.recipe.name}, seed {detail.run.seed}",
        tuple(bound.unit for _ in bound.stages), lambda name: name,
    )  # fmt: skip
    return ExportSubject(bound, about, Source(None, None))


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A request to export; `network` and `unit` are names or paths of files."""

    command: list[str]
    words: tuple[str, ...]
    network: str
    unit: str | None


def network_subject(network: str, words: tuple[str, ...], source: Source) -> ExportSubject:
    request, library = request_of(network, words)
    bound = bind_network(request, library)
    command = ["resbench", "net", "export", network, *words, *source.words, "--to", "python"]
    asked = None if request.unit is None else request.unit.name
    return ExportSubject(bound, _about(bound, library, ExportRequest(command, words, network, asked)), source)


def unit_subject(unit: str, words: tuple[str, ...], place: str, source: Source) -> ExportSubject:
    """Return a unit at a place of a small network. Raises BadInput for a place that it does not have there."""
    _, bound = bind_unit(unit, words)
    library = Library(table(), Path(unit).parent if unit.endswith(".yaml") else None)
    found = places(bound)
    if place not in found:
        raise BadInput(f"{bound.unit} has no {place} place in this {bound.name}; it has: {', '.join(found)}")
    command = ["resbench", "unit", "export", unit, *words, *source.words, "--place", place, "--to", "python"]
    return ExportSubject(
        bound, _about(bound, library, ExportRequest(command, words, bound.name, unit)), source, found[place]
    )


def _about(bound: BoundNetwork, library: Library, asked: ExportRequest) -> FileHeader:
    spec = library.network(asked.network)
    given = {bound.unit: asked.unit or bound.unit}  # a file is found by its path, not by its unit's name
    units = []
    for stage in spec.stages:
        own = stage.unit.name if stage.unit and stage.unit.name else given[bound.unit]
        units.append(library.unit(own).name)
        given[units[-1]] = own
    params = ", ".join(word for word in asked.words if not word.startswith(("unit=", "network="))) or "no params given"
    sentence = _sentence(bound.name, spec.doc, spec.cite)
    return FileHeader(
        shell_line(asked.command), sentence, params, tuple(units),
        lambda name: _described(library, name, given.get(name)),
    )  # fmt: skip


def _described(library: Library, name: str, unit: str | None) -> str:
    """Return the description of a unit (found at `unit`) or block; for anything else (a stem), the name."""
    if unit is not None:
        spec = library.unit(unit)
        return _sentence(name, spec.doc, spec.cite)
    if name in library.names("block"):
        block = library.block(name)
        return _sentence(name, block.doc, block.cite)
    return name


def _sentence(name: str, doc: str, cite: str) -> str:
    return f"{name}: {'. '.join(text for text in (doc.rstrip('.'), cite) if text)}".removesuffix(": ")
