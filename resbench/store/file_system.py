"""Path -> the file system it stands on, and whether SQLite may be written there.

SQLite's locks do not hold on network file systems (https://www.sqlite.org/howtocorrupt.html, 2.1), so two machines can
destroy a database there. 9p and virtiofs are not refused: containers and virtual machines show local discs that way.
"""

from __future__ import annotations

import re
from pathlib import Path

from resbench.errors import DatabaseError

_KERNEL = (
    "nfs",
    "nfs4",
    "cifs",
    "smb2",
    "smb3",
    "smbfs",
    "ncpfs",
    "afs",
    "ceph",
    "lustre",
    "glusterfs",
    "beegfs",
    "davfs",
)
_FUSE = ("davfs", "sshfs", "ceph", "glusterfs", "s3fs", "rclone", "gcsfuse", "juicefs")
NETWORK = frozenset((*_KERNEL, *(f"fuse.{name}" for name in _FUSE)))
_MOUNTS = Path("/proc/mounts")


def file_system_of(path: Path, mounts: str) -> str:
    r"""The type of the mount that holds an absolute path; of two mounts on one point the later one counts.

    >>> file_system_of(Path("/data/my files/x.db"), "/dev/sda / ext4 rw 0 0\nbox:/f /data/my\\040files nfs4 rw 0 0\n")
    'nfs4'
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[1])
        if path.is_relative_to(point) and len(Path(point).parts) >= best:
            best, kind = len(Path(point).parts), fields[2]
    return kind


def refuse_network(path: Path, mounts: str | None = None) -> None:
    """Raise DatabaseError where the path stands on a network file system; systems without /proc/mounts pass."""
    if mounts is None:
        mounts = _MOUNTS.read_text("utf-8", "replace") if _MOUNTS.exists() else ""
    kind = file_system_of(path.resolve(), mounts)
    if kind in NETWORK:
        raise DatabaseError(
            f"{path}: is on a network file system ({kind}), where SQLite's locks do not hold; "
            "put the database on a local disc, or use `--db postgresql://..`"
        )
