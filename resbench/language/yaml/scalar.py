"""Text <-> scalar by YAML 1.2's core schema (`1e-3` is a float, `no` is text, `010` is ten), and data -> YAML flow text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from resbench.escape import yaml_string

Scalar = None | bool | int | float | str

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_INT = 40  # digits; a longer one is read as a float, and is therefore refused where a whole number is needed
_NOT_PLAIN = re.compile(r"[,?\[\]{}]|: |:$| #|^[\s&*!|>'\"%@`#?:]|^-(\s|$)|^(---|\.\.\.)(\s|$)|\s$")
_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    **{sign + word: number for sign, number in (("", math.inf), ("+", math.inf), ("-", -math.inf))
       for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}  # fmt: skip


def scalar(text: str) -> Scalar:
    """Return the value of a plain scalar.

    >>> [scalar(text) for text in ("1e-3", "no", "010", "1_000", "1:30", "~", "0x1F", "-.5")]
    [0.001, 'no', 10, '1_000', '1:30', None, 31, -0.5]
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) and len(text) <= _LONGEST_INT:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def flow(value: object, *, strict: bool = False) -> str:
    """Plain data -> YAML flow text, as people write it; a text that would be read as something else is quoted.

    `strict`: also quote an expression that YAML itself would split, as a file needs.

    >>> flow({"kernel": [3, 3], "bias": False, "init": None, "cut": "no", "lr": "1e-3", "by": "$(a, b)"})
    '{kernel: [3, 3], bias: false, init: null, cut: no, lr: "1e-3", by: $(a, b)}'
    >>> flow(["$(a, b)", "$a"], strict=True)
    '["$(a, b)", $a]'
    """
    if isinstance(value, Mapping):
        pairs = ((flow(key, strict=strict), flow(item, strict=strict)) for key, item in value.items())
        return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item, strict=strict) for item in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return {math.inf: ".inf", -math.inf: "-.inf"}.get(value, ".nan")
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    text = str(value)
    return yaml_string(text) if isinstance(value, str) and _needs_quotes(text, strict) else text


def _needs_quotes(text: str, strict: bool) -> bool:
    if not text.isprintable():
        return True
    if text.startswith("$") and not strict:
        return False
    return scalar(text) != text or _NOT_PLAIN.search(text) is not None
