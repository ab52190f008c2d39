"""Network -> the same Network, each unit, stem and head compiled by torch.compile as it is first trained.

By part and not as a whole: units of one kind share their code, so a deep network takes no longer than a shallow one. Evaluation
runs as it was, since compiling for it too would cost more than it gains.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import fx, nn

from resbench.train.execution.layout import ExecutionOptions

BACKEND = "inductor"


def compile_parts(network: nn.Module) -> None:
    """What cannot be compiled raises at the first step."""
    for module in network.modules():
        if isinstance(module, fx.GraphModule):
            module.compile(backend=BACKEND, dynamic=False)


def as_it_was(way: ExecutionOptions) -> AbstractContextManager[object]:
    """Inside, nothing that is compiled is used."""
    return torch.compiler.set_stance("force_eager") if way.compiled else nullcontext()
