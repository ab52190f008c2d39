"""A network and images -> its output, or why it takes no such images."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from resbench.errors import BadInput, ResbenchError
from resbench.escape import printable

OURS, REFERENCE = "the network", "the reference"


def forward(network: nn.Module, images: Tensor, whose: str) -> list[Tensor]:
    """Return every tensor that it gives: logits first, what auxiliary heads give in training behind them.

    Raises BadInput: it does not take such images, or gives no tensor.
    """
    shape = "x".join(map(str, images.shape[1:]))
    try:
        given = network(images)
    except ResbenchError:
        raise
    except Exception as error:  # whatever another's code raises where the size does not suit it
        line = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise BadInput(
            f"{whose} does not take images of {shape}: {printable(line, 200)}; another --size may do"
            + (", or --reference-args such as in_chans=1" if whose == REFERENCE else "")
        ) from None
    tensors = [leaf for leaf in tree_leaves(given) if isinstance(leaf, Tensor)]
    if not tensors:
        raise BadInput(f"{whose} gives no tensor for images of {shape}: expected logits, got {type(given).__name__}")
    return tensors


def first_tensor(given: Any) -> Tensor:
    """Of what an operation gives, the first; a norm gives statistics behind it."""
    return next(leaf for leaf in tree_leaves(given) if isinstance(leaf, Tensor))
