"""Arguments of the Python door: checked where they are given, with the name that a program wrote."""

from __future__ import annotations

from collections.abc import Mapping
from operator import index
from os import PathLike
from typing import SupportsIndex

from resbench.errors import BadInput
from resbench.escape import printable

MAX_SEED = 2**63 - 1


def whole_number(value: object, name: str, low: int, high: int = MAX_SEED) -> int:
    """Return a whole number from `low` to `high`, also one of numpy's. Raises BadInput.

    >>> whole_number(3, "seed", 0)
    3
    """
    allowed = f"a whole number of at least {low}" if high == MAX_SEED else f"a whole number from {low} to {high}"
    if isinstance(value, bool) or not isinstance(value, SupportsIndex) or not low <= index(value) <= high:
        raise BadInput(f"{name}: expected {allowed}, got {printable(repr(value), 80)}")
    return index(value)


def check_named(value: object, name: str, what: str) -> None:
    """Raise BadInput for anything but a name, a path or a mapping."""
    if not isinstance(value, str | PathLike | Mapping):
        raise BadInput(f"{name}: expected {what}, got {printable(repr(value), 80)}")


def check_kind(mapping: Mapping[str, object], kind: str) -> None:
    """Raise BadInput for a mapping without the key that names what it is, such as `unit: mine`."""
    if kind not in mapping:
        keys = ", ".join(f"`{printable(str(key), 40)}`" for key in mapping) or "no key"
        raise BadInput(f"{kind}: expected a mapping with the key `{kind}`, its name, got one with {keys}")
