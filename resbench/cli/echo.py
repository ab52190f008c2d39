"""Text -> stdout or stderr. Commands print only through these functions, which escape control characters in names."""

from __future__ import annotations

import sys
import traceback
import warnings
from io import TextIOWrapper
from types import TracebackType
from typing import TextIO

import typer

from resbench.errors import ResbenchError
from resbench.escape import printable_lines

_plain_warning = warnings.formatwarning


def echo(text: str, *, err: bool = False) -> None:
    """Print a text as one line, whatever it contains."""
    echo_lines(text.replace("\n", "\\x0a"), err=err)


def echo_lines(text: str, *, err: bool = False) -> None:
    """Print a text of several intended lines: a traceback, a problem with its source line."""
    typer.echo(printable_lines(text), err=err)


def is_answered() -> bool:
    """Return whether stdin is a terminal, so that a user can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def agree(question: str) -> bool:
    """Ask on stderr; only `y` and `yes` agree."""
    echo(f"{question} [y/N]", err=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def write(text: str) -> None:
    """Write a text that is already printable to stdout."""
    sys.stdout.write(text)


def write_file(text: str) -> None:
    """Write a file's content, which its format's writer has escaped, to stdout; in UTF-8 if the terminal's encoding lacks a
    character."""
    if isinstance(sys.stdout, TextIOWrapper) and not can_print(sys.stdout, text):
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    else:
        sys.stdout.write(text)


def can_print(stream: TextIO, text: str) -> bool:
    """Return whether the stream's encoding has every character of the text."""
    try:
        text.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def print_problem(error: ResbenchError) -> None:
    """Print an error's message on stderr: as one line, in which line breaks are escaped, or as the lines that it was made of."""
    (echo_lines if error.several_lines else echo)(str(error), err=True)


def print_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an uncaught error; for `sys.excepthook`."""
    sys.stderr.write(printable_lines("".join(traceback.format_exception(kind, error, trace))))


def format_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Return a warning as printable text; for `warnings.formatwarning`."""
    return printable_lines(_plain_warning(message, category, filename, lineno, line))
