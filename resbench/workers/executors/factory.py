"""The kind of executor that a user or a recipe asks for -> the executor."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence

from resbench.workers.events import WorkerEvents
from resbench.workers.executors.base import Executor, ExecutorKind, RayCluster
from resbench.workers.executors.in_process import InProcessExecutor
from resbench.workers.executors.local import LocalExecutor
from resbench.workers.trainer import Trainer
from resbench.workers.worker import Worker


def make_executor(
    worker: Worker,
    study_id: int,
    trainers: Sequence[Trainer],
    events: WorkerEvents,
    *,
    kind: ExecutorKind = "local",
    cluster: RayCluster | None = None,
) -> Executor:
    """Return what trains the study's cells for this worker.

    Args:
        worker: Under whose name cells are claimed.
        study_id: The study's number.
        trainers: One for each slot, or for as many as there are devices.
        events: What cells report.
        kind: `local` for children of this process, `in_process` and `ranks` for this process itself, `ray` for a cluster.
        cluster: Of `ray`.
    """
    if kind == "local":
        return LocalExecutor(worker, study_id, trainers, events)
    if kind == "ray":
        assert cluster is not None
        require_ray_token(cluster)
        from resbench.workers.executors.ray import RayExecutor  # an extra

        return RayExecutor(worker, study_id, trainers, events, cluster=cluster)
    return InProcessExecutor(worker, study_id, trainers, events, alone=kind == "in_process")


def require_ray_token(cluster: RayCluster) -> None:
    """Let a cluster of this machine's own admit only who has its token.

    Ray reads this when it is imported, and so do its processes.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if cluster.address is None and "RAY_AUTH_MODE" not in os.environ:
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
