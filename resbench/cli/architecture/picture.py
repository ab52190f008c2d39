"""Picture of a unit -> stdout."""

from __future__ import annotations

import shutil
import sys

from resbench.cli.echo import can_print, write, write_file
from resbench.drawing.picture import Picture
from resbench.drawing.picture_format import Format

_UNBOUNDED = 1_000_000  # columns, if stdout is not a terminal


def print_picture(picture: Picture, how: Format) -> None:
    """Print a picture on stdout: text in the width and characters of the terminal, other formats as in a file."""
    if how == "text":
        width = shutil.get_terminal_size((_UNBOUNDED, 24)).columns
        write(picture.lines(width=width, ascii_only=not can_print(sys.stdout, "│╭●×‖−→·…")))
    else:
        write_file(picture.render(how).decode("utf-8"))
