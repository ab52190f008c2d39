from __future__ import annotations

from pathlib import Path

import pytest

from resbench.errors import DatabaseError
from resbench.store.connection.sqlite import file_system_of, refuse_network

MOUNTS = """\
overlay / overlay rw 0 0
/dev/sda1 /home ext4 rw 0 0
box:/home /home/ann nfs4 rw 0 0
//box/share /mnt/share cifs rw 0 0
ann@box: /mnt/far fuse.sshfs rw 0 0
host /mnt/host 9p rw 0 0
shared /mnt/vm virtiofs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/x.db", "overlay"),
        ("/home/bob/x.db", "ext4"),
        ("/home/ann/x.db", "nfs4"),
        ("/home/anna/x.db", "ext4"),
        ("/mnt/share/a/b/x.db", "cifs"),
    ],
)
def test_the_deepest_mount_counts(path: str, kind: str) -> None:
    assert file_system_of(Path(path), MOUNTS) == kind


@pytest.mark.parametrize("folder", ["/home/ann", "/mnt/share", "/mnt/far"])
def test_network_file_systems_are_refused_by_name(folder: str) -> None:
    with pytest.raises(DatabaseError, match=r"network file system \((nfs4|cifs|fuse.sshfs)\).*local disc"):
        refuse_network(Path(folder) / "x.db", MOUNTS)


@pytest.mark.parametrize("folder", ["/", "/home/bob", "/mnt/host", "/mnt/vm"])
def test_local_ones_pass(folder: str) -> None:
    refuse_network(Path(folder) / "x.db", MOUNTS)


def test_a_later_mount_on_the_same_point_hides_the_earlier() -> None:
    assert file_system_of(Path("/a/x"), "a /a nfs rw 0 0\nb /a ext4 rw 0 0\n") == "ext4"


def test_this_machine_passes(tmp_path: Path) -> None:
    refuse_network(tmp_path / "x.db")
