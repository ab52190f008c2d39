"""BoundNetwork -> the properties of its identity path, from the graph: the equation, h, f, and the factor of x_0 after all
units.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from resbench.compiler.graph import BoundNetwork, Graph
from resbench.compiler.identity.normal_form import normal
from resbench.ops.registry import kind
from resbench.theory.direct import direct
from resbench.theory.equation import equation
from resbench.theory.identities import predicted
from resbench.theory.op_effects import DIRECT, PathStep, factor, label, own_kind
from resbench.theory.paths import IdentityPath, identity_path, inner_unit

_WORDS = {
    "identity": "identity", "none": "none: only F", "scaled": "scaled by a constant",
    "learned": "scaled by a learned gain", "dropped": "dropped at random",
    "gated": "gated", "normalised": "normalised", "pooled": "pooled",
    "projected": "projected by weights", "rectified": "not linear (a ReLU)", "nonlinear": "not linear",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class IdentityReport:
    """The report on the similar units: `alike` of `units` in the network, at most `per_stage` of them in a stage.

    `factors`: the factor of x in the shortcut of each unit, expected at initialisation (gates at their bias, gains at their
    initial value, dropout at its rate); the first unit and transitions count too. None if these mix x with itself.
    `predicted`: whether each equation holds.
    """

    network: str
    unit: str
    units: int
    alike: int
    per_stage: int
    path: IdentityPath
    equation: str
    names: dict[str, str]
    factors: tuple[float, ...] | None
    predicted: dict[str, bool]

    @property
    def h(self) -> str:
        return _description(self.path.h_kind, self.path.h)

    @property
    def f(self) -> str:
        return _description(self.path.f_kind, self.path.f if self.path.merge is not None else ())

    @property
    def short(self) -> tuple[str, str]:
        """The ops of h and f, for a table."""
        path = self.path
        h = "none" if path.merge is None else _ops(path.h)
        return h, _ops(path.f if path.merge is not None else ())

    @property
    def factor(self) -> float | None:
        """The factor of one unit; None if the units differ."""
        return self.factors[0] if self.factors is not None and len({*self.factors}) == 1 else None

    @property
    def remaining_factor(self) -> float | None:
        """The factor of x_0 after all units, without the effect of ReLUs."""
        return None if self.factors is None else math.prod(self.factors)

    @property
    def non_identity_ops(self) -> int:
        """The number of ops on the identity path that change x, in one unit."""
        return self.path.non_identity_ops


def identity_report(bound: BoundNetwork) -> IdentityReport:
    """Return the report of a network; nothing is run."""
    alike, units = inner_unit(bound)
    path = identity_path(alike[0][1])
    text, names = equation(path)
    per_stage = max(Counter(where.split(".units.")[0] for where, _ in alike).values())
    return IdentityReport(
        bound.name, bound.unit, units, len(alike), per_stage, path, text, names, _factors(bound, alike), predicted(path)
    )


def consequence(one: IdentityReport) -> str:
    """Return a sentence on the consequence of the form over all units of the network."""
    path, count = one.path, one.units
    if path.merge is None:
        if path.non_identity_ops == 0:
            return "there is no F: the output is the input"
        return f"there is no shortcut: x_0 and the gradient only pass through a product of {count} F's"
    if path.h_kind in ("projected", "normalised", "pooled", "rectified", "nonlinear"):
        return f"the shortcut itself is a product of {count} of these: neither x_0 nor the gradient passes unchanged"
    if one.predicted["4"]:
        return "all of x_0 reaches the end, and the whole gradient reaches every unit (Eq. 4, 5)"
    behind = ", ".join(label(step.op) for step in path.f if step.kind not in DIRECT)
    if path.h_kind == "identity" and behind:
        return f"h is an identity, but {behind} after the sum is on the path of every unit: Eq. 4 and 5 do not hold"
    then = f"; {behind} after the sum is on the path too" if behind else ""
    reached = direct(path.graph)[path.graph.output]
    if reached is not None and not reached.factors:
        if {*reached.sources} >= {*range(path.graph.input_shape[0])}:
            return "all of x_0 reaches the end, but each unit moves its channels"
        return "each unit passes some channels of its input unchanged, the others not"
    if one.factors is None and not one.predicted["7"] and not behind:
        return "x is combined with itself or an unknown op: Eq. 4 to 8 do not hold"
    if one.factors is None:
        return f"x_0 and the gradient are multiplied by the product of {count} factors (Eq. 7, 8){then}"
    kinds = {step.kind for step in (*path.h, *path.f)}
    start = " at the start" if kinds & {"gated", "learned"} else ""
    mean = " on average" if "dropped" in kinds else ""
    if one.factor is None:
        product = f"the product of {count} factors from {min(one.factors):.2g} to {max(one.factors):.2g}"
    else:
        product = f"{one.factor:.4g}^{count}" if one.factor >= 0 else f"({one.factor:.4g})^{count}"
    return f"{product} = {one.remaining_factor:.2g} of x_0 and of the gradient passes{start}{mean} (Eq. 7, 8){then}"


def _ops(steps: tuple[PathStep, ...]) -> str:
    return ", ".join(_op(step) for step in steps if step.kind != "kept") or "identity"


def _op(step: PathStep) -> str:
    if own_kind(step.op) == "scaled":
        return f"x {factor(step.op):g}"
    return "gate" if kind(step.op.op).joins == "product" else label(step.op)


def _description(worst: str, steps: tuple[PathStep, ...]) -> str:
    """Return the kinds of the steps with their ops, the worst kind first."""
    of: dict[str, list[str]] = {}
    for step in steps:
        if step.kind != "kept":
            of.setdefault(step.kind, []).append(label(step.op))
    kinds = sorted(of, key=lambda kind: kind != worst)
    return "; ".join(f"{_WORDS[kind]}: {', '.join(of[kind])}" for kind in kinds) or _WORDS[worst]


def _factors(bound: BoundNetwork, alike: Sequence[tuple[str, Graph]]) -> tuple[float, ...] | None:
    inner = {where: _factor(identity_path(graph)) for where, graph in alike}
    known = [factor for factor in inner.values() if factor is not None]
    if len(known) < len(inner):
        return None
    usual = known[0] if len({*known}) == 1 else None
    found = []
    for where, graph in normal(bound).parts():
        if ".units." in where:
            own = inner[where] if where in inner else usual if usual is not None else _factor(identity_path(graph))
            found.append(1.0 if own is None else own)
    return tuple(found)


def _factor(path: IdentityPath) -> float | None:
    """Return the factor of x over the shortcut and f; ReLUs are ignored, and ops that mix channels give None."""
    if path.merge is None:
        return 0.0
    reached = direct(path.graph)
    last = reached[path.graph.output] or reached[path.merge.value]
    if last is not None and last.by is None:
        return None
    product = 1.0 if last is None or last.by is None else last.by
    for step in (*path.h, *path.f):
        own = factor(step.op)
        if any(graph.ops for _, graph in step.op.inner):  # what stands inside is on the path too
            return None
        if step.kind in ("learned", "dropped") and own is not None:
            product *= own
        elif step.kind == "gated":
            gates = [_at_start(path.graph, s) for i, s in enumerate(step.op.inputs) if i != step.via]
            if None in gates:
                return None
            product *= math.prod(gate for gate in gates if gate is not None)
        elif step.kind not in ("kept", "scaled", "rectified"):
            return None
    return product


def _at_start(graph: Graph, value: int) -> float | None:
    """Return the value of a gate if its weight layer yields 0, as it does on average at initialisation."""
    if value == 0:
        return None
    op = graph.ops[value - 1]
    at_start = kind(op.op).at_start
    if at_start is None:
        return None
    inside = _at_start(graph, op.inputs[0]) if len(op.inputs) == 1 else None
    return at_start(dict(op.arguments), inside)
