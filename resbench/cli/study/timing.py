"""`study run --profile FOLDER`: where the time of each cell went, as a table."""

from __future__ import annotations

from pathlib import Path

from resbench.cli.terminal import echo


def tell_profile(folder: Path, since: float) -> None:
    """Of the cells trained since then. On stderr: the ranking alone is what a study prints."""

    from resbench.workers.timing import read

    rows = read(folder, since)
    if not rows:
        echo(f"no profile was written to {folder}: nothing was trained, or a line above says why", err=True)
        return
    echo(f"where the time went, in percent of each cell's; traces of a few steps in {folder}:", err=True)
    for row in rows:
        total = row["seconds"].pop("total")
        parts = ", ".join(f"{name} {100 * seconds / total:.0f}" for name, seconds in row["seconds"].items())
        seeds = f"{len(row['seeds'])} seed{'s' * (len(row['seeds']) > 1)}"
        echo(f"  {row['unit']}, {seeds}, {row['steps']} steps, {total:.1f} s: {parts}", err=True)
