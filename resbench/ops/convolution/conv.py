"""Convolution.  BCHW -> B out H' W'.  `conv3x3`, `conv1x7`, `dwconv3x3` are this op with their kernel in the name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resbench.errors import Reason
from resbench.ops.convolution.small_map import pays, product
from resbench.ops.convolution.weight_standardization import bound, standardize
from resbench.ops.convolution.window import padding_for, pair, short, short_pair, spell_out
from resbench.ops.parameter import Initial, Parametric, Start, bias_at_start, empty, idle_bias_unsaid
from resbench.ops.registry import Code, op


def _spell_out(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return idle_bias_unsaid(spell_out(arguments))


def _code(arguments: Mapping[str, Any], channels: int) -> Code:
    """Return the op in plain torch, which has only the plain weight."""
    if arguments["weight"] != "plain":
        return Code()
    kernel, stride, padding = short(arguments)
    rest = f"dilation={short_pair(arguments['dilation'])}, groups={arguments['groups']}, bias={arguments['bias']}"
    return Code(f"nn.Conv2d({channels}, {arguments['out']}, {kernel}, stride={stride}, padding={padding}, {rest})")


def _macs(arguments: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> int:
    """Return one multiply-add for each weight of each output value; the normalisation of a weight costs no more than a
    few rows.
    """
    ((channels, *size),) = shapes
    kernel, stride, dilation = (pair(key, arguments[key]) for key in ("kernel", "stride", "dilation"))
    padding = padding_for(kernel, dilation, arguments["padding"])
    windows = zip(size, kernel, stride, dilation, padding, strict=True)
    pixels = math.prod((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, d, p in windows)
    return int(pixels * arguments["out"] * channels // arguments["groups"] * math.prod(kernel))


def _stacked(arguments: Mapping[str, Any], channels: int, seeds: int) -> nn.Module | None:
    """Return one convolution with K times the groups; a spectral bound applies to one kernel, so there is none."""
    if arguments["weight"] == "spectral":
        return None
    wide = {**arguments, "out": seeds * arguments["out"], "groups": seeds * arguments["groups"]}
    conv = Conv(seeds * channels, **wide)
    conv.several = True
    return conv


@op(
    "conv",
    spell_out=_spell_out,
    code=_code,
    macs=_macs,
    stacked=_stacked,
    role="weights",
    effect="projected",
    fresh=True,
    kernel_in_name=True,
    at_start=lambda a, value: bias_at_start(a),
    aliases=("conv2d", "convolution"),
)
class Conv(Parametric):
    """Each output value is a weighted sum over a window of the input.

    kernel: height and width of the window, or one number for both
    out: channels out; in a unit, where it is not given, the unit's
    stride: how far the window moves, in pixels; [height, width] or one number for both
    padding: rows and columns of zeros on each side; where not given, an odd kernel keeps the size at stride 1 and an even one is
      not padded
    dilation: pixels from one tap of the window to the next
    groups: the channels are cut into so many groups that do not see each other
    bias: whether a learned number is added to each channel out
    bias_init: how the bias starts
    init: how the weights start; where not given, as the recipe says
    weight: plain, or normalised at every step: standardized (mean 0, variance 1), scaled_standardized (that over sqrt(fan-in),
      with a learned factor a channel), spectral (largest singular value at most `gain`)
    gain: the factor of a scaled_standardized weight, the bound of a spectral one; else 1
    """

    def __init__(
        self,
        channels: int,
        *,
        kernel: int | tuple[int, int],
        out: int,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | None = None,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = False,
        bias_init: float = 0.0,
        init: Initial | None = None,
        weight: Literal["plain", "standardized", "scaled_standardized", "spectral"] = "plain",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        if out < 1:
            raise Reason(f"`out` (={out}) must be at least 1")
        if groups < 1 or channels % groups or out % groups:
            raise Reason(f"`groups` (={groups}) must divide the channels in (={channels}) and `out` (={out})")
        if gain <= 0 or (gain != 1 and weight in ("plain", "standardized")):
            raise Reason(
                f"`gain` (={gain:g}) must be above 0, and goes with `weight: scaled_standardized` or `spectral`"
            )
        size = pair("kernel", kernel)
        self.stride, self.dilation, self.groups = pair("stride", stride), pair("dilation", dilation), groups
        self.padding = padding_for(size, self.dilation, padding)
        self.form, self.gain = weight, gain
        self.several = False  # K convolutions side by side
        self.skips = size == (1, 1) != self.stride
        fan_in, fan_out = (n // groups * size[0] * size[1] for n in (channels, out))
        self.weight = empty(out, channels // groups, *size)
        self.bias = empty(out) if bias else None
        self.starts = {"weight": Start("conv", fan_in, fan_out, init)}
        self.buffer_starts = {}
        if bias:
            self.starts["bias"] = Start("bias", initial=bias_init)
        if weight == "scaled_standardized":
            self.factor = empty(out)
            self.starts["factor"] = Start("gain", initial=1.0)
            self.scale = gain / math.sqrt(fan_in)
        if weight == "spectral":
            for name, length in (("left", out), ("right", fan_in)):
                self.register_buffer(name, torch.empty(length))
                self.buffer_starts[name] = length**-0.5

    def forward(self, x: Tensor) -> Tensor:
        if self.several and self.bias is None and pays(x, self.weight):
            return product(
                x, self.kernel(), self.groups, stride=self.stride, padding=self.padding, dilation=self.dilation
            )
        if self.skips and x.device.type == "cpu":  # with channels last and few channels, torch 2.14's gradient of these
            x = x.contiguous()  # writes beyond its memory
        return F.conv2d(x, self.kernel(), self.bias, self.stride, self.padding, self.dilation, self.groups)

    def kernel(self) -> Tensor:
        """Return the weight as it is used."""
        if self.form == "standardized":
            return standardize(self.weight)
        if self.form == "scaled_standardized":
            return standardize(self.weight, self.factor * self.scale)
        if self.form == "spectral":
            left, right = self.get_buffer("left"), self.get_buffer("right")
            return bound(self.weight, left, right, self.gain, renew=self.training)
        return self.weight
