"""What is gained where the statistics of norms are made anew before networks are judged?

`python benchmarks/judged.py [--data digits] [--depth 20] [--epochs 12]`

Trains the units of the paper's Table 1 and 2 with 5 seeds each, scored after every epoch by the running statistics and by those
made anew. Printed: Spearman's rank correlation of the units at an epoch with the units at the end (always by statistics made
anew), over means of the seeds and, as a search by rungs sees it, for single seeds (mean and range over the seeds); and what one
making anew costs, as a share of the time of the training.
"""

from __future__ import annotations

import argparse
import time
from statistics import fmean, median

import torch
from scipy.stats import spearmanr

from resbench.compiler.binding.network import Request, bind_network
from resbench.data.registry import info, load
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import override, parse_recipe
from resbench.language.yaml.node import Node, from_plain
from resbench.ops.schema import table
from resbench.train import fit as loop
from resbench.train.execution.plan import Plan
from resbench.train.fit import Hooks
from resbench.workers.job import Job, train

UNITS = (
    "original", "full_preactivation", "relu_only_preactivation", "relu_before_addition", "bn_after_addition",
    "constant_scaling", "exclusive_gating", "shortcut_only_gating", "conv1x1_shortcut", "dropout_shortcut", "plain",
)  # fmt: skip
SEEDS = (0, 1, 2, 3, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--width", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=12)
    given = parser.parse_args()
    library, about, data = Library(table()), info(given.data, Node({})), load(given.data)
    node = override(library.read("recipe", library.find("recipe", "he2016_small")), "epochs", from_plain(given.epochs))
    recipe = parse_recipe(override(node, "lr", from_plain(0.05)))
    network = Use("resnet_cifar", {"depth": Node(given.depth), "width": Node(given.width)}, Node("resnet_cifar"))
    found: dict[str, list[list[tuple[float, float]]]] = {}  # unit -> seed -> epoch -> by running, by new statistics
    shares = []
    for unit in UNITS:
        request = Request(network, Use(unit, {}, Node(unit)), about.input_shape, about.n_classes)
        seconds = {"anew": 0.0}
        real = loop.recomputed

        def timed(*words: object, seconds: dict[str, float] = seconds, real: object = real, **more: object) -> object:
            return _Timed(real(*words, **more), seconds)  # type: ignore[operator]

        loop.recomputed = timed  # type: ignore[assignment]
        hooks = Hooks(lambda seed, epoch: None, selects=lambda epoch: True)
        began = time.perf_counter()
        outcomes = train(
            Job(bind_network(request, library), recipe, data, {}),
            SEEDS,
            Plan(5, "channels_last", 1),
            torch.device("cpu"),
            hooks,
        )
        whole = time.perf_counter() - began - seconds["anew"]
        loop.recomputed = real
        shares.append(seconds["anew"] / given.epochs / whole)
        found[unit] = [[(row.val_error_pct, row.judged_error_pct) for row in outcome.epochs] for outcome in outcomes]
    units = [unit for unit, runs in found.items() if all(len(run) == given.epochs for run in runs)]
    print(
        f"{len(units)} units, {given.data}, depth {given.depth}, width {given.width}, {given.epochs} epochs, {len(SEEDS)} seeds\n"
    )
    print(
        "| epoch | means, running | means, anew | single seeds, running | single seeds, anew |\n| --- | --- | --- | --- | --- |"
    )
    end = [fmean(run[-1][1] for run in found[unit]) for unit in units]
    for epoch in range(given.epochs):
        cells = []
        for how in (0, 1):
            cells.append(f"{rank([fmean(run[epoch][how] for run in found[unit]) for unit in units], end):.2f}")
        for how in (0, 1):
            single = [rank([found[unit][i][epoch][how] for unit in units], end) for i in range(len(SEEDS))]
            cells.append(f"{fmean(single):.2f} ({min(single):.2f} to {max(single):.2f})")
        print(f"| {epoch + 1} | {' | '.join(cells)} |")
    ends = f"median of {len(shares)} units, {min(shares):.1%} to {max(shares):.1%}"
    print(f"\nmade anew once, at the end: {median(shares):.1%} of the time of a run ({ends})")


class _Timed:
    """A context whose entry is timed: there the statistics are made."""

    def __init__(self, inner: object, seconds: dict[str, float]) -> None:
        self.inner, self.seconds = inner, seconds

    def __enter__(self) -> object:
        began = time.perf_counter()
        entered = self.inner.__enter__()  # type: ignore[attr-defined]
        self.seconds["anew"] += time.perf_counter() - began
        return entered

    def __exit__(self, *error: object) -> object:
        return self.inner.__exit__(*error)  # type: ignore[attr-defined]


def rank(a: list[float], b: list[float]) -> float:
    return float(spearmanr(a, b).statistic)


if __name__ == "__main__":
    main()
