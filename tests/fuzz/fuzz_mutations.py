"""A valid file and a seed -> the file with something broken in it: bytes as they come, or its structure."""

from __future__ import annotations

import random
from typing import Any

import yaml

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 3, 7, 0.5, -0.0, 1e-3, 1e30, float("inf"), float("nan"), 2**64, "", "x", "y", "a", "no",
    "010", "$out", "$(out / 3)", "$(1 / 0)", "$(in", "$nothing", "$( )", "relu", "conv3x3", "bn", "add", "self",
    "forward", "🎲", "\n", "a.b", "../x", "[/red]", "<script>", [], {}, [[]], ["x", "x"], ["relu", "relu"], {"choices": []},
    {"range": [1, 0]}, {"default": 1, "choices": [1, 1]}, {"by": "$x", "cases": {}}, {"use": "original"},
    {"repeat": {"times": 3, "ops": ["relu"]}},
    {"conv3x3": {"out": 10**9}}, {"conv3x3": {"stride": "$stride"}}, {"dropout": {"rate": 1.0}}, {"extends": "original"},
)  # fmt: skip
BYTES = (b"\x00", b"\xff", b"\t", b":", b" ", b"\n", b"-", b"{", b"}", b"[", b"]", b"$", b"(", b")", b"&a ", b"*a",
         b"!!python/none ",
                  b"'", b'"', b"#", b"<<: ", b"0", b"9" * 30, b"e", b",", b"|", b">", b"%", b"@", b"\xe2\x80\xa8")  # fmt: skip


def mutated(text: str, rng: random.Random) -> bytes:
    """One to three changes, of one kind."""
    change = of_bytes if rng.random() < 0.5 else of_structure
    raw = text.encode()
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        raw = change(raw, rng)
    return raw


def of_bytes(raw: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(raw) + 1)
    to = min(len(raw), at + rng.choice([1, 1, 2, 5, 20, 100]))
    kind = rng.randrange(5)
    if kind == 0:
        return raw[:at] + raw[to:]
    if kind == 1:
        return raw[:at] + rng.choice(BYTES) + raw[at:]
    if kind == 2:
        return raw[:at] + raw[at:to] * rng.choice([2, 3]) + raw[to:]
    if kind == 3:
        return raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]
    lines = raw.split(b"\n")
    rng.shuffle(lines[rng.randrange(len(lines)) :])
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def of_structure(raw: bytes, rng: random.Random) -> bytes:
    """A value, a key, an item changed, taken away, doubled or put elsewhere. What is no YAML any more stays as it is."""
    try:
        data = yaml.safe_load(raw)
    except (yaml.YAMLError, ValueError, RecursionError):
        return raw
    change_value(data, rng)
    try:
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True).encode()
    except (yaml.YAMLError, RecursionError):
        return raw


def change_value(data: Any, rng: random.Random, odd: tuple[Any, ...] = ODD) -> None:
    """Change, take away, double or move one entry of a structure of mappings and lists, in place."""
    places = list(_places(data))
    if not places:
        return
    holder, key = rng.choice(places)
    kind = rng.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        holder[key] = rng.choice(odd)
    elif kind == 2:
        other, at = rng.choice(places)
        holder[key] = other[at] if at in _keys(other) else None
    elif kind == 3 and isinstance(holder, dict):
        holder[_renamed(str(key), rng)] = holder.pop(key)
    elif kind == 4 and isinstance(holder, list):
        holder.insert(rng.randrange(len(holder) + 1), rng.choice(odd))
    elif isinstance(holder, dict):
        holder[rng.choice(["x", "y", "f", "ops", "from", "nodes", "when", "params", "zz", "extends"])] = rng.choice(odd)


def _places(data: Any, depth: int = 0) -> list[tuple[Any, Any]]:
    """Every entry of every mapping and list, by its holder; a structure that holds itself is not walked for ever."""
    if depth > 20 or not isinstance(data, dict | list):
        return []
    found = [(data, key) for key in _keys(data)]
    return found + [place for key in _keys(data) for place in _places(data[key], depth + 1)]


def _keys(holder: Any) -> list[Any]:
    return list(holder) if isinstance(holder, dict) else list(range(len(holder)))


def _renamed(key: str, rng: random.Random) -> str:
    at = rng.randrange(len(key) + 1)
    return rng.choice([key[:at] + key[at + 1 :], key[:at] + "z" + key[at:], key[::-1], key.upper(), "y", "x"])
