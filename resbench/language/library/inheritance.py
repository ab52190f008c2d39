"""A child's data over its parent's -> the data of both."""

from __future__ import annotations

from resbench.language.yaml.node import Node


def merge(parent: Node, child: Node, *, tagged: bool = False) -> Node:
    """Merge a child's data over its parent's: mappings merge, everything else replaces. `tagged`: of two mappings with
    one key each, a different key replaces, since such a mapping is a choice (`for: {epochs: 1}` instead of `for:
    {iterations: 400}`).
    """
    if not isinstance(parent.value, dict) or not isinstance(child.value, dict):
        return child
    if tagged and len(parent.value) == len(child.value) == 1 and list(parent.value) != list(child.value):
        return child
    entries = dict(parent.value)
    for key, value in child.value.items():
        entries[key] = merge(entries[key], value, tagged=tagged) if key in entries else value
    return Node(entries, child.place, child.path, {**parent.keys, **child.keys})
