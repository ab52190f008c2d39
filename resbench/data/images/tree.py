"""A folder -> the images below it at any depth, and the entries that are no images, hidden, or links.

A link to a folder is followed once; one to a folder that has been read, or to a parent folder, is not.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from resbench.data.images.formats import is_hidden, is_image
from resbench.errors import Reason
from resbench.escape import printable

NAMED = 3  # files in a sentence; the others are counted


@dataclass(frozen=True, slots=True)
class Beside:
    """The entries that are not read as images, in the order of the walk. `loose`: images outside of the folders of classes."""

    hidden: list[Path] = field(default_factory=list)
    other: list[Path] = field(default_factory=list)
    loose: list[Path] = field(default_factory=list)
    followed: list[Path] = field(default_factory=list)
    again: list[Path] = field(default_factory=list)
    broken: list[Path] = field(default_factory=list)

    def sentences(self) -> Iterator[str]:
        if self.hidden:
            yield f"left out: {count(self.hidden, 'hidden file or folder', 'hidden files or folders')}: {named(self.hidden)}"
        if self.other:
            endings = Counter(path.suffix.lower() or "no ending" for path in self.other)
            kinds = ", ".join(f"{ending} {n}" for ending, n in endings.most_common())
            yield f"left out: {count(self.other, 'file')} not read as an image ({kinds}): {named(self.other)}"
        if self.loose:
            yield f"left out: {count(self.loose, 'image')} in no folder of a class: {named(self.loose)}"
        if self.followed:
            yield f"followed: {count(self.followed, 'link')} to folders: {named(self.followed)}"
        if self.again:
            yield f"not followed: {count(self.again, 'link')} to folders already read or to parent folders: {named(self.again)}"
        if self.broken:
            yield f"left out: {count(self.broken, 'broken link')}: {named(self.broken)}"


def images_below(root: Path, beside: Beside) -> list[Path]:
    """Return the images sorted by path; add other entries to `beside`. Raises Reason if a folder cannot be read."""
    found: list[Path] = []
    walked = {_place(folder) for folder in root.resolve().parents}  # a link back to one of them would mix the classes
    starts = deque([root])
    while starts:
        start = starts.popleft()
        if start != root and _place(start) not in walked:
            beside.followed.append(start)
        folders, links = deque([start]), list[Path]()
        while folders:
            folder = folders.popleft()
            if _place(folder) in walked:
                beside.again.append(folder)
                continue
            walked.add(_place(folder))
            for entry in entries(folder):
                path = folder / entry.name
                if is_hidden(entry.name):
                    beside.hidden.append(path)
                elif is_folder(entry):
                    (links if entry.is_symlink() else folders).append(path)
                elif is_image(entry.name) and is_file(entry):
                    found.append(path)
                elif entry.is_symlink() and not is_file(entry):
                    beside.broken.append(path)
                else:
                    beside.other.append(path)
        starts.extend(links)
    return sorted(found)


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return the entries of a folder, sorted by name. Raises Reason if it cannot be read."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise Reason(f"{folder} cannot be read: {error.strerror}") from None


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether it is a folder or a link to one; a broken link, or one without permission, is not."""
    with suppress(OSError):
        return entry.is_dir()
    return False


def is_file(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):
        return entry.is_file()
    return False


def _place(folder: Path) -> tuple[int, int]:
    try:
        at = folder.stat()
    except OSError as error:
        raise Reason(f"{folder} cannot be read: {error.strerror}") from None
    return at.st_dev, at.st_ino


def count(things: Sequence[object], one: str, several: str = "") -> str:
    """Return the number of things with the noun in singular or plural.

    >>> count([1], "image"), count([1, 2], "image")
    ('1 image', '2 images')
    """
    return f"{len(things)} {one if len(things) == 1 else several or f'{one}s'}"


def named(paths: Sequence[Path]) -> str:
    """Return the names of the first few, and the number of the others.

    >>> named([Path("a"), Path("b"), Path("c"), Path("d"), Path("e")])
    'a, b, c and 2 more'
    """
    first = ", ".join(printable(str(path), 300) for path in paths[:NAMED])
    return f"{first} and {len(paths) - NAMED} more" if len(paths) > NAMED else first
