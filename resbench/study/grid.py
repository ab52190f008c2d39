"""A domain -> its values by label, for a grid."""

from __future__ import annotations

from resbench.errors import BadInput
from resbench.spec.domain import Choices, Domain, Range, label_of
from resbench.spec.node import Node

MAX_POINTS = 100_000


class Endless(BadInput):
    """What has more values than can be walked."""


def choices(domain: Domain) -> dict[str, Node]:
    """Raises Endless for a range without a step, or with too many."""
    if isinstance(domain, Choices):
        return dict(domain.values)
    return {label_of(node): node for node in _steps(domain)}


def value_of(domain: Domain, label: str) -> Node:
    """What a label stands for."""
    if isinstance(domain, Choices):
        return domain.values[label]
    return Node(int(label) if domain.whole else float(label))


def _steps(domain: Range) -> list[Node]:
    if domain.step is None:
        raise Endless(
            f"the range [{domain.low:g}, {domain.high:g}] has no `step`, so its values cannot all be tried; give it one, name "
            f"`choices` in the study, or let a search draw as many points as `budget.trials` says"
        )
    count = round((domain.high - domain.low) / domain.step) + 1
    if count > MAX_POINTS:
        raise Endless(f"the range [{domain.low:g}, {domain.high:g}] has {count:,} steps; at most {MAX_POINTS:,}")
    values = [domain.low + i * domain.step for i in range(count)]
    return [Node(int(value) if domain.whole else float(f"{value:.12g}")) for value in values]
