"""Two local workers against one with as many threads each, and a Ray cluster of two slots against two local workers.

    python benchmarks/workers.py [rounds]

Seconds from the first claim to the last cell's end, so that starting up is not counted; ratios from one round each.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path
from statistics import median

STUDY = """study: workers
network: {use: resnet_cifar, depth: 20, width: 4}
units: [original, full_preactivation]
data: digits
recipe: {use: he2016_small, epochs: 12, checkpoint_every: {epochs: 4}, plan: {width: 1, threads: 1, layout: channels_last}}
seeds: 10
"""
WAYS = {
    "one worker": ("--workers", "1"),
    "two workers": ("--workers", "2"),
    "Ray, two slots": ("--executor", "ray", "--workers", "2"),
}


def seconds(folder: Path, words: tuple[str, ...]) -> float:
    (folder / "workers.yaml").write_text(STUDY, "utf-8")
    subprocess.run(
        [sys.executable, "-m", "resbench", "study", "run", "workers.yaml", *words], cwd=folder, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with closing(sqlite3.connect(folder / "resbench.db")) as connection:
        began, ended = connection.execute("SELECT MIN(started_at), MAX(ended_at) FROM rb_attempt").fetchone()
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, words in WAYS.items():
            with tempfile.TemporaryDirectory() as name:
                took[way].append(seconds(Path(name), words))
    for above, below in (("one worker", "two workers"), ("Ray, two slots", "two workers")):
        ratios = [a / b for a, b in zip(took[above], took[below], strict=True)]
        print(f"{above} / {below}: median {median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}, n = {rounds}; "
              f"seconds {took[above]} / {took[below]}")  # fmt: skip


if __name__ == "__main__":
    main()
