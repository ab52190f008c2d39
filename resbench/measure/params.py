"""Network -> trainable parameters (a count; no memory is needed, the network may be on `meta`)."""

from __future__ import annotations

from torch import nn


def params(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
