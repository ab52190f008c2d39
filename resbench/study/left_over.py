"""Cells that an earlier start left running -> closed, so that what is still wanted of them is queued anew."""

from __future__ import annotations

import os
import socket

from resbench.errors import BadInput
from resbench.store.cells import claim_cell, claimants, fail_cell, requeue_running
from resbench.store.engine import Engine


def withdraw(engine: Engine, study_id: int, worker: str) -> None:
    """Close the cells that an earlier start left open; what is still wanted of them is queued anew.

    Raises BadInput while that start is alive: until cells have leases, one process runs a study.
    """
    for other in claimants(engine, study_id):
        host, _, pid = other.rpartition(":")
        if other != worker and host == socket.gethostname() and _alive(int(pid)):
            raise BadInput(f"this study is being run by process {pid} on this machine; wait for it, or stop it first")
    requeue_running(engine, study_id)
    while (cell := claim_cell(engine, study_id, worker)) is not None:
        fail_cell(engine, cell, "given up: its process ended before it did")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so it is there
        return True
    return True
