"""How near a training step comes to what the machine's convolution kernels can do on the same shapes.

    python benchmarks/share_of_limit.py [ROUNDS] [--threads 1] [--batch 128]

ResNet-20, width 16, 32x32. The limit: every convolution of the net alone, forward and backward, in the faster of both memory
layouts. The share: that time over the time of a whole step, in turns, median over the rounds with its range; then the step's time
by kind of op, from torch's profiler.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from statistics import median

import torch
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

from resbench.api.architecture.request import request_of
from resbench.compiler.binding.network import bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.stack import initialize_stack, stack
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import parse_recipe
from resbench.measure.macs import op_macs
from resbench.ops.schema import table
from resbench.train.execution.layout import ExecutionOptions
from resbench.train.step import step, training

FORMATS = (torch.contiguous_format, torch.channels_last)
KINDS = {"convolution": ("conv",), "batch norm": ("batch_norm",), "relu": ("clamp_min", "threshold", "relu"),
         "addition": ("aten::add",), "optimizer": ("_foreach", "sgd", "SGD")}  # fmt: skip
Shape = tuple[tuple[int, int, int], int, int, bool]  # image, channels out, stride, whether its input needs a gradient


def convolutions(bound: BoundNetwork) -> tuple[Counter[Shape], int]:
    """Those of 3x3, and the multiply-adds of all ops."""
    found: Counter[Shape] = Counter()
    macs = 0
    for part, graph in bound.parts():
        for op in graph.ops:
            inputs = tuple(graph.shapes[i] for i in op.inputs)
            macs += op_macs(op, inputs).count or 0
            if op.op == "conv":
                arguments = dict(op.arguments)
                stride = arguments["stride"]
                first = stride if isinstance(stride, int) else stride[0]
                found[(inputs[0], arguments["out"], first, part != "stem")] += 1
    return found, macs


def convolution_s(shape: Shape, batch: int) -> float:
    """Seconds of one forward and backward pass, in the faster layout."""
    image, out, stride, needs = shape
    best = float("inf")
    for layout in FORMATS:
        x = torch.randn(batch, *image).contiguous(memory_format=layout).requires_grad_(needs)
        weight = torch.randn(out, image[0], 3, 3).contiguous(memory_format=layout).requires_grad_()
        wanted = (x, weight) if needs else (weight,)
        upstream = torch.randn_like(F.conv2d(x, weight, None, stride, 1))
        for _ in range(3):
            began = time.perf_counter()
            torch.autograd.grad(F.conv2d(x, weight, None, stride, 1), wanted, upstream)
            best = min(best, time.perf_counter() - began)
    return best


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", nargs="?", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=128)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    words = ("depth=20", "width=16", "unit=full_preactivation", "data=shapes")
    bound = bind_network(*request_of("resnet_cifar", words))
    library = Library(table())
    recipe = parse_recipe(library.read("recipe", library.find("recipe", "he2016")))
    whats = []
    for layout in ("contiguous", "channels_last"):
        stacked = stack(bound, 1)
        initialize_stack(stacked, (0,), recipe.init)
        whats.append(training(stacked, recipe, ExecutionOptions(layout)))
    images, labels = torch.randn(options.batch, 3, 32, 32), torch.randint(10, (1, options.batch))
    shapes, macs = convolutions(bound)
    limits, steps = [], []
    for number in range(options.rounds + 1):
        limit = sum(count * convolution_s(shape, options.batch) for shape, count in shapes.items())
        fastest = float("inf")
        for what in whats:
            began = time.perf_counter()
            step(what, 0.0, images, labels)
            fastest = min(fastest, time.perf_counter() - began)
        if number:  # the first warms up
            limits.append(limit)
            steps.append(fastest)
    shares = [a / b for a, b in zip(limits, steps, strict=True)]
    flop = 6 * macs * options.batch  # two for a multiply-add; backward twice forward
    told = f"median {median(shares):.2f}, range {min(shares):.2f} to {max(shares):.2f}, n = {len(shares)} rounds"
    print(f"share of the limit: {told}; {options.threads} thread(s), batch {options.batch}")
    print(f"step {median(steps):.3f} s = {flop / median(steps) / 1e9:.1f} GFLOP/s; convolutions alone {median(limits):.3f} s = "
          f"{flop / median(limits) / 1e9:.1f} GFLOP/s")  # fmt: skip
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(3):
            step(whats[1], 0.0, images, labels)
    times: Counter[str] = Counter()
    for event in seen.key_averages():
        kind = next((kind for kind, parts in KINDS.items() if any(part in event.key for part in parts)), "other")
        times[kind] += event.self_cpu_time_total
    total = sum(times.values())
    print("by kind of op: " + ", ".join(f"{kind} {100 * t / total:.0f} %" for kind, t in times.most_common()))


if __name__ == "__main__":
    main()
