"""NetworkSpec, UnitSpec and their given params -> BoundNetwork, with every place of the network bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from resbench.compiler.binding.bind import bind_body, bind_list
from resbench.compiler.binding.cautions import cautions
from resbench.compiler.binding.integers import whole
from resbench.compiler.binding.scope import Choose, Frame, Scope, Text, choose_nothing
from resbench.compiler.graph import BoundNetwork, BoundStage, Graph, Shape, sizes
from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput, SpecError
from resbench.language.expressions.expression import Expression
from resbench.language.graph.network import NetworkSpec, StageSpec, Use
from resbench.language.graph.params import Param, label_of
from resbench.language.graph.unit import UnitSpec
from resbench.language.library.library import Library
from resbench.language.names import STAGE_NAMES
from resbench.language.yaml.node import Node, all_nodes

MAX_UNITS = 10_000
MAX_OPS = 100_000
Given = Mapping[str, tuple[Node, Frame | None]]


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a network. `unit` None means the network's own. `choose` selects the values of params that a study
    searches.
    """

    network: Use
    unit: Use | None = None
    input_shape: tuple[int, int, int] | None = None
    classes: int | None = None
    choose: Choose = field(default=choose_nothing)
    vary: frozenset[str] = frozenset()


def bind_network(request: Request, library: Library) -> BoundNetwork:
    """Bind every place of a network. Raise SpecError with the place of a problem, BadInput for unknown names."""
    return _Binder(request, library).bind()


class _Binder:
    def __init__(self, request: Request, library: Library) -> None:
        self.library, self.request = library, request
        self.spec: NetworkSpec = library.network(_named(request.network))
        self.input_shape, self.classes = _data(self.spec, request)
        _check_params(request.network.arguments, self.spec.params, f"network {self.spec.name}")
        known = {
            "classes": self.classes,
            "layers": lambda: self.boundary("layers"),
            "expansion": lambda: self.boundary("expansion"),
            "after_stem": lambda: Text(
                self.unit_of(self.spec.stages[0])[0].boundary.after_stem, self.bare(self.spec.stages[0])
            ),
            "after_last": lambda: Text(
                self.unit_of(self.spec.stages[-1])[0].boundary.after_last, self.bare(self.spec.stages[-1])
            ),
        }
        given: Given = {key: (node, None) for key, node in request.network.arguments.items()}
        self.scope = Scope(self.spec.params, given, known, "network", request.choose)
        self.frame = Frame(self.scope, known)
        self.unit, self.unit_given, self.notes = self._unit()

    def _unit(self) -> tuple[UnitSpec, Given, tuple[str, ...]]:
        """Return the unit and its given params; a replacing unit keeps the network's values for params that it has too."""
        own = self.spec.unit
        asked = self.request.unit
        own_given = {key: (node, self.frame) for key, node in own.arguments.items()}
        if asked is None:
            unit = self.library.unit(_named(own))
            _check_params(own.arguments, unit.body.params, f"unit {unit.name}")
            return unit, own_given, ()
        unit = self.library.unit(_named(asked))
        _check_params({k: v for k, v in asked.arguments.items() if k != "vary"}, unit.body.params, f"unit {unit.name}")
        kept = {key: value for key, value in own_given.items() if key in unit.body.params}
        own_values: Given = {key: (node, None) for key, node in asked.arguments.items() if key != "vary"}
        return unit, {**kept, **own_values}, _replaced(unit, own, [key for key in kept if key not in own_values])

    def unit_of(self, stage: StageSpec) -> tuple[UnitSpec, Given]:
        """Return the unit of a stage: the network's, with params changed, or another."""
        if stage.unit is None:
            return self.unit, self.unit_given
        given: Given = {key: (node, self.frame) for key, node in stage.unit.arguments.items()}
        if stage.unit.name is None:
            _check_params(stage.unit.arguments, self.unit.body.params, f"unit {self.unit.name}")
            return self.unit, {**self.unit_given, **given}
        unit = self.library.unit(stage.unit.name)
        _check_params(stage.unit.arguments, unit.body.params, f"unit {unit.name}")
        return unit, given

    def unit_scope(self, stage: StageSpec, known: Mapping[str, Any]) -> tuple[UnitSpec, Scope]:
        """Return the scope of a unit; `known` has the names known at a place, which values from the network may read."""
        unit, given = self.unit_of(stage)
        here = self.frame.with_known({name: known[name] for name in STAGE_NAMES if name in known})
        given = {key: (node, here if frame is self.frame else frame) for key, (node, frame) in given.items()}
        return unit, Scope(unit.body.params, given, known, "unit", self.request.choose, vary=self.request.vary)

    def bare(self, stage: StageSpec) -> Scope:
        """Return the scope of a unit's params outside of any place, for its `boundary`."""
        return self.unit_scope(stage, {})[1]

    def boundary(self, name: str) -> Any:
        node = self.unit.boundary.layers if name == "layers" else self.unit.boundary.expansion
        scope = Scope(self.unit.body.params, self.unit_given, {}, "unit", self.request.choose, vary=self.request.vary)
        return whole(node, Frame(scope, {}), f"boundary.{name}", 1, 1000)

    def bind(self) -> BoundNetwork:
        self._check_placed()
        counts = [
            whole(s.units, self.frame, f"stages[{i}].units", 0, MAX_UNITS) for i, s in enumerate(self.spec.stages)
        ]
        total = sum(counts)
        if not 1 <= total <= MAX_UNITS:
            raise SpecError(
                [self.spec.node.mapping["stages"].problem(f"{total:,} units; 1 to {MAX_UNITS:,} are allowed")]
            )
        stem = bind_list(self.spec.stem, self.input_shape, self.frame, self.library)
        shape = stem.output_shape
        stages: list[BoundStage] = []
        place = _Counter(units=total, stages=len(counts))
        for stage, count in zip(self.spec.stages, counts, strict=True):
            bound, shape = self._stage(stage, count, shape, place)
            stages.append(bound)
            place.stage += 1
        head = bind_list(self.spec.head, shape, self.frame, self.library)
        if head.output_shape != (self.classes,):
            at = self.spec.node.mapping["head"]
            ends = sizes(head.output_shape)
            raise SpecError(
                [at.problem(f"the head ends with {ends}; {self.classes} numbers, one for each class, are needed")]
            )
        warnings = tuple(cautions(stages, head, self.boundary("layers") if "layers" in self._named() else None))
        return BoundNetwork(
            self.spec.name, self.unit.name, stem, tuple(stages), head, self.classes, self.notes, warnings
        )

    def _stage(self, stage: StageSpec, count: int, shape: Shape, place: _Counter) -> tuple[BoundStage, Shape]:
        before = bind_list(stage.before, shape, self.frame, self.library)
        shape = before.output_shape
        units: list[Graph] = []
        for position in range(count):
            where = place.known(position, count)
            frame = self.frame.with_known(where)
            out = None if stage.out is None else whole(stage.out, frame, f"stages[{place.stage}].out", 1)
            stride = whole(stage.stride, frame, f"stages[{place.stage}].stride", 1) if position == 0 else 1
            transition = stride != 1 or (out is not None and out != shape[0])
            known = {**where, **place.flags(), "in": shape[0], "out": out, "stride": stride, "transition": transition}
            unit, scope = self.unit_scope(stage, known)
            graph = bind_body(unit.body, shape, scope, self.library)
            result = graph.output_shape
            if len(result) != 3 or (out is not None and result[0] != out):
                wanted = f"{out} channels" if out is not None else "a map"
                at = unit.body.nodes["y"].node if "y" in unit.body.nodes else unit.node
                own = (
                    ""
                    if len(result) != 3
                    else "; a unit that sets its own width needs stages without `out` (as in `densenet`)"
                )
                raise SpecError([at.problem(f"y is {sizes(result)}; the stage asks for {wanted}{own}")])
            place.advance(transition or result != shape)
            shape = result
            units.append(graph)
            place.ops += len(graph.ops)
            if place.ops > MAX_OPS:
                raise SpecError([stage.node.problem(f"more than {MAX_OPS:,} ops in one network")])
        return BoundStage(before, tuple(units)), shape

    def _named(self) -> set[str]:
        """Return every name that an expression of the network reads."""
        return {n for node in all_nodes(self.spec.node) if isinstance(node.value, Expression) for n in node.value.names}

    def _check_placed(self) -> None:
        """Check that the network places the ops that a unit needs after the stem or the last unit; without them it is
        another network.
        """
        named = self._named()
        for name, stage in (("after_stem", self.spec.stages[0]), ("after_last", self.spec.stages[-1])):
            boundary = self.unit_of(stage)[0].boundary
            node = boundary.after_stem if name == "after_stem" else boundary.after_last
            if name not in named and not _empty(Frame(self.bare(stage), {}).plain(node)):
                raise SpecError(
                    [node.problem(f"network {self.spec.name} does not place `${name}`, which this unit needs")]
                )


def _empty(ops: Any) -> bool:
    return isinstance(ops, list | tuple) and all(map(_empty, ops))


@dataclass(slots=True)
class _Counter:
    """The current position of binding in the network; all counts start at 0."""

    units: int
    stages: int
    unit: int = 0
    stage: int = 0
    since: int = 0
    position: int = 0
    length: int = 0
    ops: int = 0

    def known(self, position: int, length: int) -> dict[str, Any]:
        self.position, self.length = position, length
        return {
            "unit": self.unit, "units": self.units, "pos": position, "len": length,
            "stage": self.stage, "stages": self.stages,
        }  # fmt: skip

    def flags(self) -> dict[str, Any]:
        return {
            "since": self.since,
            "first": self.unit == 0,
            "last": self.unit == self.units - 1,
            "stage_first": self.position == 0,
            "stage_last": self.position == self.length - 1,
        }

    def advance(self, changed: bool) -> None:
        self.since = 1 if changed else self.since + 1
        self.unit += 1


def _replaced(unit: UnitSpec, own: Use, kept: list[str]) -> tuple[str, ...]:
    """Return notes for a user who replaced the network's own unit."""
    dropped = [key for key in own.arguments if key not in unit.body.params]
    notes = [f"{unit.name} has no param {', '.join(dropped)}; the network's value is dropped"] if dropped else []
    for key in kept if unit.name != own.name else ():
        given, default = own.arguments[key], unit.body.params[key].default
        if label_of(given) != label_of(default):
            notes.append(f"{unit.name}: {key} is {given.shown()}, the network's value; its own is {default.shown()}")
    return tuple(notes)


def _named(use: Use) -> str:
    if use.name is None:
        raise SpecError([use.node.problem("key `use` is missing: the name of what is used")])
    return use.name


def _data(spec: NetworkSpec, request: Request) -> tuple[Shape, int]:
    """Return input shape and classes: the data set's, or the network's own where no data set is named."""
    shape, classes = request.input_shape or spec.input, request.classes or spec.classes
    if shape is None or classes is None:
        raise BadInput(f"network {spec.name} names no `input` and `classes`; name a data set that has them")
    return shape, classes


def _check_params(given: Mapping[str, Node], params: Mapping[str, Param], what: str) -> None:
    for name, node in given.items():
        if name not in params:
            listed = f"its params: {', '.join(params)}" if params else "it has none"
            raise SpecError([node.problem(f"{what} has no param `{name}`; {listed}{did_you_mean(name, list(params))}")])
