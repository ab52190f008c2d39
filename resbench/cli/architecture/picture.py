"""Picture of a unit -> stdout."""

from __future__ import annotations

import shutil
import sys

from resbench.cli.terminal import can_print, write, write_file
from resbench.drawing.picture import Picture
from resbench.drawing.picture_format import Format

_UNBOUNDED = 1_000_000  # columns, where no terminal says how many it has


def print_picture(picture: Picture, how: Format) -> None:
    """On stdout: text as wide as the terminal and in characters that it has, the rest as it would stand in a file."""
    if how == "text":
        width = shutil.get_terminal_size((_UNBOUNDED, 24)).columns
        write(picture.lines(width=width, ascii_only=not can_print(sys.stdout, "│╭●×‖−→·…")))
    else:
        write_file(picture.render(how).decode("utf-8"))
