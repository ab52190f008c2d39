"""This machine and its processes -> names that tell them apart, and whether one of them is gone.

A number of a process says nothing by itself: machines and containers count alone, and numbers come again. So a process is known
by its machine, the start of that machine, the container's own count, and the moment of its birth.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path

from resbench.store.records import WorkerRecord


def worker_record(study: str, device: str, slots: int, tags: tuple[str, ...] = ()) -> WorkerRecord:
    """Return this process as a worker of a study."""
    pid = os.getpid()
    name = f"{socket.gethostname()}:{pid}:{secrets.token_hex(3)}"
    return WorkerRecord(name, study, socket.gethostname(), boot_id(), pid, birth(pid) or "", device, slots, tags)


def boot_id() -> str:
    """Return an identifier of this start of the machine and this container; empty where the system has none."""
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{start} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def birth(pid: int) -> str | None:
    """Return when the process started, in the machine's own ticks; None where there is none, or only its remains; empty where the
    system does not say.
    """
    if sys.platform != "linux":
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:  # somebody else's, so it is there
            return ""
        return ""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def is_gone(worker: WorkerRecord) -> bool:
    """Return whether it is known that the process has ended: it was on this machine, and is not any more."""
    if (worker.host, worker.boot) != (socket.gethostname(), boot_id()):
        return False
    found = birth(worker.pid)
    return found is None or found != worker.born


def memory_mib(pid: int) -> float | None:
    """Return what the process has in memory; None where the system does not say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
