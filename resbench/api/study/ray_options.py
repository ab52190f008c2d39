"""`--executor --address --gpus-per-worker` -> where on a Ray cluster cells are trained, or None."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput

if TYPE_CHECKING:
    from resbench.workers.executors.base import RayCluster


def ray_cluster(executor: str, address: str | None, gpus: float) -> RayCluster | None:
    """Return the place on a Ray cluster, or None if Ray is not used. Raises BadInput."""
    from importlib.util import find_spec

    from resbench.workers.executors.base import RayCluster

    if executor not in ("local", "ray"):
        raise BadInput(f"--executor: expected local or ray, got {executor}{did_you_mean(executor, ['local', 'ray'])}")
    if executor == "local":
        if address is not None or gpus:
            raise BadInput("--address and --gpus-per-worker apply only to `--executor ray`")
        return None
    if find_spec("ray") is None:
        raise BadInput("--executor ray: Ray is not installed; `pip install 'resbench[ray]'`")
    return RayCluster(address, gpus=gpus)
