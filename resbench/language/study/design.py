"""`objectives`, `race` and `paired` of a study -> Design: how its results will be evaluated, fixed before the first run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from resbench.did_you_mean import did_you_mean
from resbench.escape import printable
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems

MEASURED = ("val_error_pct", "val_loss", "train_loss", "train_s")
"""Objectives measured for each run, with a spread over seeds: columns of rb_run."""

EXACT = ("params", "macs")
"""Objectives of a network, without a spread."""


class ObjectiveWords(NamedTuple):
    """The names of an objective as a column head, in a sentence, and as the unit of a difference."""

    short: str
    long: str
    unit: str


WORDS = {
    "val_error_pct": ObjectiveWords("error %", "val error in percent", "points of val error"),
    "val_loss": ObjectiveWords("val loss", "val loss in nats", "nats of val loss"),
    "train_loss": ObjectiveWords("train loss", "training loss in nats", "nats of training loss"),
    "train_s": ObjectiveWords("train s", "seconds of training", "seconds of training"),
    "params": ObjectiveWords("params", "parameters", "parameters"),
    "macs": ObjectiveWords("MACs", "multiply-accumulates", "multiply-accumulates"),
}

LOOKS = (5, 8, 12, 20)
"""Seeds of every remaining unit at each interim look of a race that is given as `true`."""

KEYS = ("objectives", "race", "paired")

MIN_SEEDS = 3
"""With fewer converged runs than this there are means, but no interval, test or claim."""


@dataclass(frozen=True, slots=True)
class Design:
    """How a study is evaluated. `objectives`: all are minimized; tables sort by the first. `race`: seeds at each look.

    `paired`: the seed also draws the split or a subset of the data, so that runs of one seed belong together.
    """

    objectives: tuple[str, ...] = ("val_error_pct",)
    race: tuple[int, ...] | None = None
    paired: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the values that differ from the defaults, so that the identity of a study with defaults does not change."""
        usual = Design()
        data: dict[str, Any] = {}
        if self.objectives != usual.objectives:
            data["objectives"] = list(self.objectives)
        if self.race is not None:
            data["race"] = list(self.race)
        if self.paired:
            data["paired"] = True
        return data


def design_from(data: Mapping[str, Any]) -> Design:
    """Return the design that `as_json` wrote."""
    race = data.get("race")
    return Design(
        tuple(data.get("objectives", Design().objectives)),
        None if race is None else tuple(race),
        data.get("paired", False),
    )


def parse_design(entries: Mapping[str, Node], seeds: int | None, check: Problems) -> Design:
    """Parse the design; `seeds` is the number of seeds of the study, None where it gives none."""
    return Design(
        _objectives(entries["objectives"], check) if "objectives" in entries else Design().objectives,
        _race(entries["race"], seeds, check) if "race" in entries else None,
        check.flag(entries["paired"]) if "paired" in entries else False,
    )


def _objectives(node: Node, check: Problems) -> tuple[str, ...]:
    allowed = (*MEASURED, *EXACT)
    if not isinstance(node.value, dict) or not node.value:
        check.report(
            node, f"objectives such as {{val_error_pct: minimize, macs: minimize}} are needed, got {node.shown()}"
        )
        return Design().objectives
    for name, goal in node.mapping.items():
        if name not in allowed:
            near = did_you_mean(name, allowed)
            check.report_key(
                node, name, f"no objective is called `{printable(name)}`; there are {', '.join(allowed)}{near}"
            )
        if goal.value != "minimize":
            check.report(goal, f"`minimize` is needed (less is better for every objective), got {goal.shown()}")
    if next(iter(node.mapping)) in EXACT:
        check.report(node, f"the first must be one that training measures: {', '.join(MEASURED)}; got {node.shown()}")
    return tuple(node.mapping)


def _race(node: Node, seeds: int | None, check: Problems) -> tuple[int, ...] | None:
    """Parse `true`, or the interim looks themselves; the last is at all seeds."""
    if node.value is False:
        return None
    if seeds is not None and seeds < MIN_SEEDS:
        check.report(node, f"a race needs 3 seeds or more of each unit, the study has {seeds}")
        return None
    if node.value is True:
        return LOOKS if seeds is None else (*(look for look in LOOKS if look < seeds), seeds)
    looks = tuple(
        check.whole(item, MIN_SEEDS, 10_000) for item in check.sequence(node, "seeds at each look, or `true`,")
    )
    if not looks or list(looks) != sorted(set(looks)):
        check.report(node, f"looks are numbers of seeds that grow, such as [5, 8, 12, 20], got {node.shown()}")
    elif seeds is not None and looks[-1] != seeds:
        check.report(node, f"the last look is at all seeds, which are {seeds}, got {looks[-1]}")
    return looks or LOOKS
