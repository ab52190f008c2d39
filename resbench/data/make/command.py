"""A maker's command line: SOURCE [TARGET] -> the npz, and one line that says whether it is the shipped file."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path

from resbench.data.make.archive import Arrays, write_archive
from resbench.data.shipped import FILES
from resbench.errors import ResbenchError
from resbench.escape import LONGEST, printable


def command(
    name: str, source_is: str, arrays: Callable[[Path], Arrays], shipped_sha256: str, argv: Sequence[str]
) -> None:
    """Make the arrays from SOURCE and write them to TARGET (by default where the shipped file is)."""
    parser = ArgumentParser(prog=f"python -m resbench.data.make.{name}", description=f"Make {name}.npz.")
    parser.add_argument("source", type=Path, help=source_is)
    parser.add_argument("target", type=Path, nargs="?", default=FILES / f"{name}.npz", help="default: %(default)s")
    parser.add_argument("--force", action="store_true", help="replace an existing target that differs")
    given = parser.parse_args(argv)
    try:
        found = write_archive(given.target, arrays(given.source), force=given.force)
    except ResbenchError as error:
        parser.exit(error.exit_status, f"{printable(str(error), LONGEST)}\n")
    verdict = "the shipped file" if found == shipped_sha256 else f"not the shipped file, which is {shipped_sha256}"
    print(printable(f"{given.target}: sha256 {found}: {verdict}", LONGEST))
