"""What a machine says of its memory, in files as the kernel writes them; no test reads this machine's own."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
import torch

from resbench.measure import capacity as module
from resbench.measure.capacity import Capacity, capacity, host_capacity, host_free

GIB = 2**30
UNLIMITED_V1 = 2**63 - 4096


@pytest.fixture(autouse=True)
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def machine(root: Path, files: dict[str, object], *, total: int = 16 * GIB, free: int = 12 * GIB) -> Path:
    meminfo = (
        f"MemTotal:       {total // 1024} kB\nMemFree:  1 kB\nMemAvailable:   {free // 1024} kB\nHugePages_Total: 0\n"
    )
    for name, content in {"proc/meminfo": meminfo, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n", "utf-8")
    return root


def test_a_machine_without_control_groups(tmp_path: Path) -> None:
    root = machine(tmp_path, {})
    assert host_capacity(root) == Capacity("this machine", 16 * GIB, 16 * GIB)
    assert host_free(root) == 12 * GIB


def test_a_system_that_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    assert host_capacity(tmp_path) is None
    assert host_free(tmp_path) is None


@pytest.mark.parametrize(
    ("own", "above", "total"),
    [("max", "max", 16 * GIB), (4 * GIB, "max", 4 * GIB), ("max", 3 * GIB, 3 * GIB), (4 * GIB, 3 * GIB, 3 * GIB),
     (64 * GIB, "max", 16 * GIB), ("what", "max", 16 * GIB)],
)  # fmt: skip
def test_version_2_counts_every_group_that_the_process_is_in(
    own: object, above: object, total: int, tmp_path: Path
) -> None:
    files = {
        "proc/self/cgroup": "0::/jobs/mine",
        "sys/fs/cgroup/jobs/memory.max": above,
        "sys/fs/cgroup/jobs/mine/memory.max": own,
    }
    found = host_capacity(machine(tmp_path, files))
    assert found is not None
    assert found.total == found.one == total
    assert found.name == ("this machine" if total == 16 * GIB else "the control group of this process (cgroup)")


def test_version_2_within_a_container_whose_own_folder_is_the_root(tmp_path: Path) -> None:
    for path in ("/", "/../elsewhere", "/not/seen/from/here"):
        root = machine(tmp_path, {"proc/self/cgroup": f"0::{path}", "sys/fs/cgroup/memory.max": 2 * GIB})
        found = host_capacity(root)
        assert found is not None
        assert found.total == 2 * GIB


@pytest.mark.parametrize(("own", "all_of_it", "total"), [
    (UNLIMITED_V1, UNLIMITED_V1, 16 * GIB), (5 * GIB, UNLIMITED_V1, 5 * GIB), (None, 6 * GIB, 6 * GIB),
])  # fmt: skip
def test_version_1_also_where_only_the_root_is_seen(
    own: int | None, all_of_it: int, total: int, tmp_path: Path
) -> None:
    top = "sys/fs/cgroup/memory"
    files: dict[str, object] = {
        "proc/self/cgroup": "9:name=systemd:/x\n5:cpu,memory:/docker/abc\n0::/",
        f"{top}/memory.limit_in_bytes": all_of_it,
    }
    if own is not None:
        files[f"{top}/docker/abc/memory.limit_in_bytes"] = own
    found = host_capacity(machine(tmp_path, files))
    assert found is not None
    assert found.total == total


def test_what_is_free_is_less_where_a_group_is_full_and_files_count_as_free(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/mine"
    files = {
        "proc/self/cgroup": "0::/mine",
        f"{group}/memory.max": 4 * GIB,
        f"{group}/memory.current": 3 * GIB,
        f"{group}/memory.stat": f"anon 5\nfile {2 * GIB}\ninactive_file {GIB}",
    }
    assert host_free(machine(tmp_path, files)) == 2 * GIB


def test_what_a_process_may_map_is_of_each_and_not_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2 * GIB, resource.RLIM_INFINITY))
    found = host_capacity(machine(tmp_path, {}))
    assert found == Capacity("this process (ulimit -v)", 16 * GIB, 2 * GIB)
    assert found.one == 2 * GIB


def test_devices_tell_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several cards of which none is named, the smallest."""

    class Card:
        def __init__(self, name: str, total_memory: int) -> None:
            self.name, self.total_memory = name, total_memory

    cards = [Card("large", 80 * GIB), Card("small", 24 * GIB)]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", cards.__getitem__)
    assert capacity(torch.device("cuda")) == Capacity("small", 24 * GIB, 24 * GIB, devices=2)
    assert capacity(torch.device("cuda:0")) == Capacity("large", 80 * GIB, 80 * GIB)
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 12 * GIB)
    assert capacity(torch.device("mps")) == Capacity("mps", 12 * GIB, 12 * GIB)
    monkeypatch.setattr(module, "host_capacity", lambda: Capacity("here", 1, 1))
    assert capacity(torch.device("cpu")) == Capacity("here", 1, 1)
