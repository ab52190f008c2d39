"""Points at which tests make a process die, to show that a kill loses nothing.  Without RESBENCH_FAILPOINTS nothing happens.

    RESBENCH_FAILPOINTS='runs.committed=kill' resbench study run ...      when the point is first reached
    RESBENCH_FAILPOINTS='checkpoint.synced=sleep:2.5@3'                  at the third
    RESBENCH_FAILPOINTS='a=kill,b=raise' RESBENCH_FAILPOINTS_ONCE=DIR    each once in all processes that share the folder

`kill` is SIGKILL, `exit` ends the process silently, `raise` raises FailpointReached, `sleep` waits for the given seconds.
"""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from resbench.errors import BadInput


class Failpoint(StrEnum):
    """A place in the code, named after what has just been done or is about to be done."""

    STUDY_AGREED = "study.agreed"  # the study's row is written, none of its trials is
    TRIAL_ASKED = "trial.asked"  # Optuna has the trial, our tables do not have it yet
    TRIAL_WRITTEN = "trial.written"  # both have it, it has no cell yet
    CELLS_QUEUED = "cells.queued"  # some or all
    CELL_CLAIMED = "cell.claimed"
    CELL_ENDING = "cell.ending"  # every run is saved, the cell is open
    CELL_ENDED = "cell.ended"
    CHECKPOINT_WRITTEN = "checkpoint.written"  # under a temporary name, not synced
    CHECKPOINT_SYNCED = "checkpoint.synced"  # not renamed yet
    CHECKPOINT_RENAMED = "checkpoint.renamed"  # no row refers to it yet
    CHECKPOINT_RECORDED = "checkpoint.told"  # older checkpoints still exist
    WEIGHTS_WRITTEN = "weights.written"  # the run is not saved yet
    RUNS_WRITTEN = "runs.written"  # in a transaction that is not committed
    RUNS_COMMITTED = "runs.committed"  # checkpoint files still exist
    TRIAL_REPORTING = "trial.telling"  # all runs are there, Optuna's rows are as they were
    TRIAL_REPORTED = "trial.told"  # one batch of trials' rows is committed
    BEAT = "beat"  # leases are about to be renewed


class FailpointReached(Exception):  # noqa: N818  (a test injects it; it is not part of the exception tree)
    pass


_ACTIONS = ("kill", "exit", "raise", "sleep")
_TIME = re.compile(r"(\d{1,6}(\.\d{1,6})?)?", re.ASCII)
_HIT = re.compile(r"([1-9]\d{0,8})?", re.ASCII)


@dataclass(slots=True)
class _Armed:
    action: str
    argument: float
    hits_left: int


def parse(text: str) -> dict[Failpoint, _Armed]:
    """Parse the value of RESBENCH_FAILPOINTS. Raises BadInput for an unknown point or action.

    >>> {point.name: armed.hits_left for point, armed in parse("runs.committed=kill@2, beat=sleep:0.5").items()}
    {'RUNS_COMMITTED': 2, 'BEAT': 1}
    """
    armed: dict[Failpoint, _Armed] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, rest = part.partition("=")
        action, _, hit = rest.partition("@")
        action, _, argument = action.partition(":")
        if (
            name not in set(Failpoint)
            or action not in _ACTIONS
            or not _TIME.fullmatch(argument)
            or not _HIT.fullmatch(hit)
        ):
            raise BadInput(
                "RESBENCH_FAILPOINTS: expected POINT=ACTION, POINT=sleep:SECONDS or either with @HIT, separated by commas, "
                f"got {part!r}; actions: {', '.join(_ACTIONS)}; points: {', '.join(Failpoint)}"
            )
        armed[Failpoint(name)] = _Armed(action, float(argument or 1), int(hit or 1))
    return armed


@cache
def _armed() -> dict[Failpoint, _Armed]:
    """Return the armed failpoints of this process: those of its environment, until `arm` replaces them."""
    return parse(os.environ.get("RESBENCH_FAILPOINTS", ""))


def check_environment() -> None:
    """Raise BadInput if RESBENCH_FAILPOINTS or RESBENCH_FAILPOINTS_ONCE cannot be used."""
    folder = os.environ.get("RESBENCH_FAILPOINTS_ONCE")
    if _armed() and folder is not None and not Path(folder).is_dir():
        raise BadInput(f"RESBENCH_FAILPOINTS_ONCE: expected an existing folder, got {folder!r}")


def arm(text: str) -> None:
    """Arm failpoints in this process, whatever its environment says."""
    armed = parse(text)
    _armed.cache_clear()
    _armed().clear()
    _armed().update(armed)


def reach(point: Failpoint) -> None:
    armed = _armed().get(point)
    if armed is None:
        return
    armed.hits_left -= 1
    if armed.hits_left == 0 and _first(point):
        _act(point, armed)


def _first(point: Failpoint) -> bool:
    """Return whether no other process has reached the point before."""
    folder = os.environ.get("RESBENCH_FAILPOINTS_ONCE")
    if folder is None:
        return True
    try:
        (Path(folder) / point.value).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _act(point: Failpoint, armed: _Armed) -> None:
    if armed.action == "kill":
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    elif armed.action == "exit":
        os._exit(1)
    elif armed.action == "sleep":
        time.sleep(armed.argument)
    else:
        raise FailpointReached(point.value)
