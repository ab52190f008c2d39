"""Uniform within +-sqrt(6 / (fan_in + fan_out)).  Glorot & Bengio 2010, Eq. 16; `init: glorot` in a recipe"""

import math

import torch

from resbench.ops.initialisers import initialiser
from resbench.ops.parameter import Start


@initialiser("glorot")
def glorot(weight: torch.Tensor, start: Start, generator: torch.Generator) -> None:
    limit = math.sqrt(6 / (start.fan_in + start.fan_out))
    weight.uniform_(-limit, limit, generator=generator)
