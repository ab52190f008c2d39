"""`check_tracker("my_tracker")` tests the contract of every tracker; AssertionError names the broken obligation."""

from __future__ import annotations

from contextlib import chdir
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

from resbench.plugins.active import cause
from resbench.study.trackers.registry import make
from resbench.study.trackers.tracked import Scalar, TrackedRun, TrackedStudy, Tracker

_ENDED = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUN = TrackedRun(
    key="0123456789abcdef",
    study="tried",
    unit="gated bias=-3/é",
    seed=0,
    status="complete",
    params={"unit": "gated bias=-3/é", "recipe.lr": 0.1, "recipe.epochs": 2, "recipe.nesterov": True},
    curves={"val_error_pct": {1: 60.0, 2: 41.5}, "lr": {1: 0.1, 2: 0.05}, "train_s": {1: 1.5, 2: 1.25}},
    row={"val_error_pct": 41.5, "epochs": 2.0},
    tags={"device": "cpu"},
    began=_ENDED - timedelta(seconds=3),
    ended=_ENDED,
)
DIVERGED = replace(RUN, key="fedcba9876543210", seed=1, status="diverged", curves={"val_error_pct": {1: 90.0}}, row={})
STUDY = TrackedStudy("tried", "## tried\n\n| unit |\n|:--|\n| gated |\n", lambda: "<p>tried</p>")


def check_tracker(name: str, arguments: dict[str, Scalar] | None = None) -> str:
    """Check a tracker's contract in an empty folder, which is the current one meanwhile and is removed at the end.

    A run is unknown before it is recorded and known afterwards, also to a new tracker as the next start makes it; a run that
    diverged, without final numbers, is accepted too; the study may be finished twice.
    """
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, chdir(folder):
        first = _begun(name, arguments)
        for run in (RUN, DIVERGED):
            _require(
                not _do(name, "has", first.has, run), name, f"it reports that it has {run.name} before that is recorded"
            )
            _do(name, "record", first.record, run)
            _require(
                _do(name, "has", first.has, run) is True, name, f"it does not report {run.name}, which was recorded"
            )
        _do(name, "finish", first.finish, STUDY)
        _do(name, "close", first.close)
        again = _begun(name, arguments)
        for run in (RUN, DIVERGED):
            _require(
                _do(name, "has", again.has, run) is True,
                name,
                f"after a restart it does not report {run.name}, which would be recorded twice",
            )
        _require(
            not _do(name, "has", again.has, replace(RUN, key="0" * 16)),
            name,
            "it reports a run that was never recorded",
        )
        _do(name, "finish", again.finish, STUDY)
        _do(name, "close", again.close)
    return "records runs once, also over two starts"


def _begun(name: str, arguments: dict[str, Scalar] | None) -> Tracker:
    made = make(name, arguments or {})
    _do(name, "begin", made.begin, STUDY.name)
    return made


def _do(name: str, what: str, call: object, *given: object) -> object:
    assert callable(call)
    try:
        return call(*given)
    except Exception as error:
        raise AssertionError(f"tracker {name}: {what}: {cause(error)}") from error


def _require(condition: bool, name: str, message: str) -> None:
    if not condition:
        raise AssertionError(f"tracker {name}: {message}")
