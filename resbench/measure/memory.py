"""BoundNetwork -> MiB that training keeps of one image for its backward pass, in float32 on `meta`; no weights, no gradients.

What autograd saves is counted, each storage once: what an op keeps only while it runs is not seen. A batch of B keeps B times
as much; `plan: {recompute: true}` keeps less.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.network import build


def memory_mib(bound: BoundNetwork) -> float | None:
    """Half of what two images take, for batch norm wants two; its means and variances are in it, which hardly weigh.

    None where an op (of a plugin) cannot be trained on `meta`: that is for the training to tell.
    """
    network = build(bound).train()
    weights = {parameter.untyped_storage()._cdata for parameter in network.parameters()}
    sizes: dict[int, int] = {}
    alive: list[Tensor] = []  # else the number of a storage that is gone could be given again

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        alive.append(tensor)
        if storage._cdata not in weights:
            sizes[storage._cdata] = storage.nbytes()
        return tensor

    try:
        with saved_tensors_hooks(count, lambda tensor: tensor):
            network(torch.empty((2, *bound.input_shape), device="meta"))
    except Exception:
        return None
    return sum(sizes.values()) / 2 / 2**20
