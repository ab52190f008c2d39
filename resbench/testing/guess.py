"""An op's signature -> cases to test it with by default: required arguments are guessed, each choice is used once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from resbench.language.graph.signature import Argument, allowed
from resbench.testing.case import SHAPE, Case, case_of, kind_of, signature_of

_GUESSES: dict[str, Any] = {"int": 2, "pair": [2, 2], "float": 0.5, "bool": False, "initial": 1.0, "ops": ["relu"]}


def guess(op: str | type[nn.Module]) -> list[Case]:
    """Return cases for an op. Raises AssertionError for a required argument that cannot be guessed."""
    signature = signature_of(kind_of(op))
    given = {name: _guess(name, argument) for name, argument in signature.arguments.items() if argument.required}
    low, high = signature.inputs
    counts = [low] if high is not None else [low, low + 1]
    shapes = [(SHAPE,) * count for count in counts]
    return [case_of(op, each, of) for each in (given, *varied(given, signature.arguments)) for of in shapes]


def _guess(name: str, argument: Argument) -> Any:
    if name == "out":
        return SHAPE[0]
    if argument.literals:
        return argument.literals[0]
    found = next((_GUESSES[kind] for kind in argument.kinds if kind in _GUESSES), None)
    if found is None:
        raise AssertionError(f"cannot guess its argument `{name}` ({allowed(argument)}); use check_op in a test")
    return found


def varied(given: Mapping[str, Any], schema: Mapping[str, Argument]) -> Iterator[dict[str, Any]]:
    """Yield the arguments with each flag inverted and each other literal used."""
    for name, argument in schema.items():
        current = given.get(name, argument.default)
        if name not in given or argument.required:
            if argument.kinds == ("bool",):
                yield {**given, name: not current}
            for literal in argument.literals:
                if literal != current:
                    yield {**given, name: literal}
