"""`keep` of a study -> Keep: the runs whose weights are kept, and the disk space that they may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Literal, get_args

from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems

Runs = Literal["best", "finalists", "all", "none"]
RUNS: tuple[Runs, ...] = get_args(Runs)
GIB = 1.0  # where a study gives none


@dataclass(frozen=True, slots=True)
class Keep:
    """Which weights are kept. `runs`: `best`, for each unit that may be the best, the seed nearest to its median;
    `finalists`, every run on which the ranking depends; `all`, also the search runs; `none`. `gib` limits all weights
    beside the database together.
    """

    runs: Runs = "best"
    gib: float = GIB

    @property
    def bytes(self) -> float:
        return self.gib * 2**30

    def wants(self, *, judges: bool) -> bool:
        """Return whether a run's weights are kept when it ends; the best are selected later."""
        return self.runs == "all" or (self.runs != "none" and judges)

    def as_json(self) -> dict[str, Any]:
        return {"runs": self.runs, "gib": self.gib}


def parse_keep(node: Node, check: Problems) -> Keep:
    """Parse `keep`; `keep: best` is `keep: {runs: best}`."""
    if not isinstance(node.value, Mapping):
        return Keep(_runs(node, check))
    check.keys(node, [], ("runs", "gib"))
    runs = _runs(node.mapping["runs"], check) if "runs" in node.mapping else "best"
    return Keep(runs, _gib(node.mapping["gib"], check) if "gib" in node.mapping else GIB)


def keep_from(data: Any) -> Keep:
    """Return the value stored in a study's row; rows of older versions keep only what they name."""
    return Keep(**data) if isinstance(data, dict) else Keep("none")


def _runs(node: Node, check: Problems) -> Runs:
    found = next((runs for runs in RUNS if runs == node.value), None)
    if found is None:
        check.report(node, f"one of {', '.join(RUNS)} is needed, got {node.shown()}")
    return found or "best"


def _gib(node: Node, check: Problems) -> float:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float) or not 0 < node.value < inf:
        check.report(node, f"a number of GiB above 0 is needed, got {node.shown()}")
        return GIB
    return float(node.value)
