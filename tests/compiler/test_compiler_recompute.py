"""Segments of which only the ends are kept: the same results, gradients, statistics and draws, and less memory."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from compiler_sample import bind, images, weighted
from torch import Tensor

from resbench.compiler.modules.inplace import use_inplace
from resbench.compiler.modules.network import recompute


def trained(unit: str, depth: int, *, again: bool) -> list[Tensor]:
    """Everything after two steps."""
    network = weighted(bind("resnet_cifar", unit, depth=depth, width=4)).train()
    use_inplace(network)
    if again:
        recompute(network)
    given = images(4, (3, 16, 16)).requires_grad_()
    found: list[Tensor] = []
    for _ in range(2):
        output = network(given)
        output.square().sum().backward()
        found.append(output.detach())
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.grad is not None:
                    parameter -= 1e-3 * parameter.grad
    assert given.grad is not None
    return [*found, given.grad, *network.state_dict().values()]


@pytest.mark.parametrize(
    ("unit", "depth"),
    [("full_preactivation", 32), ("dropout_shortcut", 26), ("iresnet", 20), ("dropout_shortcut_bottleneck", 29)],
)
def test_the_same_bits(unit: str, depth: int) -> None:
    for a, b in zip(trained(unit, depth, again=False), trained(unit, depth, again=True), strict=True):
        assert torch.equal(a, b)


def test_segments_are_the_square_root_and_evaluation_has_none() -> None:
    network = weighted(bind("resnet_cifar", "original", depth=98, width=2))
    recompute(network)
    assert [stage.segment for stage in network.stages] == [4, 4, 4]
    with torch.no_grad():
        network.eval()(images(1, (3, 16, 16)))


PEAK = """
import pathlib, re, resource, sys
sys.path.insert(0, "tests/compiler")
import torch
from compiler_sample import bind, images, weighted
from resbench.compiler.modules.network import recompute

def peak():  # in KiB; Linux's rusage counts what the parent had before the exec
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

network = weighted(bind("resnet_cifar", "full_preactivation", depth=218, width=8)).train()
if sys.argv[1] == "again":
    recompute(network)
given = images(160, (3, 32, 32))
network(images(1, (3, 8, 8))).sum().backward()
before = peak()
network(given).square().sum().backward()
print(peak() - before)
"""


@pytest.mark.long
def test_it_needs_less_than_a_third_of_the_memory(request: pytest.FixtureRequest) -> None:
    """Peak over what is held before; 108 units, segments of six."""

    def peak(how: str) -> int:
        command = [sys.executable, "-c", PEAK, how]
        return int(
            subprocess.run(command, check=True, capture_output=True, text=True, cwd=request.config.rootpath).stdout
        )

    assert 3 * peak("again") < peak("once")
