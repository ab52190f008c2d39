"""Does a network compiled from YAML train as fast as the hand-written one?  Forward and backward, ratio ours / theirs.

    python benchmarks/compiled_vs_handwritten.py [PAIRS]

Both networks get the same images and the same weights; each pair of measurements is made one right after the other, in turns
first, so that a machine that slows down slows both. The ratio of the medians is told with a 95 % interval: percentile bootstrap
over the pairs (10 000 draws). Needs torchvision and timm.
"""

from __future__ import annotations

import gc
import platform
import sys
import time

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resbench.api.architecture.request import request_of
from resbench.compiler.binding.network import bind_network
from resbench.compiler.modules.inplace import use_inplace
from resbench.verify.check import imported
from resbench.verify.reference import reference

BATCH, SIZE = 8, 96
NETS = (
    ("resnet_imagenet", ("depth=18", "unit=original", "unit.change=project"), "torchvision:resnet18"),
    ("resnet_imagenet", ("unit=full_preactivation_bottleneck",), "timm:resnetv2_50"),
)


def step_s(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Seconds of one forward and backward pass in training mode."""
    network.zero_grad(set_to_none=True)
    start = time.perf_counter()
    F.cross_entropy(network(images), labels).backward()
    return time.perf_counter() - start


def measure(network: str, words: tuple[str, ...], against: str, pairs: int) -> str:
    bound = bind_network(*request_of(network, words))
    theirs = reference(against, bound.classes, {})
    ours, _ = imported(bound, theirs, SIZE, {})
    use_inplace(ours)  # as train/fit.py does
    images = torch.randn(BATCH, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(BATCH)
    both = (ours.train(), theirs.train())
    for _ in range(3):
        for one in both:
            step_s(one, images, labels)
    gc.disable()
    seconds = np.empty((pairs, 2))
    for pair in range(pairs):
        for which in (0, 1) if pair % 2 == 0 else (1, 0):
            seconds[pair, which] = step_s(both[which], images, labels)
    gc.enable()
    drawn = seconds[np.random.default_rng(0).integers(0, pairs, (10_000, pairs))]
    ratios = np.median(drawn[:, :, 0], 1) / np.median(drawn[:, :, 1], 1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    medians = np.median(seconds, 0)
    return (
        f"{against:<24} ours {1e3 * medians[0]:.1f} ms, theirs {1e3 * medians[1]:.1f} ms, ratio {medians[0] / medians[1]:.3f} "
        f"[{low:.3f}, {high:.3f}], n = {pairs} pairs"
    )


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.processor() or platform.machine()}")
    print(f"forward and backward, batch {BATCH} of 3x{SIZE}x{SIZE}, float32, training mode")
    for network, words, against in NETS:
        print(measure(network, words, against, pairs), flush=True)


if __name__ == "__main__":
    main()
