"""Op, arguments and input shapes -> output shape, found by running the op; each case is run once.

A small case runs on the CPU, since the first convolution and norm on `meta` cost an import of 2 s; a large one runs on
`meta`, where it costs no memory.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import zip_longest
from math import prod

import torch
from torch import Tensor, nn

from resbench.compiler.binding.in_place import refuse_in_place
from resbench.compiler.graph import Arguments, Shape
from resbench.compiler.modules.unit import make_module
from resbench.errors import Reason, ResbenchError
from resbench.ops.registry import kind
from resbench.plugins.load import blamed

BATCH = 2  # any; two, so that batch statistics of a 1x1 map exist
MAX_CHANNELS = 1_000_000
SMALL = 300_000_000  # multiply-adds of one image at most, about a tenth of a second
FEW = 10_000_000  # values of one image at most, and weights: some 100 MB


@lru_cache(maxsize=65536)
def infer(op: str, arguments: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """Return the output shape. Raise Reason with the op's own message or the first line of torch's, and PluginError
    where a plugin's op fails.
    """
    with torch.no_grad():
        try:
            module, tensors = tried(op, arguments, inputs)
            result: Tensor = module(*tensors)
            refuse_in_place(kind(op), module, tensors)
        except (Reason, ResbenchError):
            raise
        except Exception as error:  # a plugin's op may raise anything: then the spec is not at fault
            if (fault := blamed(error)) is not None:
                raise fault from error
            if not isinstance(error, RuntimeError | ValueError | IndexError):
                raise
            reason = str(error).split("\n")[0].split(" at /")[0]
            if "utput size is too small" in reason or "can't be greater than actual input size" in reason:
                reason = "the window is larger than the map with its padding"
            elif any(len(shape) == 1 for shape in inputs) and kind(op).origin.startswith("resbench.ops."):
                reason = "a map is needed, and this is a vector"
            raise Reason(reason) from None
    shape = tuple(result.shape[1:])
    if min(shape, default=0) < 1:
        raise Reason(f"nothing is left: the result would be {'x'.join(map(str, shape))}")
    if shape[0] > MAX_CHANNELS:
        raise Reason(f"{shape[0]:,} channels; at most {MAX_CHANNELS:,} are allowed")
    return shape


def tried(op: str, arguments: Arguments, inputs: tuple[Shape, ...]) -> tuple[nn.Module, list[Tensor]]:
    """Return the op in evaluation mode, so that nothing is dropped at random, and zeros as its input. Raise Reason."""
    with torch.device("meta"):
        module = make_module(op, arguments, inputs[0][0]).eval()
    if _is_large(op, arguments, inputs, sum(tensor.numel() for tensor in module.state_dict().values())):
        return module, [torch.empty(BATCH, *shape, device="meta") for shape in inputs]
    return make_module(op, arguments, inputs[0][0]).eval(), [torch.zeros(BATCH, *shape) for shape in inputs]


def _is_large(op: str, arguments: Arguments, inputs: tuple[Shape, ...], weights: int) -> bool:
    """Return whether the case is large, by the multiply-adds and memory that can be estimated before it runs."""
    price, given = kind(op).macs, dict(arguments)
    pixels = prod(inputs[0][1:])
    adds = weights * pixels if price is None else price(given, inputs)
    stretched = prod(max(axis) for axis in zip_longest(*inputs, fillvalue=1))
    out = given.get("out", 0)
    values = max(sum(map(prod, inputs)), stretched, weights, out * pixels if isinstance(out, int) else 0)
    return adds > SMALL or values > FEW
