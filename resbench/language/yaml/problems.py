"""Node -> Python values, with every problem collected and none raised.

Each function returns a usable placeholder after reporting, so that checking continues with the next problem of the
file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput, Problem, SpecError
from resbench.escape import printable
from resbench.language.expressions.expression import Expression
from resbench.language.names import why_not
from resbench.language.yaml.node import Node

MAX_PROBLEMS = 50  # reported at once; a file with more is probably of another kind


@dataclass(slots=True)
class Problems:
    """The problems found while reading one file."""

    problems: list[Problem] = field(default_factory=list)

    def report(self, node: Node, message: str) -> None:
        self.add(node.problem(message))

    def report_key(self, node: Node, key: str, message: str) -> None:
        self.add(node.key_problem(key, message))

    def report_error(self, node: Node, error: BadInput) -> None:
        """Report the problems of a part, at their own places where they have some."""
        if isinstance(error, SpecError):
            for problem in error.problems:
                if problem not in self.problems:  # a bad block is reported once, however often it is used
                    self.add(problem)
        else:
            self.report(node, str(error))

    def add(self, problem: Problem) -> None:
        self.problems.append(problem)
        if len(self.problems) >= MAX_PROBLEMS:
            self.problems.append(Problem(f"{MAX_PROBLEMS} problems, and there may be more:"))
            self.done()

    def done(self) -> None:
        """Raise SpecError if anything was reported, in the order of the files' lines."""
        if self.problems:
            raise SpecError(sorted(dict.fromkeys(self.problems), key=by_place))

    def keys(self, node: Node, required: Sequence[str], optional: Sequence[str] = ()) -> bool:
        """Return whether the node is a mapping; report unknown and missing keys."""
        if not isinstance(node.value, dict):
            self.report(node, f"a mapping is needed, got {node.shown()}; keys: {', '.join((*required, *optional))}")
            return False
        allowed = [*required, *optional]
        for key in node.value:
            if key not in allowed:
                near = did_you_mean(key, allowed)
                self.report_key(node, key, f"unknown key `{printable(key)}`; allowed: {', '.join(allowed)}{near}")
        for key in required:
            if key not in node.value:
                self.report(node, f"key `{key}` is missing")
        return True

    def name(self, node: Node) -> str:
        """Return a legal name, or a placeholder where it is not one."""
        if not isinstance(node.value, str):
            self.report(node, f"a name is needed, got {node.shown()}")
            return "unnamed"
        reason = why_not(node.value)
        if reason:
            self.report(node, reason)
        return node.value if reason is None else "unnamed"

    def text(self, node: Node | None) -> str:
        if node is None or node.value is None:
            return ""
        if isinstance(node.value, dict | tuple | Expression):
            self.report(node, f"a text is needed, got {node.shown()}")
            return ""
        return str(node.value)

    def sequence(self, node: Node, what: str) -> tuple[Node, ...]:
        if not isinstance(node.value, tuple):
            self.report(node, f"a list of {what} is needed, got {node.shown()}")
        return node.items

    def whole(self, node: Node, low: int, high: int) -> int:
        """Return a whole number from low to high; report any other value."""
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.report(node, f"a whole number from {low:,} to {high:,} is needed, got {node.shown()}")
            return low
        return value

    def number(self, node: Node) -> float:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.report(node, f"a number is needed, got {node.shown()}")
            return 0.0
        return float(value)

    def flag(self, node: Node) -> bool:
        if not isinstance(node.value, bool):
            self.report(node, f"true or false is needed, got {node.shown()}")
            return False
        return node.value


def by_place(problem: Problem) -> tuple[str, int, int]:
    """Return the sort key of a problem."""
    place = problem.place
    return (place.file, place.line, place.column) if place else ("", 0, 0)


def listed(names: Sequence[str], limit: int = 40) -> str:
    """Return names for a message, only the first ones where there are many.

    >>> listed(["a", "b"]), listed(["a", "b", "c"], 2), listed([])
    ('a, b', 'a, b, ... (3 in all)', 'none')
    """
    more = f", ... ({len(names)} in all)" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more if names else "none"
