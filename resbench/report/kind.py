"""An op -> what sort of op it is, which is its colour in a picture, and the sign of an op that joins values."""

from __future__ import annotations

from typing import Literal

from torch import nn

from resbench.ops.parameter import Parametric, Random

Kind = Literal["weights", "norm", "activation", "gate", "random", "moving", "merge", "other"]
SIGNS = {"add": "+", "multiply": "×", "concat": "‖", "subtract": "−"}
_OF: dict[str, Kind] = {
    **dict.fromkeys(("relu", "relu6", "silu", "gelu", "tanh", "hardswish"), "activation"),
    **dict.fromkeys(("sigmoid", "one_minus", "scale", "zero"), "gate"),
    **dict.fromkeys(("max_pool", "avg_pool", "global_avg_pool", "subsample"), "moving"),
    **dict.fromkeys(("pad_channels", "slice", "channel_shuffle"), "moving"),
    **dict.fromkeys(SIGNS, "merge"),
}
_OF_PARAMETERS: dict[str, Kind] = {"conv": "weights", "linear": "weights", "norm": "norm"}


def kind_of(op: str, module: nn.Module) -> Kind:
    """Ops that this file does not know go by their module: what kind of parameters it has, or that it draws."""
    if op in _OF:
        return _OF[op]
    if isinstance(module, Random):
        return "random"
    if isinstance(module, Parametric):
        kinds = {start.kind for start in module.starts.values()}
        return next((kind for name, kind in _OF_PARAMETERS.items() if name in kinds), "gate")
    return "other"
