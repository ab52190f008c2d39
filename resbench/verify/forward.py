"""A network and images -> its output, or the reason why it refuses such images."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from resbench.errors import BadInput, ResbenchError
from resbench.escape import printable

OURS, REFERENCE = "the network", "the reference"


def forward(network: nn.Module, images: Tensor, whose: str) -> list[Tensor]:
    """Return every output tensor: logits first, then those of auxiliary heads in training.

    Raises BadInput if the network refuses such images or returns no tensor.
    """
    shape = "x".join(map(str, images.shape[1:]))
    try:
        given = network(images)
    except ResbenchError:
        raise
    except Exception as error:  # third-party code may raise anything if the size does not fit
        line = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise BadInput(
            f"{whose} does not take images of {shape}: {printable(line, 200)}; try another --size"
            + (", or --reference-args such as in_chans=1" if whose == REFERENCE else "")
        ) from None
    tensors = [leaf for leaf in tree_leaves(given) if isinstance(leaf, Tensor)]
    if not tensors:
        raise BadInput(f"{whose} returns no tensor for images of {shape}: expected logits, got {type(given).__name__}")
    return tensors


def first_tensor(given: Any) -> Tensor:
    """Return the first tensor of a result; a norm returns statistics after it."""
    return next(leaf for leaf in tree_leaves(given) if isinstance(leaf, Tensor))
