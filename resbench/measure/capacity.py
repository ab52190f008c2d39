"""A device -> Capacity: the bytes of memory that a process may use, whatever else runs; and how many are free now.

For the host it is the minimum of the machine's memory, the limits of its control groups (version 1 and 2, with their parents) and
what the process may map (`ulimit -v`). Swap is not counted: a training that swaps is too slow to end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_CGROUPS = Path("sys/fs/cgroup")
_MADE_FOR_ALL = 2**62  # version 1 reports a little less than 2**63 if there is no limit


@dataclass(frozen=True, slots=True)
class Capacity:
    """Bytes of memory. `total`: for all processes together; `each`: for one of them. `name`: the machine or device, for messages.

    `devices`: the number of devices with that much, over which processes are distributed, each on one.
    """

    name: str
    total: int
    each: int
    devices: int = 1

    @property
    def one(self) -> int:
        """The bytes that a single process may use, if it is alone."""
        return min(self.total, self.each)


def capacity(device: torch.device) -> Capacity | None:
    """Return the capacity; None if the system does not report it. For `cuda` without a number, that of the smallest device."""
    if device.type == "cpu":
        return host_capacity()
    import torch

    if device.type == "cuda":
        numbers = range(torch.cuda.device_count()) if device.index is None else (device.index,)
        found = [torch.cuda.get_device_properties(number) for number in numbers]
        least = min(found, key=lambda each: each.total_memory)
        return Capacity(least.name, least.total_memory, least.total_memory, len(found))
    if device.type == "mps":
        total = torch.mps.recommended_max_memory()
        return Capacity("mps", total, total)
    return None


def free_bytes(device: torch.device) -> int | None:
    """Return the free bytes, which depend on other processes; None if the system does not report them."""
    if device.type == "cpu":
        return host_free()
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return None


def host_capacity(root: Path = Path("/")) -> Capacity | None:
    """Return the capacity of the host. `root`: the folder with /proc and /sys."""
    physical, mapped = _physical(root), _mapped()
    groups = [limit for folder in _groups(root) if (limit := _number(folder, "memory.max", "memory.limit_in_bytes"))]
    total = min([*groups, *([] if physical is None else [physical])], default=None)
    if total is None and mapped is None:
        return None
    total = sys.maxsize if total is None else total
    each = total if mapped is None else mapped
    name = "this machine" if total == physical else "the control group of this process (cgroup)"
    return Capacity(name if each >= total else "this process (ulimit -v)", total, each)


def host_free(root: Path = Path("/")) -> int | None:
    """Return the free bytes of the host, within all limits of control groups; memory that the kernel can reclaim is free."""
    found = []
    available = _meminfo(root).get("MemAvailable")
    if available is not None:
        found.append(available)
    for folder in _groups(root):
        limit = _number(folder, "memory.max", "memory.limit_in_bytes")
        used = _number(folder, "memory.current", "memory.usage_in_bytes")
        if limit is not None and used is not None:
            found.append(max(0, limit - used + _files(folder)))
    return min(found, default=None)


def _physical(root: Path) -> int | None:
    total = _meminfo(root).get("MemTotal")
    if total is None and sys.platform == "darwin":
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return total


def _meminfo(root: Path) -> dict[str, int]:
    """Return bytes by name."""
    lines = [line.split() for line in _text(root / "proc/meminfo").splitlines()]
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) > 1 and words[1].isdigit()}


def _mapped() -> int | None:
    """Return the bytes that the process may map; None if that is not limited."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folders of the control groups that limit this process's memory, from its own to the root."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            tops = [root / _CGROUPS, root / _CGROUPS / "unified"]
        elif "memory" in controllers.split(","):
            tops = [root / _CGROUPS / "memory"]
        else:
            continue
        names = [name for name in path.split("/") if name]
        names = [] if ".." in names else names  # the group is outside of this container
        for top in tops:
            for depth in range(len(names), -1, -1):
                folder = top.joinpath(*names[:depth])
                if folder.is_dir():
                    yield folder


def _number(folder: Path, *names: str) -> int | None:
    """Return the number in the first of these files that exists; None if it means no limit."""
    for name in names:
        text = _text(folder / name).strip()
        if text:
            return int(text) if text.isdigit() and int(text) < _MADE_FOR_ALL else None
    return None


def _files(folder: Path) -> int:
    """Return the bytes of inactive file pages among what a control group uses."""
    found = dict(line.split()[:2] for line in _text(folder / "memory.stat").splitlines() if len(line.split()) == 2)
    inactive = found.get("total_inactive_file", found.get("inactive_file", "0"))
    return int(inactive) if inactive.isdigit() else 0


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
