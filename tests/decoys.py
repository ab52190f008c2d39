"""A folder of files, links, folders and pipes that resbench did not write, and what is in it afterwards, byte for byte."""

from __future__ import annotations

import os
import stat
from pathlib import Path

KEY = "0123456789abcdef" * 2
NAMES = (
    "thesis.v2.tex", "results.2026.csv", "a.b.c", ".hidden.file", "README", "x.svg.bak", ".x.svg.77.part", "x.svg.77.tmp",
    KEY, f"{KEY}.1", f"{KEY}.1.2.3", f"{KEY}.1.2.txt", f"{KEY}.one.two", f"{KEY}.1.2.tmp.bak", f"{KEY.upper()}.1.2",
    f"{KEY[:-1]}.1.2", f"{KEY}0.1.2", f"x{KEY}.1.2", f"{KEY}.1.2 ", f"{KEY}.1.-2", f"{KEY}.1.2.3.4.tmp", f"{KEY}..2",
)  # fmt: skip


def place(folder: Path, outside: Path) -> None:
    """Files of every kind that a careless pattern would take, and some of the very form of checkpoints that are no files.

    `outside`: a file elsewhere that links lead to.
    """
    folder.mkdir(exist_ok=True)
    for name in NAMES:
        (folder / name).write_bytes(f"mine: {name}".encode())
    (folder / f"{KEY}.11.1").symlink_to(outside)
    (folder / f"{KEY}.12.1").symlink_to(outside.with_name("nowhere"))
    (folder / f"{KEY}.13.1").mkdir()
    (folder / f"{KEY}.13.1" / f"{KEY}.1.1").write_bytes(b"mine, in a folder")
    (folder / f"{KEY}.14.1.tmp").symlink_to(folder / f"{KEY}.13.1")
    (folder / "sub.folder").mkdir()
    (folder / "sub.folder" / f"{KEY}.1.1").write_bytes(b"mine too")
    os.mkfifo(folder / f"{KEY}.15.1")


def snapshot(folder: Path) -> dict[str, object]:
    """Everything below a folder: what a file holds, where a link leads, what else is what. Links are not followed."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        name = path.relative_to(folder).as_posix()
        if stat.S_ISLNK(mode):
            found[name] = ("link", os.fspath(path.readlink()))
        elif stat.S_ISREG(mode):
            found[name] = ("file", path.read_bytes())
        else:
            found[name] = stat.S_IFMT(mode)
    return found
