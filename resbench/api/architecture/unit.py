"""A unit's name, file or mapping -> Unit: read, checked, drawn, and bound in a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from resbench.api.architecture.library import extended, library_of
from resbench.api.architecture.value import Value, to_node, to_nodes
from resbench.api.arguments import check_kind, check_named
from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.escape import xml_text
from resbench.language.graph.unit import UnitSpec
from resbench.language.library.library import Library
from resbench.language.library.lookup import exists
from resbench.language.yaml.node import Node, Plain, plain
from resbench.ops.schema import table

if TYPE_CHECKING:
    from resbench.api.architecture.report import UnitReport
    from resbench.compiler.graph import BoundNetwork
    from resbench.drawing.picture import Picture

Place = Literal["first", "inner", "transition", "all"]
NETWORK = "resnet_cifar"  # in which a unit is shown where no network is named


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A residual unit that was read and checked.

    Attributes:
        spec: The content of its file.
        library: The library in which its names are looked up.
        reference: The name, or the file, by which the library finds it.
        given: Values for its params.
    """

    spec: UnitSpec
    library: Library
    reference: str
    given: Mapping[str, Node]

    def __repr__(self) -> str:
        """Return the name and the given params, without the file's text."""
        return f"<Unit {self.reference}{''.join(f' {name}={plain(node)}' for name, node in self.given.items())}>"

    @property
    def name(self) -> str:
        """Its name in tables."""
        return self.spec.name

    @property
    def doc(self) -> str:
        """The description in its file."""
        return self.spec.doc

    @property
    def cite(self) -> str:
        """Its source, such as a paper."""
        return self.spec.cite

    @property
    def params(self) -> dict[str, Plain]:
        """Its params with their values: those given, else the defaults of the file."""
        return {name: plain(self.given.get(name, param.default)) for name, param in self.spec.body.params.items()}

    def draw(
        self,
        *,
        network: str | PathLike[str] = NETWORK,
        place: Place | None = None,
        data: str | None = None,
        **params: Value,
    ) -> Picture:
        """Return its picture at one place of a network; see `resbench.draw`.

        Args:
            network: The name or the file of the network.
            place: `first`, `inner`, `transition` or `all`; None is the inner place, or where there is none the first.
            data: A data set whose images the network takes; None for those that its file names.
            params: Values for params of the unit or of the network.

        Raises:
            BadInput: For a place that the unit does not have there, or a name that is unknown.
        """
        from resbench.api.architecture.picture import picture_of

        return picture_of(self.spec, self.bind(network=network, data=data, **params), place)

    def check(self, *, network: str | PathLike[str] = NETWORK, data: str | None = None, **params: Value) -> UnitReport:
        """Bind and build the unit at its first, inner and transition places, and return shapes, costs and notes.

        Args:
            network: The name or the file of the network.
            data: A data set whose images the network takes; None for those that its file names.
            params: Values for params of the unit or of the network.

        Raises:
            SpecError: With every problem, where it cannot be built there.
        """
        from resbench.api.architecture.report import unit_report_of

        return unit_report_of(self.spec, self.bind(network=network, data=data, **params))

    def bind(self, *, network: str | PathLike[str] = NETWORK, data: str | None = None, **params: Value) -> BoundNetwork:
        """Return the graph of a network of this unit; a small one if no depth is given.

        Args:
            network: The name or the file of the network.
            data: A data set whose images the network takes; None for those that its file names.
            params: Values for params of the unit or of the network.

        Raises:
            SpecError: With every problem, where it cannot be built there.
        """
        return self.bind_nodes(fspath(network), to_nodes(params), data)

    def bind_nodes(self, network: str, params: Mapping[str, Node], data: str | None) -> BoundNetwork:
        """Bind with values that are Nodes."""
        from resbench.api.architecture.request import bind_in

        return bind_in(self.library, (self.spec, self.reference), network, {**self.given, **params}, data)

    def to_node(self) -> Node:
        """Return it as an entry of a study's `units`."""
        if self.library.is_added(self.name):
            return Node({"use": self.spec.node, **self.given})
        file = self.library.find("unit", self.reference)
        use = str(file.resolve()) if self.reference.endswith(".yaml") else self.reference
        return Node({"use": Node(use), **self.given})

    def _repr_html_(self) -> str:
        """Return its picture with its description, for a notebook."""
        about = "; ".join(text for text in (self.doc, self.cite) if text)
        return f"<p><b>{xml_text(self.name)}</b>: {xml_text(about)}</p>{self.draw().svg}"


UnitLike = str | PathLike[str] | Mapping[str, Value] | Unit


def load_unit(unit: UnitLike, **params: Value) -> Unit:
    """Read a unit and check everything in it that can be checked without a network.

    Args:
        unit: A name of the library, the path of a `.yaml` file, the mapping that such a file would hold, `{"use": name, param:
            value}` as in a study, or a unit that is loaded already.
        params: Values for params of the unit.

    Returns:
        The unit. Notebooks show its picture.

    Raises:
        SpecError: With every problem of the file, each with its line.
        BadInput: For a name or a param that is unknown, with the nearest names.

    Example:
        >>> import resbench as rb
        >>> unit = rb.load_unit("exclusive_gating", gate_bias=-3)
        >>> unit.name, unit.params
        ('exclusive_gating', {'change': 'pad', 'gate_bias': -3})
        >>> rb.load_unit({"unit": "mine", "nodes": {"y": {"from": "x", "ops": ["rleu"]}}})
        Traceback (most recent call last):
        resbench.errors.SpecError: nodes.y.ops[0]: unknown op `rleu`; did you mean `relu` or `relu6`?
    """
    found = _load(unit)
    given = {**found.given, **to_nodes(params)}
    known = list(found.spec.body.params)
    for name in given:
        if name not in known:
            allowed = f"expected one of {', '.join(known)}" if known else "it has none"
            raise BadInput(f"unit {found.name}: param `{name}`: {allowed}{did_you_mean(name, known)}")
    return replace(found, given=given)


def _load(unit: UnitLike) -> Unit:
    if isinstance(unit, Unit):
        return unit
    check_named(unit, "unit", "a name, a file, a mapping or a loaded unit")
    if not isinstance(unit, Mapping):
        return unit_named(fspath(unit))
    if "use" in unit:
        name, rest = unit["use"], {key: value for key, value in unit.items() if key != "use"}
        if not isinstance(name, str | PathLike | Mapping):
            raise BadInput(f"use: expected the name, file or mapping of a unit, got {to_node(name, 'use').shown()}")
        return load_unit(name, **rest)
    check_kind(unit, "unit")
    library = Library(table())
    name = library.add_unit(extended(library, "unit", to_node(unit, "")))
    return Unit(library.unit(name), library, name, {})


def unit_named(unit: str) -> Unit:
    """Return the unit of a name or of a file's path."""
    library = library_of(unit)
    name = Path(unit).name if unit.endswith(".yaml") and exists(Path(unit)) else unit
    return Unit(library.unit(name), library, name, {})
