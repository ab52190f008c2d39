"""`track:` of a study -> the trackers that show its runs. Trackers are not part of a study's identity: no digest
includes them.

A study may come from a stranger, so it may send results nowhere: a text in it must not be an address or lead out of
the current folder. The person who runs the study may give any, with `--track`.
"""

from __future__ import annotations

import re

from resbench.language.graph.network import Use, parse_use
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems


def parse_track(node: Node | None, check: Problems, *, trusted: bool = False) -> tuple[Use, ...]:
    """Parse a name, `{use: name, argument: value}`, or a list of these. `trusted`: the person who runs the study wrote it."""
    if node is None or node.value is None:
        return ()
    items = node.items if isinstance(node.value, tuple) else (node,)
    found = [parse_use(item, check) for item in items]
    for use in found:
        for name, value in use.arguments.items():
            if not isinstance(value.value, str | bool | int | float):
                check.report(value, f"{name}: expected a text, a number, true or false, got {value.shown()}")
            elif not trusted and isinstance(value.value, str) and not _is_local(value.value):
                check.report(
                    value, f"{name}: expected a name or a path below the current folder, got {value.shown()}; a study may not "
                    "send results elsewhere, who runs it may, with --track"
                )  # fmt: skip
    names = [use.name for use in found if use.name]
    if len(set(names)) < len(names):
        check.report(node, "a tracker is named twice")
    return tuple(use for use in found if use.name)


def _is_local(text: str) -> bool:
    """Return whether a text is a name, or a path (also of an SQLite database) that stays below the current folder.

    >>> _is_local("runs/here"), _is_local("sqlite:///mlflow.db"), _is_local("sqlite:///../x"), _is_local("https://a.org")
    (True, True, False, False)
    """
    path = text.removeprefix("sqlite:///")
    leads_out = path.startswith(("/", "\\", "~")) or ".." in re.split(r"[/\\]", path)
    return not (leads_out or ":" in path or "\x00" in path)
