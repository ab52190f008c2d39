"""Define the vocabulary of `@op(...)` that pictures, theory and the language share: role, effect and join.

Ops declare these facts (ops/registry.py), and ops/schema.py reads the literal ones from their source; no op is named
here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, get_args

from resbench.did_you_mean import did_you_mean
from resbench.escape import printable

Role = Literal["weights", "norm", "activation", "gate", "random", "moving", "merge", "other"]
"""The role of an op, which sets its colour in pictures. A network's depth counts the layers of role `weights`."""

Effect = Literal[
    "kept", "scaled", "learned", "dropped", "gated", "normalised", "pooled", "projected", "rectified", "nonlinear"
]
"""The effect of an op on x on the identity path, from the least to the most severe."""

Join = Literal["sum", "difference", "channels", "product"]
"""How an op joins several values: as their exact sum, first minus second, concatenated, or as their product."""

ROLES: tuple[Role, ...] = get_args(Role)
EFFECTS: tuple[Effect, ...] = get_args(Effect)
JOINS: tuple[Join, ...] = get_args(Join)
DIRECT: frozenset[Effect] = frozenset({"kept", "scaled", "learned", "dropped", "gated"})
"""Effects that keep x in place, times a factor; Eq. 7 of the paper covers these."""
FACTORS: frozenset[Effect] = frozenset({"scaled", "learned", "dropped"})
"""Effects that need a number: the factor, fixed, initial or on average."""

_OF_JOIN: Mapping[Join, tuple[str, Effect]] = {
    "sum": ("+", "kept"), "difference": ("−", "kept"), "channels": ("‖", "kept"), "product": ("×", "gated"),
}  # fmt: skip


def sign_of(join: Join | None) -> str:
    """Return the sign for a join in pictures, empty for an op that joins nothing."""
    return _OF_JOIN[join][0] if join is not None else ""


def effect_of(join: Join | None) -> Effect:
    """Return the effect assumed for an op that declares none: the one of its join, else the most severe."""
    return _OF_JOIN[join][1] if join is not None else "nonlinear"


def wrong_words(role: object, effect: object, join: object) -> Iterator[str]:
    """Yield a sentence for each of the three words that is unknown, and for an effect that contradicts the join."""
    for name, given, words in (("role", role, ROLES), ("effect", effect, EFFECTS), ("joins", join, JOINS)):
        if given is not None and given not in words:
            hint = did_you_mean(given, words)
            yield f"`{name}`: expected one of {', '.join(words)}, got `{printable(str(given))}`{hint}"
    if join in JOINS and effect in EFFECTS and effect != effect_of(join):
        yield f'`effect`: expected "{effect_of(join)}" beside joins="{join}", got "{effect}"; leave it out'
    if join is None and effect == "gated":
        yield '`effect`: "gated" goes with joins="product" alone; without that, say nothing'
