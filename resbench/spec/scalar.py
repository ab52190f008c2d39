"""Text <-> scalar by YAML 1.2's core schema (`1e-3` is a float, `no` is text, `010` is ten), and data -> YAML flow text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

Scalar = None | bool | int | float | str

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_INT = 40  # digits; a longer one is read as a float, and so refused wherever a whole number is needed
_NOT_PLAIN = re.compile(r"[,?\[\]{}]|: |:$| #|^[\s&*!|>'\"%@`#?:]|^-(\s|$)|^(---|\.\.\.)(\s|$)|\s$")
_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan,
}  # fmt: skip


def scalar(text: str) -> Scalar:
    """What a plain scalar stands for.

    >>> [scalar(text) for text in ("1e-3", "no", "010", "1_000", "1:30", "~", "0x1F", "-.5")]
    [0.001, 'no', 10, '1_000', '1:30', None, 31, -0.5]
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) and len(text) <= _LONGEST_INT:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def flow(value: object) -> str:
    """Plain data -> YAML flow text, as people write it; a text that would be read as something else is quoted.

    >>> flow({"kernel": [3, 3], "bias": False, "init": None, "cut": "no", "lr": "1e-3", "by": "$(a, b)"})
    '{kernel: [3, 3], bias: false, init: null, cut: no, lr: "1e-3", by: $(a, b)}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return {math.inf: ".inf", -math.inf: "-.inf"}.get(value, ".nan")
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    text = str(value)
    if isinstance(value, str) and not text.startswith("$") and (scalar(text) != text or _NOT_PLAIN.search(text)):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text
