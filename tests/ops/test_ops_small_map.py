"""Convolutions over maps that their window covers, as products: the same numbers and gradients as torch's convolution."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from resbench.ops.convolution.conv import _stacked
from resbench.ops.convolution.small_map import covered, product


@pytest.mark.parametrize(
    ("size", "window", "stride", "padding", "dilation", "groups"),
    [
        ((2, 2), (3, 3), (1, 1), (1, 1), (1, 1), 4),
        ((3, 2), (3, 3), (2, 1), (1, 1), (1, 1), 2),
        ((3, 3), (3, 3), (1, 1), (2, 2), (2, 2), 1),
        ((4, 1), (5, 1), (1, 1), (2, 0), (1, 1), 4),
        ((4, 4), (3, 3), (2, 2), (0, 1), (1, 1), 2),
    ],
)
def test_it_is_the_convolution(
    size: tuple[int, int], window: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int],
    dilation: tuple[int, int], groups: int,
) -> None:  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 8, *size, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(12, 8 // groups, *window, generator=generator, dtype=torch.float64, requires_grad=True)
    expected = F.conv2d(x, weight, None, stride, padding, dilation, groups)
    found = product(x, weight, groups, stride=stride, padding=padding, dilation=dilation)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    upstream = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    for a, b in zip(*(torch.autograd.grad(y, (x, weight), upstream) for y in (found, expected)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_of_networks_side_by_side_one_that_diverges_leaves_the_others_their_bits() -> None:
    arguments = {"kernel": 3, "out": 4, "groups": 1, "weight": "plain", "stride": 1, "padding": None}
    conv = _stacked(arguments, 4, 3)
    assert conv is not None
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        conv.weight.copy_(torch.randn(conv.weight.shape, generator=generator))  # type: ignore[operator, union-attr]
    x = torch.randn(6, 12, 2, 2, generator=generator)
    assert covered(x.shape[2:], conv.weight.shape[2:])  # type: ignore[union-attr]
    before = conv(x)
    torch.testing.assert_close(before, F.conv2d(x, conv.weight, padding=1, groups=3))  # type: ignore[arg-type]
    x[:, 4:8] = torch.nan
    after = conv(x)
    assert torch.equal(after[:, :4], before[:, :4])
    assert torch.equal(after[:, 8:], before[:, 8:])
    assert bool(after[:, 4:8].isnan().all())
