"""A network's name, its unit and a seed -> a torch module with weights, as a study's run of that seed starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike, fspath

from torch import nn

from resbench.api.architecture.library import library_of
from resbench.api.architecture.report import network_report_of
from resbench.api.architecture.request import make_request
from resbench.api.architecture.unit import Unit, UnitLike, load_unit
from resbench.api.architecture.value import Value, to_node, to_nodes
from resbench.api.arguments import check_named, whole_number
from resbench.compiler.binding.network import bind_network
from resbench.compiler.graph import BoundNetwork, sizes
from resbench.compiler.identity.canonical import Canonical, canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import Network, build
from resbench.data.info import DatasetInfo
from resbench.data.registry import info
from resbench.errors import BadInput
from resbench.language.library.library import Library
from resbench.language.yaml.node import values
from resbench.measure.macs import macs
from resbench.measure.memory_check import require
from resbench.measure.params import params as count_params
from resbench.results.html import html_table

NetworkLike = str | PathLike[str] | Mapping[str, Value]
INIT = "he_normal"


class BuiltNetwork(Network):
    """A network with weights: BCHW -> B classes. It is a torch module like any other; train it with any loop.

    Attributes:
        bound: Its graph, with the shape of every value.
        digest: Digest of what it computes: equal for equal networks, however they were written.
        params: Trainable parameters.
        macs: Multiply-accumulates for one image.
    """

    bound: BoundNetwork
    digest: str
    params: int
    macs: int

    def __init__(self, bound: BoundNetwork, network: Network, identity: Canonical) -> None:
        nn.Module.__init__(self)  # the parts are built already
        self.stem, self.stages, self.head = network.stem, network.stages, network.head
        self.bound = bound
        self.digest = identity.digest
        self.params = count_params(network)
        self.macs = macs(bound).count

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Channels, height and width of its input images."""
        return self.bound.input_shape

    def _repr_html_(self) -> str:
        """Return its parts with their shapes and costs, for a notebook."""
        report = network_report_of(self.bound)
        rows = [(part.path, part.ops, part.shape, part.params, part.macs) for part in report.trace]
        title = (
            f"{report.network} of {report.unit}: {self.params:,} parameters, {self.macs:,} MACs per image of "
            f"{sizes(self.bound.input_shape)}"
        )
        return html_table(
            ("part", "ops", "shape", "params", "MACs"),
            rows,
            title=title,
            notes=(f"digest {self.digest}", *report.notes),
        )


def build_network(
    network: NetworkLike,
    *,
    unit: UnitLike | None = None,
    seed: int = 0,
    init: str = INIT,
    data: str | Mapping[str, Value] | None = None,
    input_shape: tuple[int, int, int] | None = None,
    classes: int | None = None,
    **params: Value,
) -> BuiltNetwork:
    """Build a network on the CPU, with the weights that a study's run of that seed starts from, bit for bit.

    Args:
        network: The name or the file of a network, or `{"use": name, param: value}` as in a study.
        unit: Its unit, in any form that `resbench.load_unit` accepts; None for the network's own.
        seed: Seed of the weights.
        init: The initialiser, as a recipe names it.
        data: A data set, a name or `{"use": name, setting: value}`, that gives the shape of the images and the number of classes.
        input_shape: Channels, height and width of the images, instead of those of `data`.
        classes: The number of classes, instead of that of `data`.
        params: Values for params of the network, such as `depth=56`.

    Returns:
        A torch module with `.digest`, `.params` and `.macs`. Notebooks show its parts.

    Raises:
        SpecError: With every problem of the files.
        BadInput: For a name that is unknown.
        TooLarge: Where there is not enough memory for its weights.

    Example:
        >>> import resbench as rb
        >>> net = rb.build_network("resnet_cifar", unit="full_preactivation", depth=8, width=4, data="digits", seed=0)
        >>> net.params, net.macs, net.digest[:6]
        (4934, 48544, 'a2_e5d')
        >>> net(rb.load_data("digits").val.images[:2]).shape
        torch.Size([2, 10])
    """
    seed = whole_number(seed, "seed", 0)
    if classes is not None:
        classes = whole_number(classes, "classes", 1)
    if input_shape is not None:
        input_shape = _checked_shape(input_shape)
    check_named(network, "network", "a name, a file or a mapping")
    name, given = use_of(network, "network")
    found = None if unit is None else load_unit(unit)
    library = _library(name, found)
    about = None if data is None else data_info(data)
    request = make_request(
        library, name, {**to_nodes(given), **to_nodes(params)}, unit=None if found is None else found.reference,
        unit_params=None if found is None else found.given, data=about,
    )  # fmt: skip
    shape = request.input_shape if input_shape is None else input_shape
    request = replace(request, input_shape=shape, classes=request.classes if classes is None else classes)
    bound = bind_network(request, library)
    require("building it", bound)
    return with_weights(bound, seed, init)


def with_weights(bound: BoundNetwork, seed: int, init: str = INIT) -> BuiltNetwork:
    """Build a network that is bound, and draw its weights."""
    network, identity = build(bound), canonical(bound)
    initialize_weights(network, identity.numbers, seed, init)
    return BuiltNetwork(bound, network, identity)


def data_info(data: str | Mapping[str, Value]) -> DatasetInfo:
    """Return shapes and sizes of a data set, by its name or by name and settings."""
    name, given = use_of(data, "data")
    return info(name, values(to_node(given, "data")))


def use_of(what: NetworkLike, key: str) -> tuple[str, dict[str, Value]]:
    """Return the name and the values given of `NAME` or `{"use": NAME, ...}`."""
    if not isinstance(what, Mapping):
        return fspath(what), {}
    name = what.get("use")
    if not isinstance(name, str | PathLike):
        raise BadInput(f"{key}: expected a name or {{'use': NAME, ...}}, got {to_node(what, key).shown()}")
    return fspath(name), {name: value for name, value in what.items() if name != "use"}


def _library(network: str, unit: Unit | None) -> Library:
    """Return the unit's library; without a unit that comes from a file or a mapping, the one around the network's file."""
    if unit is not None and (unit.reference.endswith(".yaml") or unit.library.is_added(unit.name)):
        return unit.library
    return library_of(network)


def _checked_shape(shape: object) -> tuple[int, int, int]:
    if not isinstance(shape, Sequence) or len(shape) != 3:
        raise BadInput(f"input_shape: expected three whole numbers (channels, height, width), got {shape!r}")
    channels, height, width = (whole_number(size, "input_shape", 1) for size in shape)
    return channels, height, width
