"""The compiled ResNet-20 against one written by hand in plain PyTorch: same numbers, same gradients."""

from __future__ import annotations

import pytest
import torch
from compiler_sample import bind, images, weighted
from torch import Tensor, nn
from torch.nn import functional as F

from resbench.compiler.graph import BoundNetwork
from resbench.ops.parameter import Parametric


def conv(inside: int, out: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inside, out, kernel, stride, kernel // 2, bias=False)


class Shortcut(nn.Module):
    """Option A or B; a projection is followed by BN in the original unit only."""

    def __init__(self, inside: int, out: int, stride: int, project: bool, bn: bool) -> None:
        super().__init__()
        self.more = out - inside
        changes = stride != 1 or out != inside
        layers = [conv(inside, out, 1, stride), *([nn.BatchNorm2d(out)] if bn else [])]
        self.layers = nn.Sequential(*layers) if project and changes else None

    def forward(self, x: Tensor) -> Tensor:
        if self.layers is not None:
            return self.layers(x)
        if not self.more:
            return x
        halved = x[:, :, ::2, ::2]
        zeros = halved.new_zeros(len(x), self.more, *halved.shape[2:])
        return torch.cat([halved, zeros], 1)


class Original(nn.Module):
    def __init__(self, inside: int, out: int, stride: int, first: bool, project: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(inside, out, 3, stride), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = conv(out, out, 3), nn.BatchNorm2d(out)
        self.shortcut = Shortcut(inside, out, stride, project, bn=True)

    def forward(self, x: Tensor) -> Tensor:
        f = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(self.shortcut(x) + f)


class PreActivation(nn.Module):
    """At the first unit and where the shape changes the shortcut leaves from the activated x."""

    def __init__(self, inside: int, out: int, stride: int, first: bool, project: bool) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inside), conv(inside, out, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(out), conv(out, out, 3)
        self.shortcut = Shortcut(inside, out, stride, project, bn=False)
        self.from_activated = first or stride != 1

    def forward(self, x: Tensor) -> Tensor:
        a = F.relu(self.bn1(x))
        f = self.conv2(F.relu(self.bn2(self.conv1(a))))
        return self.shortcut(a if self.from_activated else x) + f


class ResNet20(nn.Module):
    def __init__(self, unit: type[Original] | type[PreActivation], project: bool) -> None:
        super().__init__()
        self.pre = unit is PreActivation
        self.stem = conv(3, 16, 3)
        self.stem_bn = nn.Identity() if self.pre else nn.BatchNorm2d(16)
        units, inside = [], 16
        for out in (16, 32, 64):
            for position in range(3):
                stride = 2 if position == 0 and out != 16 else 1
                units.append(unit(inside, out, stride, not units, project))
                inside = out
        self.units = nn.Sequential(*units)
        self.last_bn = nn.BatchNorm2d(64) if self.pre else nn.Identity()
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.units(x if self.pre else F.relu(self.stem_bn(x)))
        x = F.relu(self.last_bn(x)) if self.pre else x
        return self.linear(x.mean((2, 3)))


def randomised(network: nn.Module) -> None:
    """Affine parameters of both signs, running statistics that matter."""
    generator = torch.Generator().manual_seed(11)
    for name, tensor in network.state_dict().items():
        if tensor.dim() == 1:
            noise = torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
            tensor.copy_(noise.abs() + 0.3 if name.endswith("running_var") else noise)


def copy_in_running_order(bound: BoundNetwork, ours: nn.Module, theirs: nn.Module) -> list[tuple[nn.Module, nn.Module]]:
    from_us = [m for m in (ours.get_submodule(path) for path, _ in bound.ops()) if isinstance(m, Parametric)]
    to_them = [m for m in theirs.modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d | nn.Linear)]
    pairs = list(zip(from_us, to_them, strict=True))
    for source, target in pairs:
        target.load_state_dict(source.state_dict())
    return pairs


@pytest.mark.parametrize("change", ["pad", "project"])
@pytest.mark.parametrize(("name", "unit"), [("original", Original), ("full_preactivation", PreActivation)])
def test_resnet_20(name: str, unit: type[Original] | type[PreActivation], change: str) -> None:
    bound = bind("resnet_cifar", name, of_unit={"change": change}, depth=20)
    ours, theirs = weighted(bound).double(), ResNet20(unit, change == "project").double()
    randomised(ours)
    pairs = copy_in_running_order(bound, ours, theirs)
    x = images(4, (3, 32, 32), torch.float64)
    labels = torch.tensor([1, 2, 3, 4])
    for training in (False, True):
        ours.train(training)
        theirs.train(training)
        mine, other = x.clone().requires_grad_(), x.clone().requires_grad_()
        a, b = ours(mine), theirs(other)
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
        ours.zero_grad()
        theirs.zero_grad()
        F.cross_entropy(a, labels).backward()
        F.cross_entropy(b, labels).backward()
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-10, atol=1e-10)
        for source, target in pairs:
            for parameter, same in zip(source.parameters(), target.parameters(), strict=True):
                torch.testing.assert_close(parameter.grad, same.grad, rtol=1e-10, atol=1e-10)
                assert parameter.grad is not None
                assert parameter.grad.count_nonzero()
    for source, target in pairs:  # the running statistics moved alike
        for key, value in source.named_parameters():
            torch.testing.assert_close(value, target.get_parameter(key), rtol=1e-10, atol=1e-10)
        for key in ("running_mean", "running_var") if isinstance(target, nn.BatchNorm2d) else ():
            torch.testing.assert_close(source.get_buffer(key), target.get_buffer(key), rtol=1e-10, atol=1e-10)
