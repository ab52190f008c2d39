"""`study run --timing FOLDER`: the timing of each cell, as a table."""

from __future__ import annotations

from pathlib import Path

from resbench.cli.echo import echo


def print_timings(folder: Path, since: float) -> None:
    """Print the timing of the cells trained since then. It goes to stderr, since stdout holds only the ranking."""

    from resbench.workers.profiling import read_timings

    rows = read_timings(folder, since)
    if not rows:
        echo(f"no timing was written to {folder}: nothing was trained, or a line above gives the reason", err=True)
        return
    echo(f"time of each cell, in percent; traces of a few steps are in {folder}:", err=True)
    for row in rows:
        total = row["seconds"].pop("total")
        parts = ", ".join(f"{name} {100 * seconds / total:.0f}" for name, seconds in row["seconds"].items())
        seeds = f"{len(row['seeds'])} seed{'s' * (len(row['seeds']) > 1)}"
        echo(f"  {row['unit']}, {seeds}, {row['steps']} steps, {total:.1f} s: {parts}", err=True)
