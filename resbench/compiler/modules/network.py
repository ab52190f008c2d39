"""BoundNetwork -> Network: stem, stages of units, head. BCHW -> B classes. It is built on `meta`, so it costs no memory."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from resbench.compiler.graph import BoundNetwork, BoundStage
from resbench.compiler.identity.normal_form import normal
from resbench.compiler.modules.recompute import recomputed
from resbench.compiler.modules.unit import Make, build_unit, make_one
from resbench.errors import BadInput
from resbench.ops.parameter import Random

MAX_PARAMS = 10**11


class Stage(nn.Module):
    """A stage: the ops before it, then its units. `segment`: the number of units of which only the ends are kept in training."""

    segment: int = 0

    def __init__(self, stage: BoundStage, number: int, make: Make) -> None:
        super().__init__()
        self.before = build_unit(stage.before, f"Before{number}", make)
        self.units = nn.ModuleList(build_unit(unit, f"Unit{number}_{i}", make) for i, unit in enumerate(stage.units))

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        if self.segment and self.training and torch.is_grad_enabled():
            for start in range(0, len(self.units), self.segment):
                x = recomputed(list(self.units)[start : start + self.segment], x)
            return x
        for unit in self.units:
            x = unit(x)
        return x


class Network(nn.Module):
    """A network; a parameter's name is its path: `stages.0.units.3.f.conv1.weight`, `stem.conv1.weight`, `head.linear1.bias`."""

    def __init__(self, bound: BoundNetwork, make: Make) -> None:
        super().__init__()
        self.stem = build_unit(bound.stem, "Stem", make)
        self.stages = nn.ModuleList(Stage(stage, number, make) for number, stage in enumerate(bound.stages))
        self.head = build_unit(bound.head, "Head", make)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return self.head(x)  # type: ignore[no-any-return]


def build(bound: BoundNetwork, make: Make = make_one) -> Network:
    """Return the network in its normal form, on `meta`; initialize.py gives it weights. Raise BadInput above MAX_PARAMS."""
    with torch.device("meta"):
        network = Network(normal(bound), make)
    check_count(bound, sum(parameter.numel() for parameter in network.parameters()))
    return network


def check_count(bound: BoundNetwork, params: int) -> None:
    """Raise BadInput above MAX_PARAMS."""
    if params > MAX_PARAMS:
        raise BadInput(f"{bound.name} of {bound.unit}: {params:,} parameters; at most {MAX_PARAMS:,} are allowed")


def recompute(network: nn.Module) -> None:
    """Keep only the ends of segments (compiler/modules/recompute.py): less memory, about a third more time, the same bits."""
    for stage in network.modules():
        if isinstance(stage, Stage):
            stage.segment = segment_of(len(stage.units))


def segment_of(units: int) -> int:
    """Return the number of units that are recomputed at a time, for the given number of units in a row."""
    return max(1, round(math.sqrt(units)))


def random_ops(network: nn.Module) -> dict[str, Random]:
    """Return the ops that draw random numbers in training, by path."""
    return {path: module for path, module in network.named_modules() if isinstance(module, Random)}
