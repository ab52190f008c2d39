"""Pairs of networks in few words, for the tables of what is one architecture and what is two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from compiler_sample import chain, of

from resbench.compiler.graph import BoundNetwork

Pair = tuple[BoundNetwork, BoundNetwork]
Build = Callable[[], Pair]

F = {"from": "x", "ops": ["conv3x3", "bn", "relu", "conv3x3"]}
G = {"from": "x", "ops": ["conv1x1", "sigmoid"]}
ADD = {"from": ["x", "f"], "ops": ["add"]}


def op(name: str, **arguments: Any) -> dict[str, Any]:
    return {name: arguments}


def node(source: Any, *ops: Any) -> dict[str, Any]:
    return {"from": source, "ops": list(ops)}


def chains(first: list[Any], second: list[Any], **more: Any) -> Build:
    return lambda: (chain(*first, **more), chain(*second, **more))


def units(first: Any, second: Any, **more: Any) -> Build:
    return lambda: (of(first, **more), of(second, **more))


def summed(*ops: Any) -> dict[str, Any]:
    """x plus a convolution, plus what `ops` make of a second one."""
    return {"f": node("x", "conv3x3"), "g": node("x", "conv1x1", *ops), "y": node(["x", "f", "g"], "add")}
