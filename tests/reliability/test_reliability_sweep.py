"""Every failpoint x {kill, exit, raise, sleep}: the same command finishes the study, and nothing is lost or done twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Stage
from shortened import few

from resbench.failpoints import Failpoint


def test_a_quiet_run(stage: Stage) -> None:
    quiet = stage(width=2, seeds=3)
    assert quiet.finish() == [0]
    quiet.check()
    assert quiet.epochs_trained() == 3 * 2 * 4  # units, blocks of seeds, epochs


# Points that a small study reaches once a start: all its trials are written in one transaction.
ONCE_A_START = (Failpoint.STUDY_AGREED, Failpoint.CELLS_QUEUED, Failpoint.TRIAL_REPORTING, Failpoint.TRIAL_REPORTED)


@pytest.mark.parametrize("action", few(["kill", "exit", "raise", "sleep:0.3"], ["kill"]))
@pytest.mark.parametrize("point", list(Failpoint), ids=str)
def test_every_failpoint(point: Failpoint, action: str, stage: Stage, tmp_path: Path) -> None:
    once = tmp_path / "once"
    once.mkdir()
    env = {"RESBENCH_FAILPOINTS": f"{point}={action}@2", "RESBENCH_FAILPOINTS_ONCE": str(once)}
    if point in ONCE_A_START:
        env["RESBENCH_FAILPOINTS"] = f"{point}={action}"
    swept = stage(width=2, seeds=3, lease_s=0.6, step_s=0.02)
    statuses = swept.finish(env=env)
    assert [path.name for path in once.iterdir()] == [str(point)], f"never reached; {statuses}"
    swept.check()
    epochs = 3 * 2 * 4
    assert (
        epochs <= swept.epochs_trained() <= epochs + 2
    )  # what was under way when it was killed: an epoch of each worker
