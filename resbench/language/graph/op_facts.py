"""What an op can say of itself in `@op(...)` besides its arguments, in words that pictures, theory and the language share.

The ops say it (ops/registry.py), ops/schema.py reads what is literal of it from their source; here are the words, and no op.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, get_args

from resbench.errors import did_you_mean
from resbench.escape import printable

Role = Literal["weights", "norm", "activation", "gate", "random", "moving", "merge", "other"]
"""What an op is for: its colour in pictures. `weights` are the layers that a network's depth counts."""

Effect = Literal[
    "kept", "scaled", "learned", "dropped", "gated", "normalised", "pooled", "projected", "rectified", "nonlinear"
]
"""What an op does to x on the identity path, from no harm to the most."""

Join = Literal["sum", "difference", "channels", "product"]
"""How an op joins several values: exactly as their sum, first minus second, one behind the other, or product."""

ROLES: tuple[Role, ...] = get_args(Role)
EFFECTS: tuple[Effect, ...] = get_args(Effect)
JOINS: tuple[Join, ...] = get_args(Join)
DIRECT: frozenset[Effect] = frozenset({"kept", "scaled", "learned", "dropped", "gated"})
"""What leaves x in its place, times a factor: of these Eq. 7 of the paper tells."""
FACTORS: frozenset[Effect] = frozenset({"scaled", "learned", "dropped"})
"""Effects that need a number: the factor, as it is, as it starts or on average."""

_OF_JOIN: Mapping[Join, tuple[str, Effect]] = {
    "sum": ("+", "kept"), "difference": ("−", "kept"), "channels": ("‖", "kept"), "product": ("×", "gated"),
}  # fmt: skip


def sign_of(join: Join | None) -> str:
    """Return the sign that a picture has for a join, empty for an op that joins nothing."""
    return _OF_JOIN[join][0] if join is not None else ""


def effect_of(join: Join | None) -> Effect:
    """Return what is assumed of an op that says no effect: the most harm, unless what it joins tells."""
    return _OF_JOIN[join][1] if join is not None else "nonlinear"


def wrong_words(role: object, effect: object, join: object) -> Iterator[str]:
    """Yield a sentence for each word of the three that is none, and for an effect that contradicts the join."""
    for name, given, words in (("role", role, ROLES), ("effect", effect, EFFECTS), ("joins", join, JOINS)):
        if given is not None and given not in words:
            hint = did_you_mean(given, words)
            yield f"`{name}`: expected one of {', '.join(words)}, got `{printable(str(given))}`{hint}"
    if join in JOINS and effect in EFFECTS and effect != effect_of(join):
        yield f'`effect`: expected "{effect_of(join)}" beside joins="{join}", got "{effect}"; leave it out'
    if join is None and effect == "gated":
        yield '`effect`: "gated" goes with joins="product" alone; without that, say nothing'
