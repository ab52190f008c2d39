"""Runs of `studies/identity_mappings.yaml` -> their rank agreement with Tables 1 and 2 of He et al. 2016, arXiv:1603.05027.

    python benchmarks/agreement_with_paper.py --db paper.db

Of the pairs that the paper's table orders: how many agree beyond doubt, disagree beyond doubt, are open.
"""

from __future__ import annotations

import argparse

from resbench.evidence.agreement import agreement
from resbench.evidence.leaderboard import leaderboard
from resbench.evidence.study_runs import study_runs
from resbench.store.engine import open_store

# CIFAR-10 test error in percent, ResNet-110, median of 5 runs; None is the paper's "fail" (above 20 %)
PUBLISHED: dict[str, float | None] = {
    "original": 6.61,
    "plain": None,
    "constant_scaling shortcut_scale=0.5 branch_scale=1": None,
    "constant_scaling shortcut_scale=0.5 branch_scale=0.5": 12.35,
    "exclusive_gating gate_bias=0": None,
    "exclusive_gating gate_bias=-6": 8.70,
    "shortcut_only_gating gate_bias=0": 12.86,
    "shortcut_only_gating gate_bias=-6": 6.91,
    "conv1x1_shortcut": 12.22,
    "dropout_shortcut": None,
    "bn_after_addition": 8.17,
    "relu_before_addition": 7.84,
    "relu_only_preactivation": 6.71,
    "full_preactivation": 6.37,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", default="resbench.db")
    parser.add_argument("--study", default="identity_mappings")
    given = parser.parse_args()
    engine = open_store(given.db, create=False)
    runs = study_runs(engine, given.study)
    samples, n_val = runs.samples(), runs.n_val
    for row in leaderboard(engine, given.study).rows:
        r, paper = row.ranked, PUBLISHED.get(row.unit)
        ours = "diverged" if r.mean is None else f"{r.mean:5.2f} ± {0 if r.std is None else r.std:4.2f}"
        tied = "fails" if r.fails else "tied" if r.tied_with_best else ""
        print(
            f"{r.rank:2} {row.unit:54} {ours:>14} (n {r.n}, converged {r.converged}) {tied:6} paper {paper or 'fail'}"
        )
    found = agreement(PUBLISHED, samples, n_val=n_val)
    tau = "none" if found.tau_b is None else f"{found.tau_b:.2f}"
    print(f"tau-b {tau} over {len(found.units)} units; of the ordered pairs {found.agree} agree beyond doubt,", end=" ")
    print(f"{found.disagree} disagree beyond doubt, {found.open} are open")
    for verdict in found.verdicts:
        if verdict.outcome == "disagree":
            print(f"  disagree: {verdict}")


if __name__ == "__main__":
    main()
