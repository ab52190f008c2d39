"""A param as written -> Param: a value, an expression, a domain (choices, range, named cases) or a look-up.

A domain holds the allowed values; the study decides whether it is searched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resbench.did_you_mean import did_you_mean
from resbench.errors import Reason
from resbench.language.expressions.expression import Expression
from resbench.language.expressions.grammar import MAX_NUMBER
from resbench.language.yaml.node import Node, flow, plain
from resbench.language.yaml.problems import Problems, listed

_KINDS = ("choices", "range", "cases")


@dataclass(frozen=True, slots=True)
class Choices:
    """Allowed values by label: the name in `cases`, else the YAML text."""

    values: Mapping[str, Node]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.values)

    def label(self, given: Node) -> str | None:
        """Return the label of a value, None when it is not allowed; a case is identified by its name, however YAML reads it."""
        label = label_of(given)
        if label in self.values:
            return label
        name = given.value
        if isinstance(name, str) and name in self.values and label_of(self.values[name]) != name:
            return name
        return None


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers from low to high, both included; integers unless an end or the step is not."""

    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False


Domain = Choices | Range


@dataclass(frozen=True, slots=True)
class Param:
    """A param; `default` is its value where none is given; with `by`, the label is computed instead.

    `doc` is the comment behind it.
    """

    name: str
    default: Node
    domain: Domain | None = None
    by: Node | None = None
    doc: str = ""

    def pick(self, given: Node) -> Node:
        """Return the value a given Node stands for. Raises Reason when it is outside the domain."""
        if isinstance(given.value, Expression):
            return given  # computed and checked later
        if isinstance(self.domain, Choices):
            label = self.domain.label(given)
            if label is None:
                labels = self.domain.labels
                near = did_you_mean(label_of(given), labels)
                raise Reason(f"{given.shown()} is not among the choices: {listed(labels)}{near}")
            return self.domain.values[label]
        if isinstance(self.domain, Range):
            inside(given, self.domain)
        return given


def label_of(node: Node) -> str:
    """Return the label of a choice that no case names: `1`, `true` and `"1"` differ, `1.0` is `1`."""
    return flow(plain(node))


def inside(node: Node, allowed: Range) -> None:
    value = node.value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not allowed.low <= value <= allowed.high:  # type: ignore[operator]
        raise Reason(f"{node.shown()} is not within [{allowed.low:g}, {allowed.high:g}]")
    if allowed.whole and not float(value).is_integer():  # type: ignore[arg-type]
        raise Reason(f"{node.shown()} must be a whole number")
    steps = (value - allowed.low) / allowed.step if allowed.step else 0.0  # type: ignore[operator]
    if abs(steps - round(steps)) > 1e-9 * max(1.0, abs(steps)):
        raise Reason(f"{node.shown()} is no step of {allowed.step:g} from {allowed.low:g}")


def is_domain(node: Node) -> bool:
    """Return whether a value is a domain: a mapping with `choices`, `range` or `cases`."""
    return any(kind in node.mapping for kind in _KINDS)


def parse_param(name: str, node: Node, check: Problems) -> Param:
    """Return one entry of `params:`."""
    entries = node.mapping
    if "by" in entries:
        check.keys(node, ["by", "cases"])
        return Param(name, Node(None), _cases(entries["cases"], check) if "cases" in entries else None, entries["by"])
    if not is_domain(node):
        if "default" in entries:
            check.keys(node, ["default"], [*_KINDS, "step", "log"])
            check.report(node, f"one of {', '.join(_KINDS)} is needed with a default")
        return Param(name, node)
    before = len(check.problems)
    domain = parse_domain(node, check)
    default = entries.get("default")
    if default is None:
        check.report(node, "key `default` is missing: the value where no study says otherwise")
    is_known = isinstance(domain, Choices) and bool(
        domain.values
    )  # a choice that is written twice is allowed all the same
    if default is None or not (is_known or len(check.problems) == before):
        return Param(name, default or Node(None), domain)
    param = Param(name, default, domain)
    try:
        param.pick(default)
    except Reason as fact:
        check.report(default, str(fact))
    return param


def parse_domain(node: Node, check: Problems) -> Domain | None:
    """Parse `{choices: [...]}`, `{range: [low, high], step:, log:}` or `{cases: {...}}`; report other keys."""
    entries = node.mapping
    kinds = [kind for kind in _KINDS if kind in entries]
    if len(kinds) != 1:
        check.report(node, f"one of {', '.join(_KINDS)} is needed, got {', '.join(kinds) or 'none'}")
        return None
    if kinds == ["range"]:
        check.keys(node, ["range"], ["default", "step", "log"])
        return _range(node, check)
    check.keys(node, kinds, ["default"])
    return _cases(entries["cases"], check) if kinds == ["cases"] else _choices(entries["choices"], check)


def _cases(node: Node, check: Problems) -> Choices:
    if not node.mapping:
        check.report(node, f"a mapping from names to values is needed, got {node.shown()}")
    return Choices(dict(node.mapping))


def _choices(node: Node, check: Problems) -> Choices:
    values: dict[str, Node] = {}
    for item in check.sequence(node, "choices"):
        label = label_of(item)
        if label in values:
            check.report(item, f"choice {item.shown()} is given twice")
        values.setdefault(label, item)
    if node.value == ():
        check.report(node, "choices are empty; at least one is needed")
    return Choices(values)


def _range(node: Node, check: Problems) -> Range | None:
    entries = node.mapping
    ends = entries["range"].items
    if len(ends) != 2:
        check.report(entries["range"], f"two numbers [low, high] are needed, got {entries['range'].shown()}")
        return None
    before = len(check.problems)
    low, high = check.number(ends[0]), check.number(ends[1])
    ends_known, of_step = len(check.problems) == before, len(check.problems)
    step = check.number(entries["step"]) if "step" in entries else None
    step_known = len(check.problems) == of_step
    log = check.flag(entries["log"]) if "log" in entries else False
    if ends_known:
        _check_ends(entries["range"], (low, high), log, check)
    if log and step is not None and step_known:
        check.report(entries["step"], "a log range cannot have a step")
    if step is not None and step_known:
        _check_step(entries["step"], step, (low, high) if ends_known else None, check)
    if not ends_known or not step_known:
        return None
    whole = all(isinstance(end.value, int) for end in ends) and (step is None or step.is_integer())
    return Range(low, high, 1.0 if step is None and whole and not log else step, log, whole)


def _check_ends(node: Node, ends: tuple[float, float], log: bool, check: Problems) -> None:
    low, high = ends
    if max(abs(low), abs(high)) > MAX_NUMBER:
        check.report(node, "the ends of a range must be within 10^15")
    if low > high:
        check.report(node, f"low {low:g} is above high {high:g}")
    if log and low <= 0:
        check.report(node, f"a log range must start above 0, got {low:g}")


def _check_step(node: Node, step: float, ends: tuple[float, float] | None, check: Problems) -> None:
    """Check the step; `ends` is None where they are not numbers, and then only the sign of the step is checked."""
    low, high = ends or (0.0, 0.0)
    if step <= 0:
        check.report(node, f"a step must be above 0, got {step:g}")
    elif step < (high - low) / MAX_NUMBER:
        check.report(node, f"step {step:g} is too small for [{low:g}, {high:g}]")
    elif abs((high - low) / step - round((high - low) / step)) > 1e-9 * max(1.0, abs((high - low) / step)):
        check.report(node, f"step {step:g} does not divide [{low:g}, {high:g}]")
