"""A device -> Capacity: the bytes of memory that a process may have there, whatever else runs; and how many are free now.

Of the host it is the smallest of what the machine has, what its control groups allow (version 1 and 2, each with all that it is
in) and what the process may map (`ulimit -v`). Swap is not counted: a training that lies there never ends.
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
_MADE_FOR_ALL = 2**62  # what version 1 says where there is no limit is a little less than 2**63


@dataclass(frozen=True, slots=True)
class Capacity:
    """`total`: of all processes on it together; `each`: of one of them. `name`: what has it, in words.

    `devices`: how many have that much, among which processes are spread, each on one.
    """

    name: str
    total: int
    each: int
    devices: int = 1

    @property
    def one(self) -> int:
        """What a single process may have, where it is alone."""
        return min(self.total, self.each)


def capacity(device: torch.device) -> Capacity | None:
    """Return None where the system does not tell. Of `cuda` without a number, the smallest: any of them may get the work."""
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
    """Return what is free now, less than is there where others work on it; None where the system does not tell."""
    if device.type == "cpu":
        return host_free()
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return None


def host_capacity(root: Path = Path("/")) -> Capacity | None:
    """`root`: under which /proc and /sys lie."""
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
    """Of the machine, and below each limit of a control group; what the kernel would give back is free."""
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
    """Return what the process may map, where that is limited."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folders of the control groups that bound this process's memory, from its own up to all."""
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
        names = [] if ".." in names else names  # seen from a container, outside of which it lies
        for top in tops:
            for depth in range(len(names), -1, -1):
                folder = top.joinpath(*names[:depth])
                if folder.is_dir():
                    yield folder


def _number(folder: Path, *names: str) -> int | None:
    """Return what the first of these files says that is there; None where that is no limit."""
    for name in names:
        text = _text(folder / name).strip()
        if text:
            return int(text) if text.isdigit() and int(text) < _MADE_FOR_ALL else None
    return None


def _files(folder: Path) -> int:
    """Of what a control group uses, pages of files that nothing has used lately."""
    found = dict(line.split()[:2] for line in _text(folder / "memory.stat").splitlines() if len(line.split()) == 2)
    told = found.get("total_inactive_file", found.get("inactive_file", "0"))
    return int(told) if told.isdigit() else 0


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
