"""Every registered op -> examples to try it with; what the schema can tell (bool and literal arguments) is varied by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from resbench.ops.registry import OpKind, kinds
from resbench.ops.schema import table
from resbench.testing.case import Case
from resbench.testing.guess import varied

torch.set_num_threads(1)  # small tensors: one thread is faster than several that wait for each other
MAP = (4, 5, 4)  # CHW; height and width differ, so that an op that mixes them up is seen
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Example:
    """`shapes` are those of the inputs, without the batch."""

    op: str
    arguments: Mapping[str, Any]
    shapes: tuple[Shape, ...] = (MAP,)

    def __str__(self) -> str:
        return f"{self.op}({', '.join(f'{k}={v}' for k, v in self.arguments.items())}) {len(self.shapes)}"


_WINDOWS = ((1, 1), (1, 2), (3, 1), (2, 2), ((1, 3), (2, 1)))
# Only ops with an argument that must be given, or with other inputs than maps of one shape, stand here.
_TABLE: dict[str, list[Example]] = {
    "conv": [
        Example("conv", {"kernel": 3, "out": 6}),
        Example("conv", {"kernel": (1, 3), "out": 8, "stride": (2, 1), "groups": 2, "bias_init": -6.0}),
        Example("conv", {"kernel": 3, "out": 4, "groups": 4, "dilation": 2, "padding": (1, 2)}),
        Example("conv", {"kernel": 2, "out": 5, "init": (("normal", 0.1),)}),
    ],
    "linear": [Example("linear", {"out": 3}, ((4,),)), Example("linear", {"out": 3, "init": 0.5}, ((4, 1, 1),))],
    "group_norm": [Example("group_norm", {"groups": n, "init": 0.5}) for n in (1, 2, 4)],
    "layer_norm": [Example("layer_norm", {}), Example("layer_norm", {"eps": 1e-3}, ((4,),))],
    "gain": [Example("gain", {}), Example("gain", {"init": 1e-5}, ((4,),))],
    "bias": [Example("bias", {}), Example("bias", {"init": 0.5}, ((4,),))],
    "channel_shuffle": [Example("channel_shuffle", {"groups": n}) for n in (1, 2, 4)],
    "drop_branch": [Example("drop_branch", {"rate": 0.0}), Example("drop_branch", {"rate": 0.4})],
    "slice": [Example("slice", {"start": a, "stop": b}) for a, b in ((0, 4), (0, 2), (2, 4), (1, 3))],
    "pad_channels": [Example("pad_channels", {"out": 4}), Example("pad_channels", {"out": 7})],
    "subsample": [Example("subsample", {"stride": n, "offset": o}) for n, o in ((1, 0), (2, 0), (2, 1), (3, 2))],
    "dropout": [Example("dropout", {"rate": 0.0}), Example("dropout", {"rate": 0.4})],
    "scale": [Example("scale", {"by": 1.0}), Example("scale", {"by": -0.5})],
    "max_pool": [Example("max_pool", {"kernel": k, "stride": s}) for k, s in _WINDOWS],
    "avg_pool": [
        *(Example("avg_pool", {"kernel": k, "stride": s}) for k, s in _WINDOWS),
        Example("avg_pool", {"kernel": 3, "stride": 2, "padding": (1, 0)}),
    ],
    "add": [Example("add", {}, (MAP,) * n) for n in (1, 2, 3)],
    "multiply": [Example("multiply", {}, shapes) for shapes in ((MAP, MAP), ((4, 1, 1), MAP), (MAP, (1, 5, 4), (4, 1, 1)))],
    "concat": [Example("concat", {}, shapes) for shapes in ((MAP,), (MAP, (2, 5, 4), (3, 5, 4)))],
}  # fmt: skip


def examples(kind: OpKind) -> list[Example]:
    """Raises AssertionError for an op that nothing is known to try with."""
    signature = table()[kind.name]
    bases = _TABLE.get(kind.name)
    if bases is None:
        required = [name for name, argument in signature.arguments.items() if argument.required]
        assert not required, f"op `{kind.name}` needs {required}: give it an example in tests/ops/ops_examples.py"
        bases = [Example(kind.name, {}, (MAP,) * signature.inputs[0])]
    more = [Example(e.op, a, e.shapes) for e in bases for a in varied(e.arguments, signature.arguments)]
    return [*bases, *more]


def all_examples() -> list[Example]:
    return [example for kind in kinds().values() for example in examples(kind)]


def case(example: Example, kind: OpKind | None = None) -> Case:
    """The example with every default said; `kind`: that op under other claims."""
    signature = table()[example.op]
    said = {name: example.arguments.get(name, argument.default) for name, argument in signature.arguments.items()}
    return Case(kind or kinds()[example.op], signature, said, example.shapes)
