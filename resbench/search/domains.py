"""A domain -> its values by label, for a grid."""

from __future__ import annotations

from functools import lru_cache

from resbench.errors import SpaceTooLarge
from resbench.language.graph.params import Choices, Domain, Range, label_of
from resbench.language.yaml.node import Node

MAX_POINTS = 100_000


def choices(domain: Domain) -> dict[str, Node]:
    """Return the values of a domain by label. Raises SpaceTooLarge for a range without a step, or with too many."""
    if isinstance(domain, Choices):
        return dict(domain.values)
    return dict(_labelled(domain))


def count_of(domain: Domain) -> int | None:
    """Return how many values it has; None for a range without a step."""
    if isinstance(domain, Choices):
        return len(domain.values)
    return None if domain.step is None else round((domain.high - domain.low) / domain.step) + 1


def at_step(domain: Range, number: int) -> Node:
    """Return the value at that step of a range."""
    assert domain.step is not None
    value = domain.low + number * domain.step
    return Node(int(value) if domain.whole else float(f"{value:.12g}"))


def value_of(domain: Domain, label: str) -> Node:
    """Return the value of a label."""
    if isinstance(domain, Choices):
        return domain.values[label]
    return Node(int(label) if domain.whole else float(label))


@lru_cache(maxsize=64)  # a walk asks for each at every point
def _labelled(domain: Range) -> dict[str, Node]:
    count = count_of(domain)
    if count is None:
        raise SpaceTooLarge(
            f"the range [{domain.low:g}, {domain.high:g}] of any numbers has no `step`, so its values cannot all be tried; "
            f"{'' if domain.log else 'give it one, '}name `choices` in the study, or let a search draw as many points as "
            f"`budget.trials` says"
        )
    if count > MAX_POINTS:
        raise SpaceTooLarge(f"the range [{domain.low:g}, {domain.high:g}] has {count:,} steps; at most {MAX_POINTS:,}")
    return {label_of(node): node for node in (at_step(domain, i) for i in range(count))}
