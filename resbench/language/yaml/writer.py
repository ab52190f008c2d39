"""Plain data of a spec -> the YAML text that a person would write: a line for each entry, flow style within."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resbench.language.yaml.node import flow


def yaml_text(data: Mapping[str, Any]) -> str:
    """Return the YAML text; reading it gives the same data, whatever texts it holds.

    >>> print(yaml_text({"unit": "u", "nodes": {"y": {"from": "x", "ops": ["relu"]}}, "doc": None}), end="")
    unit: u
    nodes:
      y: {from: x, ops: [relu]}
    """
    lines = []
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            lines += [f"{_line(key)}:", *(f"  {_line(name)}: {_line(one)}" for name, one in value.items())]
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            lines += [f"{_line(key)}:", *(f"  - {_line(one)}" for one in value)]
        elif value is not None:
            lines.append(f"{_line(key)}: {_line(value)}")
    return "\n".join([*lines, ""])


def _line(value: object) -> str:
    return flow(value, strict=True)
