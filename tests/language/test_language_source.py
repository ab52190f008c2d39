"""Paths that are no spec file: none is read, none hangs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from resbench.errors import SpecError
from resbench.language.yaml.reader import MAX_BYTES, read_source


def said(path: Path) -> str:
    with pytest.raises(SpecError) as caught:
        read_source(path, "f.yaml")
    return str(caught.value)


def test_a_small_file_is_read(folder: Path) -> None:
    (folder / "a.yaml").write_bytes(b"\xef\xbb\xbfunit: \xc3\xa9\n")
    assert read_source(folder / "a.yaml", "f.yaml") == "unit: é\n"
    (folder / "b.yaml").write_text("a" * MAX_BYTES)
    assert len(read_source(folder / "b.yaml", "f.yaml")) == MAX_BYTES


def test_a_file_of_a_gigabyte_is_not_read(folder: Path) -> None:
    with (folder / "big.yaml").open("wb") as file:
        file.truncate(10**9)
    assert said(folder / "big.yaml") == f"f.yaml:1:1: 1,000,000,000 bytes; a spec has at most {MAX_BYTES:,}"


def test_devices_pipes_and_folders_are_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    (folder / "link.yaml").symlink_to("/dev/zero")
    for path in (folder / "pipe.yaml", folder / "link.yaml", Path("/dev/zero"), Path("/dev/stdin")):
        assert said(path) == "f.yaml:1:1: no regular file; a YAML file is needed"
    assert said(folder) == "f.yaml:1:1: a folder; a YAML file is needed"


def test_paths_that_lead_nowhere(folder: Path) -> None:
    (folder / "loop.yaml").symlink_to("loop.yaml")
    assert said(folder / "none.yaml") == "f.yaml:1:1: no such file"
    assert said(folder / "loop.yaml").startswith("f.yaml:1:1: cannot be read: ")
    assert said(folder / ("x" * 300)).startswith("f.yaml:1:1: cannot be read: ")
    assert said(folder / "a\0b.yaml").startswith("f.yaml:1:1: cannot be read: ")
    (folder / "file").touch()
    assert said(folder / "file" / "a.yaml").startswith("f.yaml:1:1: cannot be read: ")


def test_what_is_not_utf8_is_told_with_its_line(folder: Path) -> None:
    (folder / "a.yaml").write_bytes("unit: é\ndoc: é".encode() + b"\xff now\nnodes: {}\n")
    assert said(folder / "a.yaml").split("\n") == [
        "f.yaml:2:7: byte 0xff is not UTF-8; save the file as UTF-8",
        "    doc: é\ufffd now".replace("\ufffd", "\ufffd"),
        "          ^",
    ]
