"""What measure/footprint.py says that training needs, against the peak of real trainings on the CPU.

    python benchmarks/footprint.py [ROUNDS]

Each case is a child process that trains a whole run (data, two steps or more, evaluation, test) by the loop of `study run`. What
is measured is the peak of its resident memory less what it held after imports and loading, so that libraries are in neither
number. The allocator gives every large tensor back at once (MALLOC_MMAP_THRESHOLD_): the peak is what lives, which is the case in
which an estimate is soonest too high. A network is refused only where the estimate is over what the device has in all, so a ratio
above 1 would refuse what works. In turns; median and range over the rounds. Linux alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

ENV = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1000000"}


@dataclass(frozen=True)
class Case:
    """`train`, `val`: images, of the data set `shapes`."""

    network: tuple[str, ...]
    recipe: str
    seeds: int = 1
    train: int = 256
    val: int = 16


CASES = {
    "ResNet-110, batch 128": Case(("resnet_cifar", "depth=110", "unit=original"), "{use: he2016, batch: 128}"),
    "WRN-16-10, batch 16": Case(("wide_resnet", "depth=16", "widen=10"), "{use: he2016, batch: 16}", train=32),
    "WRN-16-10, batch 2": Case(("wide_resnet", "depth=16", "widen=10"), "{use: he2016, batch: 2}", train=4),
    "WRN-16-10, batch 2, 256 in evaluation": Case(
        ("wide_resnet", "depth=16", "widen=10"), "{use: he2016, batch: 2}", train=4, val=256
    ),
    "WRN-16-10 averaged, batch 16": Case(
        ("wide_resnet", "depth=16", "widen=10"), "{use: airbench_like, batch: 16}", train=32
    ),
    "ResNet-56, 4 seeds as one, batch 64": Case(
        ("resnet_cifar", "depth=56", "unit=full_preactivation"), "{use: he2016, batch: 64}", 4, 128
    ),
    "ResNet-164 recomputed, batch 32": Case(
        ("resnet_cifar", "depth=164", "unit=full_preactivation_bottleneck"),
        "{use: he2016, batch: 32, plan: {recompute: true}}",
        train=32,
        val=4,
    ),
    "ResNet-110 in bfloat16, batch 128": Case(
        ("resnet_cifar", "depth=110", "unit=original"), "{use: he2016, batch: 128, precision: bfloat16}"
    ),
    "DenseNet-121, batch 32": Case(("densenet", "depth=121"), "{use: he2016, batch: 32}", train=64),
}


def child(name: str) -> None:
    """Estimate and peak in MiB."""
    import torch

    from resbench.api.architecture.request import request_of
    from resbench.compiler.binding.network import bind_network
    from resbench.language.library.library import Library
    from resbench.language.recipe.recipe import override, parse_recipe
    from resbench.language.yaml.node import Node
    from resbench.language.yaml.reader import read_value
    from resbench.measure.footprint import TrainingLoad, training
    from resbench.ops.schema import table
    from resbench.train.evaluate import BATCH
    from resbench.train.execution.plan import Plan
    from resbench.train.fit import Hooks
    from resbench.workers.data import loaded
    from resbench.workers.job import Job, train

    case, library = CASES[name], Library(table())
    said = read_value(case.recipe, "recipe").mapping
    node = library.read("recipe", library.find("recipe", str(said["use"].value)))
    for key, value in (*said.items(), ("epochs", Node(1)), ("augment", read_value("[]", "augment"))):
        node = node if key == "use" else override(node, key, value)
    recipe = parse_recipe(node)
    bound = bind_network(*request_of(case.network[0], (*case.network[1:], "data=shapes")))
    data, _ = loaded("shapes", {})
    few = {name: index[: case.train if name == "train" else case.val] for name, index in data.splits.items()}
    data = replace(data, splits=few)
    floats = 4 * (case.train + case.val) * 3 * 32 * 32
    estimate = training(bound, TrainingLoad(recipe, recipe.batch, case.seeds, floats, min(BATCH, case.val))).total
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    plan = Plan(case.seeds, "contiguous", 2, recompute=recipe.plan.recompute)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _mib("VmRSS")
    train(Job(bound, recipe, data, {}), tuple(range(case.seeds)), plan, torch.device("cpu"), Hooks(_ignore))
    print(estimate / 2**20, _mib("VmHWM") - before)


def _ignore(seed: int, epoch: object) -> None: ...


def _mib(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) / 1024


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2])
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
    for number in range(rounds):
        for name in CASES if number % 2 else reversed(CASES):
            done = subprocess.run(
                [sys.executable, __file__, "--child", name], check=True, capture_output=True, text=True, env=ENV
            )
            estimate, measured = map(float, done.stdout.split()[-2:])
            found[name].append((estimate, measured))
    for name, pairs in found.items():
        measured = [one for _, one in pairs]
        ratios = [estimate / one for estimate, one in pairs]
        print(
            f"{name}: estimate {pairs[0][0]:,.0f} MiB, measured {median(measured):,.0f} ({min(measured):,.0f} to "
            f"{max(measured):,.0f}), ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), n = {rounds}"
        )


if __name__ == "__main__":
    main()
