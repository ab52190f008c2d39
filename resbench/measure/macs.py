"""BoundNetwork -> multiply-accumulates for one image, of convolutions and matrix products; a multiply-add is one.

An op counts its own (`@op(macs=...)`); other ops of plugins are counted by torch's FlopCounterMode (halved), once for each kind
of op and shape. Pointwise arithmetic, sums, normalisation, pooling and moving data count as 0, by convention; any other
operation that the counter does not know is listed rather than silently counted as 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from resbench.compiler.binding.shapes import tried
from resbench.compiler.graph import Arguments, BoundNetwork, BoundOp, Graph, Shape
from resbench.compiler.identity.normal_form import normal
from resbench.ops.registry import kind

_FREE = {
    "native_batch_norm", "batch_norm", "native_group_norm", "native_layer_norm", "max_pool2d_with_indices", "avg_pool2d",
    "mean", "sum", "cat", "constant_pad_nd", "view", "slice", "expand", "t", "empty", "zeros_like", "empty_like", "detach",
    "_unsafe_view", "squeeze", "unsqueeze", "clone", "bernoulli_", "alias", "permute", "select", "as_strided", "copy_",
    "_native_batch_norm_legit", "cudnn_batch_norm", "hardswish", "zeros", "ones", "full", "fill_", "_to_copy", "reshape",
    "transpose", "linalg_vector_norm", "amax", "amin", "var", "var_mean", "std",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Macs:
    """Multiply-accumulates. `unpriced`: aten operations that are not counted because the counter does not know them."""

    count: int
    unpriced: tuple[str, ...]


def macs(network: BoundNetwork) -> Macs:
    """Count the multiply-accumulates of one image of the bound input shape."""
    return _total(graph_macs(graph) for _, graph in normal(network).parts())


def graph_macs(graph: Graph) -> Macs:
    shapes = graph.shapes
    return _total(_price(op.op, op.arguments, tuple(shapes[i] for i in op.inputs)) for op in graph.ops)


def _total(parts: Iterable[Macs]) -> Macs:
    parts = list(parts)
    return Macs(sum(part.count for part in parts), tuple(sorted({name for part in parts for name in part.unpriced})))


def op_macs(op: BoundOp, inputs: tuple[Shape, ...]) -> Macs:
    """Count those of one op, for one image; `inputs` are the shapes of its inputs."""
    return _price(op.op, op.arguments, inputs)


@lru_cache(maxsize=65536)
def _price(op: str, arguments: Arguments, inputs: tuple[Shape, ...]) -> Macs:
    what = kind(op)
    if what.macs is not None:
        return Macs(what.macs(dict(arguments), inputs), ())
    if what.origin.startswith(
        "resbench.ops."
    ):  # a test compares these with the counter, whose first use takes a second
        return _total(graph_macs(value) for _, value in arguments if isinstance(value, Graph))
    return counted(*tried(op, arguments, inputs))


def counted(module: nn.Module, tensors: Sequence[Tensor]) -> Macs:
    """Return the counter's result for a module, for one image of the batch."""
    recorder = _UnpricedRecorder()
    with torch.no_grad(), FlopCounterMode(display=False) as counter, recorder:
        module.eval()(*tensors)
    return Macs(int(counter.get_total_flops()) // (2 * len(tensors[0])), tuple(sorted(recorder.unpriced)))


class _UnpricedRecorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records the operations that are neither counted nor free."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.unpriced: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        packet = func.overloadpacket
        free = torch.Tag.pointwise in func.tags or packet.__name__ in _FREE
        if packet not in flop_registry and not free:
            self.unpriced.add(str(packet))
        return func(*args, **(kwargs or {}))
