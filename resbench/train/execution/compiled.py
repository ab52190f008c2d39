"""Network -> the same Network; torch.compile compiles each unit, stem and head at its first training step.

Parts are compiled separately: units of one kind share their code, so a deep network takes no longer than a shallow one.
Evaluation is not compiled, since compiling for it would cost more than it gains.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import fx, nn

from resbench.train.execution.layout import ExecutionOptions

BACKEND = "inductor"


def compile_parts(network: nn.Module) -> None:
    """Compile the parts of a network; a part that cannot be compiled raises at the first step."""
    for module in network.modules():
        if isinstance(module, fx.GraphModule):
            module.compile(backend=BACKEND, dynamic=False)


def uncompiled(options: ExecutionOptions) -> AbstractContextManager[object]:
    """Run the uncompiled code inside the block."""
    return torch.compiler.set_stance("force_eager") if options.compiled else nullcontext()
