"""What a CUDA card gives: ResNet-110 images/s against a plain eager float32 loop, stacked seeds, memory -> one Markdown file.

    python benchmarks/gpu.py FILE

Every pair is measured in turns in this process; a number is the median of `ROUNDS` rounds, with the range.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

import torch
from torch import Tensor
from torch.nn import functional as F

from resbench.api.architecture.request import request_of
from resbench.compiler.binding.network import bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.network import recompute
from resbench.compiler.modules.stack import initialize_stack, stack
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import RecipeSpec, override, parse_recipe
from resbench.language.yaml.node import from_plain
from resbench.ops.schema import table
from resbench.train.execution.device import repeatable
from resbench.train.execution.layout import ExecutionOptions
from resbench.train.execution.precision import allow
from resbench.train.step import step, training

ROUNDS, STEPS, BATCH = 9, 20, 128
DEVICE = torch.device("cuda")


def recipe(precision: str) -> RecipeSpec:
    library = Library(table())
    node = library.read("recipe", library.find("recipe", "he2016"))
    return parse_recipe(override(node, "precision", from_plain(precision)))


def bound(depth: int) -> BoundNetwork:
    """ResNet-1001 is of bottlenecks, as in the paper."""
    unit = "full_preactivation" if depth < 1000 else "full_preactivation_bottleneck"
    words = (f"depth={depth}", "width=16", f"unit={unit}", "data=shapes")
    return bind_network(*request_of("resnet_cifar", words))


def batch(seeds: int) -> tuple[Tensor, Tensor]:
    images = torch.randn(BATCH, 3 * seeds, 32, 32, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    return images, torch.randint(10, (seeds, BATCH), generator=torch.Generator().manual_seed(1)).to(DEVICE)


def ours(depth: int, seeds: int, way: ExecutionOptions, precision: str) -> Callable[[], None]:
    spec = recipe(precision)
    stacked = stack(bound(depth), seeds)
    initialize_stack(stacked, range(seeds), spec.init)
    stacked.network.to(DEVICE)
    what = training(stacked, spec, way)
    images, labels = batch(seeds)

    def run() -> None:
        allow(DEVICE, spec.precision)
        step(what, 0.01, images, labels)

    return run


def plain(depth: int) -> Callable[[], None]:
    """As one would write it: eager, float32, NCHW, torch's own SGD."""
    stacked = stack(bound(depth), 1)
    initialize_stack(stacked, (0,), "he_normal")
    network = stacked.network.to(DEVICE).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    images, labels = batch(1)

    def run() -> None:
        allow(DEVICE, "float32")
        optimizer.zero_grad()
        F.cross_entropy(network(images), labels[0]).backward()
        optimizer.step()

    return run


def rates(runs: dict[str, tuple[Callable[[], None], int]]) -> dict[str, list[float]]:
    """Images a second of each, in turns; seeds count."""
    for run, _ in runs.values():
        for _ in range(5):
            run()
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, (run, seeds) in runs.items():
            torch.cuda.synchronize()
            began = time.perf_counter()
            for _ in range(STEPS):
                run()
            torch.cuda.synchronize()
            found[name].append(STEPS * BATCH * seeds / (time.perf_counter() - began))
    return found


def table_of(found: dict[str, list[float]], against: str) -> list[str]:
    rows = [f"| | images/s, median | range, n = {ROUNDS} | over `{against}` |", "|---|---|---|---|"]
    for name, values in found.items():
        ratio = median(a / b for a, b in zip(values, found[against], strict=True))
        rows.append(f"| {name} | {median(values):,.0f} | {min(values):,.0f} to {max(values):,.0f} | {ratio:.2f} |")
    return rows


def guarded(make: Callable[[], Callable[[], None]]) -> tuple[Callable[[], None] | None, str]:
    """What can be run, or the reason why not."""
    try:
        run = make()
        run()
    except Exception as error:
        return None, f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    return run, ""


def resnet110() -> list[str]:
    runs: dict[str, tuple[Callable[[], None], int]] = {"plain eager float32": (plain(110), 1)}
    missing = []
    for precision in ("float32", "tf32", "bfloat16"):
        for compiled in (False, True):
            name = f"resbench {precision}{' compiled' * compiled}"
            way = ExecutionOptions("channels_last", compiled)
            run, reason = guarded(lambda way=way, precision=precision: ours(110, 1, way, precision))
            if run is None:
                missing.append(f"{name}: {reason}")
            else:
                runs[name] = (run, 1)
    return ["## ResNet-110, batch 128, 32x32", *table_of(rates(runs), "plain eager float32"), *missing]


def stacked_seeds() -> list[str]:
    lines = []
    for depth in (20, 56):
        runs = {f"K = {k}": (ours(depth, k, ExecutionOptions("channels_last"), "float32"), k) for k in (1, 2, 4, 8)}
        lines += ["", f"## Stacked seeds, depth {depth}, width 16, float32", *table_of(rates(runs), "K = 1")]
    return lines


def memory() -> list[str]:
    def peak(make: Callable[[], Callable[[], None]]) -> float:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        run = make()
        run()
        run()
        return torch.cuda.max_memory_allocated() / 2**20

    def recomputing() -> Callable[[], None]:
        spec = recipe("float32")
        stacked = stack(bound(1001), 1)
        initialize_stack(stacked, (0,), spec.init)
        recompute(stacked.network.to(DEVICE))
        what = training(stacked, spec, ExecutionOptions("channels_last"))
        images, labels = batch(1)
        return lambda: (step(what, 0.01, images, labels), None)[1]

    rows = ["", "## Memory at the peak, MiB, batch 128", "| | MiB |", "|---|---|"]
    for name, make in (
        ("ResNet-110, plain", lambda: plain(110)),
        ("ResNet-110, resbench", lambda: ours(110, 1, ExecutionOptions("channels_last"), "float32")),
        ("ResNet-1001, resbench", lambda: ours(1001, 1, ExecutionOptions("channels_last"), "float32")),
        ("ResNet-1001, resbench, recompute", recomputing),
    ):
        try:
            rows.append(f"| {name} | {peak(make):,.0f} |")
        except torch.OutOfMemoryError:
            rows.append(f"| {name} | does not fit |")
    return rows


def main() -> None:
    if not torch.cuda.is_available():
        raise SystemExit("there is no CUDA device")
    repeatable(DEVICE)
    card = f"{torch.cuda.get_device_name()}, torch {torch.__version__}, CUDA {torch.version.cuda}"
    head = f"# What a card gives\n\n{date.today()}: {card}."
    Path(sys.argv[1]).write_text("\n".join([head, "", *resnet110(), *stacked_seeds(), *memory()]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
