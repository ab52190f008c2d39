"""Arguments of a sliding window -> (height, width) pairs, with resbench's default padding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resbench.errors import Reason

Pair = tuple[int, int]


def pair(name: str, value: int | Pair, low: int = 1) -> Pair:
    """Return a pair; an int means both axes.

    >>> pair("kernel", 3), pair("stride", (1, 2))
    ((3, 3), (1, 2))
    """
    result = (value, value) if isinstance(value, int) else (value[0], value[1])
    if min(result) < low:
        raise Reason(f"`{name}` (={value}) must be at least {low}")
    return result


def padding_for(kernel: Pair, dilation: Pair, padding: int | Pair | None) -> Pair:
    """Return the padding: the given one; by default an odd kernel keeps the size at stride 1, and an even one is not
    padded.

    >>> padding_for((3, 3), (1, 1), None), padding_for((2, 2), (1, 1), None), padding_for((1, 7), (1, 1), None)
    ((1, 1), (0, 0), (0, 3))
    """
    if padding is not None:
        return pair("padding", padding, low=0)
    height, width = (d * (k - 1) // 2 if k % 2 else 0 for k, d in zip(kernel, dilation, strict=True))
    return height, width


def spell_out(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a window op with its padding written out.

    >>> spell_out({"kernel": (3, 3), "padding": None})
    {'kernel': (3, 3), 'padding': (1, 1)}
    """
    kernel, dilation = pair("kernel", arguments["kernel"]), pair("dilation", arguments.get("dilation", 1))
    return {**arguments, "padding": padding_for(kernel, dilation, arguments["padding"])}


def does_nothing(arguments: Mapping[str, Any], channels: int) -> bool:
    """Return whether a pooling window changes nothing: one pixel, stride 1, no padding."""
    explicit = spell_out(arguments)
    return pair("kernel", explicit["kernel"]) == (1, 1) == pair("stride", explicit["stride"]) and explicit[
        "padding"
    ] == (0, 0)


def short(arguments: Mapping[str, Any]) -> tuple[int | Pair, int | Pair, int | Pair]:
    """Return kernel, stride and padding as a person writes them: one number where both axes are equal.

    >>> short({"kernel": (3, 3), "stride": 2, "padding": None}), short({"kernel": (1, 7), "stride": 1, "padding": None})
    ((3, 2, 1), ((1, 7), 1, (0, 3)))
    """
    explicit = spell_out(arguments)
    return short_pair(explicit["kernel"]), short_pair(explicit["stride"]), short_pair(explicit["padding"])


def short_pair(value: int | Pair) -> int | Pair:
    return value[0] if isinstance(value, tuple) and value[0] == value[1] else value
