"""Small networks written in torch alone, and the same in our language: references that are made anew in a moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from resbench.api.architecture.request import request_of
from resbench.compiler.binding.network import bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.verify.check import Verification, verify

NETWORK = """
network: small
input: [3, 32, 32]
classes: 5
unit: {use: UNIT}
stem: [conv3x3: {out: 8}, $after_stem, max_pool: {kernel: 3, stride: 2}]
stages:
  - {units: 2, out: 16}
  - {units: 2, out: 24, stride: 2}
head: [$after_last, global_avg_pool, linear: {out: $classes}]
"""
SIZES = (16, 19)


def bound(folder: Path, unit: str, words: Sequence[str] = (), network: str = NETWORK) -> BoundNetwork:
    """The small network of a unit: of its name, or of its text."""
    name = unit
    if "\n" in unit:
        name = unit.split()[1]
        (folder / f"{name}.yaml").write_text(unit, "utf-8")
    file = folder / "small.yaml"
    file.write_text(network.replace("UNIT", name), "utf-8")
    return bind_network(*request_of(str(file), tuple(words)))


def verdict(ours: BoundNetwork, theirs: nn.Module, sizes: tuple[int, ...] = SIZES) -> Verification:
    return verify(ours, theirs, sizes, ["float64"], {})


class Basic(nn.Module):
    def __init__(self, inside: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.act = nn.ReLU()
        changes = stride != 1 or inside != out
        self.down = (
            nn.Sequential(nn.Conv2d(inside, out, 1, stride, bias=False), nn.BatchNorm2d(out)) if changes else None
        )

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.down is None else self.down(x)
        return self.act(self.bn2(self.conv2(self.act(self.bn1(self.conv1(x))))) + h)  # type: ignore[no-any-return]


class Bottleneck(nn.Module):
    """As wide inside as outside, so that its first convolution and its projection have the same sizes."""

    def __init__(self, inside: int, out: int, stride: int) -> None:
        super().__init__()
        changes = stride != 1 or inside != out
        self.conv1 = nn.Conv2d(inside, out, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, stride, 1, bias=False, groups=2)
        self.bn2 = nn.BatchNorm2d(out)
        self.conv3 = nn.Conv2d(out, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.down = (
            nn.Sequential(nn.Conv2d(inside, out, 1, stride, bias=False), nn.BatchNorm2d(out)) if changes else None
        )

    def forward(self, x: Tensor) -> Tensor:
        f = F.relu(self.bn1(self.conv1(x)))
        f = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(f)))))
        return F.relu(f + (x if self.down is None else self.down(x)))


class Small(nn.Module):
    """`block`: in, out, stride -> a residual unit."""

    def __init__(self, block: Callable[[int, int, int], nn.Module]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(8)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.units = nn.Sequential(block(8, 16, 1), block(16, 16, 1), block(16, 24, 2), block(24, 24, 1))
        self.fc = nn.Linear(24, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.units(self.pool(F.relu(self.bn(self.conv(x)))))
        return self.fc(x.mean((2, 3)))  # type: ignore[no-any-return]
