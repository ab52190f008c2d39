"""Text -> stdout or stderr. Every line that a command prints goes through here: names in it are shown, not obeyed."""

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
    """One line, whatever is in the text."""
    echo_lines(text.replace("\n", "\\x0a"), err=err)


def echo_lines(text: str, *, err: bool = False) -> None:
    """Several lines that were put together on purpose: a trace, a problem with its source line."""
    typer.echo(printable_lines(text), err=err)


def is_answered() -> bool:
    """Return whether there is a person who can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def agree(question: str) -> bool:
    """Ask on stderr; nothing but `y` or `yes` is a yes."""
    echo(f"{question} [y/N]", err=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def write(text: str) -> None:
    """On stdout, what was made of printable texts already."""
    sys.stdout.write(text)


def write_file(text: str) -> None:
    """On stdout what would be in a file, every text in it escaped by the writer of its format; in UTF-8 where the terminal's own
    encoding lacks one of its characters."""
    if isinstance(sys.stdout, TextIOWrapper) and not can_print(sys.stdout, text):
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    else:
        sys.stdout.write(text)


def can_print(stream: TextIO, text: str) -> bool:
    """Return whether the stream's encoding has every character of it."""
    try:
        text.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def print_problem(error: ResbenchError) -> None:
    """The message on stderr: one line, in which a line break of a name is shown, or the lines that the error was made of."""
    (echo_lines if error.several_lines else echo)(str(error), err=True)


def print_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For `sys.excepthook`: an error that nobody caught."""
    sys.stderr.write(printable_lines("".join(traceback.format_exception(kind, error, trace))))


def format_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """For `warnings.formatwarning`."""
    return printable_lines(_plain_warning(message, category, filename, lineno, line))
