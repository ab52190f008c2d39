"""An op's arguments -> numbers that print as names, so that an op's own code can be written for any number.

The name says where a number is from: `f.conv1`'s `out` prints as one name, whatever its value. Units that differ only in
numbers therefore have the same text, and share a class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MARK = "\u01c0"  # a letter to Python, and in no name of a spec: `f.conv1`, `out` -> the name fǀconv1ǀout
Names = dict[str, int | float]


class _Named:
    """A number that prints as a name, or a computed number that prints as its formula."""

    text: str
    worked_out: bool

    def __repr__(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text

    def __format__(self, form: str) -> str:
        return self.text

    def __add__(self, other: Any) -> Any:
        return self if other == 0 and not isinstance(other, _Named) else _work_out(self, "+", other)

    def __radd__(self, other: Any) -> Any:
        return self if other == 0 else _work_out(other, "+", self)

    def __sub__(self, other: Any) -> Any:
        return self if other == 0 and not isinstance(other, _Named) else _work_out(self, "-", other)

    def __rsub__(self, other: Any) -> Any:
        return _work_out(other, "-", self)

    def __mul__(self, other: Any) -> Any:
        return _work_out(self, "*", other)

    def __rmul__(self, other: Any) -> Any:
        return _work_out(other, "*", self)

    def __floordiv__(self, other: Any) -> Any:
        return _work_out(self, "//", other)

    def __truediv__(self, other: Any) -> Any:
        return _work_out(self, "/", other)


class NamedInteger(_Named, int):
    pass


class NamedFloat(_Named, float):
    pass


def name_of(path: str, argument: str) -> str:
    return f"{path}.{argument}".replace(".", MARK)


def named(value: Any, name: str, names: Names) -> Any:
    """Return the value with a name for each number in it, which is added to `names`.

    >>> names: Names = {}
    >>> size = named((3, 5), "k", names)
    >>> f"Conv({size[0]}, padding={(size[1] - 1) // 2})".replace(MARK, ".")
    'Conv(k.0, padding=(k.1 - 1) // 2)'
    """
    if isinstance(value, tuple):
        return tuple(named(item, f"{name}{MARK}{i}", names) for i, item in enumerate(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    names[name] = value
    return _make(value, name, worked_out=False)


def name_arguments(arguments: Mapping[str, Any], path: str, names: Names) -> dict[str, Any]:
    return {key: named(value, name_of(path, key), names) for key, value in arguments.items()}


def _make(value: int | float, text: str, *, worked_out: bool) -> NamedInteger | NamedFloat:
    number = NamedInteger(value) if isinstance(value, int) else NamedFloat(value)
    number.text, number.worked_out = text, worked_out
    return number


def _work_out(a: Any, sign: str, b: Any) -> NamedInteger | NamedFloat:
    left, right = _plain(a), _plain(b)
    values = {"+": left + right, "-": left - right, "*": left * right}
    value = values[sign] if sign in values else left // right if sign == "//" else left / right
    return _make(value, f"{_operand(a)} {sign} {_operand(b)}", worked_out=True)


def _plain(number: int | float) -> int | float:
    return int(number) if isinstance(number, int) else float(number)


def _operand(number: Any) -> str:
    return f"({number.text})" if isinstance(number, _Named) and number.worked_out else str(number)
