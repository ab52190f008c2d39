"""`study run --timing FOLDER`: where the time of each cell went, as a table."""

from __future__ import annotations

from pathlib import Path

from resbench.cli.terminal import echo
from resbench.errors import BadInput, StorageError


def folder_for(given: Path | None) -> Path | None:
    """Make it where it is not there. Raises BadInput for a file, StorageError where it cannot be made."""
    if given is not None:
        try:
            given.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise BadInput(f"--timing {given}: is a file; a folder is needed") from None
        except OSError as error:
            raise StorageError(f"--timing {given}: {error.strerror}") from None
    return given


def print_timings(folder: Path, since: float) -> None:
    """Print where the time went of the cells trained since then. On stderr: the ranking alone is what a study prints."""

    from resbench.workers.profiling import read_timings

    rows = read_timings(folder, since)
    if not rows:
        echo(f"no profile was written to {folder}: nothing was trained, or a line above says why", err=True)
        return
    echo(f"where the time went, in percent of each cell's; traces of a few steps in {folder}:", err=True)
    for row in rows:
        total = row["seconds"].pop("total")
        parts = ", ".join(f"{name} {100 * seconds / total:.0f}" for name, seconds in row["seconds"].items())
        seeds = f"{len(row['seeds'])} seed{'s' * (len(row['seeds']) > 1)}"
        echo(f"  {row['unit']}, {seeds}, {row['steps']} steps, {total:.1f} s: {parts}", err=True)
