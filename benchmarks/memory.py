"""Memory of a training step at its peak: ResNet-110 against a net written by hand, ResNet-1001 with and without recomputing.

    python benchmarks/memory.py [ROUNDS]

Each case is a child process that does two steps; what is told is the peak of its resident memory less what it held after imports
and building, with an allocator that gives every large tensor back at once (MALLOC_MMAP_THRESHOLD_): what lives, not how the heap
was cut up. 32x32; batch 128 for ResNet-110, 8 for ResNet-1001 (bottlenecks). In turns; median and range over the rounds.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from statistics import median

ENV = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1000000"}
CASES = ("110 by hand", "110", "1001", "1001 recomputed")


def hand_written() -> Callable[[], None]:
    """He et al. 2016, full pre-activation, as one would write it."""
    import torch
    from torch import Tensor, nn
    from torch.nn import functional as F

    class Unit(nn.Module):
        def __init__(self, before: int, width: int, stride: int, first: bool) -> None:
            super().__init__()
            self.bn1, self.bn2 = nn.BatchNorm2d(before), nn.BatchNorm2d(width)
            self.conv1 = nn.Conv2d(before, width, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
            self.stride, self.more, self.first = stride, width - before, first or stride != 1

        def forward(self, x: Tensor) -> Tensor:
            a = F.relu(self.bn1(x), inplace=True)
            f = self.conv2(F.relu(self.bn2(self.conv1(a)), inplace=True))
            h = a if self.first else x
            if self.stride != 1:
                h = h[:, :, :: self.stride, :: self.stride]
            return f + (F.pad(h, (0, 0, 0, 0, 0, self.more)) if self.more else h)

    units, before = [], 16
    for stage in range(3):
        for i in range(18):
            width, stride = 16 * 2**stage, 2 if stage and not i else 1
            units.append(Unit(before, width, stride, not units))
            before = width
    stem, norm, head = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.Linear(64, 10)
    body = nn.Sequential(stem, *units, norm, nn.ReLU(inplace=True))
    optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.01, momentum=0.9, weight_decay=1e-4)
    images, labels = torch.randn(128, 3, 32, 32), torch.randint(10, (128,))

    def run() -> None:
        optimizer.zero_grad()
        F.cross_entropy(head(body(images).mean((2, 3))), labels).backward()
        optimizer.step()

    return run


def ours(depth: int, unit: str, batch: int, *, again: bool) -> Callable[[], None]:
    import torch

    from resbench.api.architecture.request import request_of
    from resbench.compiler.binding.network import bind_network
    from resbench.compiler.modules.network import recompute
    from resbench.compiler.modules.stack import initialize_stack, stack
    from resbench.language.library.library import Library
    from resbench.language.recipe.recipe import parse_recipe
    from resbench.ops.schema import table
    from resbench.train.step import step, training

    library = Library(table())
    recipe = parse_recipe(library.read("recipe", library.find("recipe", "he2016")))
    words = (f"depth={depth}", "width=16", f"unit={unit}", "data=shapes")
    stacked = stack(bind_network(*request_of("resnet_cifar", words)), 1)
    initialize_stack(stacked, (0,), recipe.init)
    if again:
        recompute(stacked.network)
    what = training(stacked, recipe)
    images, labels = torch.randn(batch, 3, 32, 32), torch.randint(10, (1, batch))
    return lambda: (step(what, 0.01, images, labels), None)[1]


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def child(case: str) -> None:
    import torch

    torch.set_num_threads(2)
    make = {
        "110 by hand": hand_written,
        "110": lambda: ours(110, "full_preactivation", 128, again=False),
        "1001": lambda: ours(1001, "full_preactivation_bottleneck", 8, again=False),
        "1001 recomputed": lambda: ours(1001, "full_preactivation_bottleneck", 8, again=True),
    }[case]
    run = make()
    before = peak_mib()
    run()
    run()
    print(peak_mib() - before)


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2])
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    found: dict[str, list[float]] = {case: [] for case in CASES}
    for number in range(rounds):
        for case in CASES if number % 2 else reversed(CASES):
            done = subprocess.run(
                [sys.executable, __file__, "--child", case], check=True, capture_output=True, text=True, env=ENV
            )
            found[case].append(float(done.stdout.split()[-1]))
    for case, values in found.items():
        print(f"{case}: {median(values):,.0f} MiB, range {min(values):,.0f} to {max(values):,.0f}, n = {rounds}")
    for one, other in (("110", "110 by hand"), ("1001 recomputed", "1001")):
        ratios = [a / b for a, b in zip(found[one], found[other], strict=True)]
        print(
            f"{one} / {other}: median {median(ratios):.3f}, range {min(ratios):.3f} to {max(ratios):.3f}, n = {rounds}"
        )


if __name__ == "__main__":
    main()
