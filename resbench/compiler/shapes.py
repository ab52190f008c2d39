"""Op, arguments and input shapes -> output shape, found by running the op on `meta`; each case is run once."""

from __future__ import annotations

from functools import lru_cache

import torch

from resbench.compiler.graph import Arguments, Shape
from resbench.compiler.unit import make_module
from resbench.errors import Fact, ResbenchError
from resbench.plugins.load import blamed

BATCH = 2  # any; two, so that batch statistics of a 1x1 map exist
MAX_CHANNELS = 1_000_000


@lru_cache(maxsize=65536)
def infer(op: str, arguments: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """Raises Fact: what the op itself finds wrong, or the first line of what torch says; PluginError: a plugin's op broke."""
    with torch.device("meta"), torch.no_grad():
        try:
            module = make_module(op, arguments, inputs[0][0]).eval()  # so that nothing is left out at random
            result: torch.Tensor = module(*(torch.empty(BATCH, *shape) for shape in inputs))
        except (Fact, ResbenchError):
            raise
        except Exception as error:  # a plugin's op may raise anything: not the spec is at fault then
            if (fault := blamed(error)) is not None:
                raise fault from error
            if not isinstance(error, RuntimeError | ValueError | IndexError):
                raise
            said = str(error).split("\n")[0].split(" at /")[0]
            if "utput size is too small" in said or "can't be greater than actual input size" in said:
                said = "the window is larger than the map with its padding"
            raise Fact(said) from None
    shape = tuple(result.shape[1:])
    if min(shape, default=0) < 1:
        raise Fact(f"nothing is left: the result would be {'x'.join(map(str, shape))}")
    if shape[0] > MAX_CHANNELS:
        raise Fact(f"{shape[0]:,} channels; at most {MAX_CHANNELS:,} are allowed")
    return shape
