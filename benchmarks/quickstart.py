"""Does the quickstart study say the same whichever seeds it has?  `python benchmarks/quickstart.py [--blocks 20] [--db FILE]`

Trains it with so many disjoint blocks of its five seeds, and ranks each block by itself. A block holds where the two units whose
shortcut is the identity are the tie group, and the scaled and the plain unit are worse. Told too: whether a unit counts as still
improving, and the widest interval.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from resbench.evidence.still_improving import was_improving
from resbench.evidence.study_runs import StudyRuns, study_runs
from resbench.statistics.ranking import rank
from resbench.statistics.sample import Sample
from resbench.store.open import open_store

STUDY = Path(__file__).parents[1] / "studies" / "quickstart.yaml"
IDENTITY = {"full_preactivation", "original"}
SEEDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=20)
    parser.add_argument("--db", default=str(Path(tempfile.mkdtemp()) / "blocks.db"), help="kept, and gone on with")
    given = parser.parse_args()
    command = [sys.executable, "-m", "resbench", "study", "run", str(STUDY), "--db", given.db]
    subprocess.run([*command, f"seeds={SEEDS * given.blocks}", "--json"], check=True, stdout=subprocess.DEVNULL)
    runs = study_runs(open_store(given.db, create=False), "quickstart")
    print("| seeds | order | tied with the best | still improving |\n| --- | --- | --- | --- |")
    held = improving = 0
    for block in range(given.blocks):
        seeds = range(SEEDS * block, SEEDS * (block + 1))
        samples = runs.samples(seeds=seeds)
        rows = rank(samples, n_val=runs.n_val)
        tied = {row.name for row in rows if row.tied_with_best}
        worse = {row.name for row in rows if row.tied_with_best is False}
        were = [sample.name for sample in samples if _improving(sample, seeds, runs)]
        held += tied == IDENTITY and len(worse) == len(rows) - len(IDENTITY)
        improving += bool(were)
        order = ", ".join(f"{row.name.split(' ')[0]} {row.mean or 0:.2f} ± {row.std or 0:.2f}" for row in rows)
        print(f"| {seeds[0]}-{seeds[-1]} | {order} | {', '.join(sorted(tied))} | {', '.join(were) or 'none'} |")
    print(f"\n{held} of {given.blocks} blocks have the two units with identity shortcuts tied, and the others worse;")
    print(f"{improving} of {given.blocks} say of a unit that it was still improving.")


def _improving(sample: Sample, seeds: range, runs: StudyRuns) -> bool:
    group = dict(zip(runs.names, runs.groups.values(), strict=True))[sample.name]
    ends = [runs.ends[run.run_id] for run in group if run.seed in seeds and run.status == "complete"]
    return was_improving(sample, ends, runs.n_val)


if __name__ == "__main__":
    main()
