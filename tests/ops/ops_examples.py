"""Every registered op -> cases to try it with; what the schema can tell (bool and literal arguments) is varied by itself."""

from __future__ import annotations

from typing import Any

import torch

from resbench.compiler.graph import Shape
from resbench.ops.registry import OpKind, kinds
from resbench.ops.schema import table
from resbench.testing.case import Case, case_of
from resbench.testing.guess import varied

torch.set_num_threads(1)  # small tensors: one thread is faster than several that wait for each other
MAP = (4, 5, 4)  # CHW; height and width differ, so that an op that mixes them up is seen
Example = tuple[dict[str, Any], tuple[Shape, ...]]  # arguments, and the shapes of the inputs without the batch


def maps(*arguments: dict[str, Any]) -> list[Example]:
    return [(each, (MAP,)) for each in arguments]


_WINDOWS = ((1, 1), (1, 2), (3, 1), (2, 2), ([1, 3], [2, 1]))
# Only ops with an argument that must be given, or with other inputs than maps of one shape, stand here.
_TABLE: dict[str, list[Example]] = {
    "conv": maps(
        {"kernel": 3, "out": 6},
        {"kernel": [1, 3], "out": 8, "stride": [2, 1], "groups": 2, "bias_init": -6.0},
        {"kernel": 3, "out": 4, "groups": 4, "dilation": 2, "padding": [1, 2]},
        {"kernel": 2, "out": 5, "init": {"normal": 0.1}},
    ),
    "linear": [({"out": 3}, ((4,),)), ({"out": 3, "init": 0.5}, ((4, 1, 1),))],
    "group_norm": maps(*({"groups": n, "init": 0.5} for n in (1, 2, 4))),
    "layer_norm": [({}, (MAP,)), ({"eps": 1e-3}, ((4,),))],
    "gain": [({}, (MAP,)), ({"init": 1e-5}, ((4,),))],
    "bias": [({}, (MAP,)), ({"init": 0.5}, ((4,),))],
    "channel_shuffle": maps(*({"groups": n} for n in (1, 2, 4))),
    "drop_branch": maps({"rate": 0.0}, {"rate": 0.4}),
    "slice": maps(*({"start": a, "stop": b} for a, b in ((0, 4), (0, 2), (2, 4), (1, 3)))),
    "pad_channels": maps({"out": 4}, {"out": 7}),
    "subsample": maps(*({"stride": n, "offset": o} for n, o in ((1, 0), (2, 0), (2, 1), (3, 2)))),
    "dropout": maps({"rate": 0.0}, {"rate": 0.4}),
    "scale": maps({"by": 1.0}, {"by": -0.5}),
    "max_pool": maps(*({"kernel": k, "stride": s} for k, s in _WINDOWS)),
    "avg_pool": maps(*({"kernel": k, "stride": s} for k, s in _WINDOWS), {"kernel": 3, "stride": 2, "padding": [1, 0]}),
    "add": [({}, (MAP,) * n) for n in (1, 2, 3)],
    "multiply": [({}, shapes) for shapes in ((MAP, MAP), ((4, 1, 1), MAP), (MAP, (1, 5, 4), (4, 1, 1)))],
    "concat": [({}, shapes) for shapes in ((MAP,), (MAP, (2, 5, 4), (3, 5, 4)))],
}


def examples(kind: OpKind) -> list[Case]:
    """Raises AssertionError for an op that nothing is known to try with."""
    signature = table()[kind.name]
    found = _TABLE.get(kind.name)
    if found is None:
        required = [name for name, argument in signature.arguments.items() if argument.required]
        assert not required, f"op `{kind.name}` needs {required}: give it an example in tests/ops/ops_examples.py"
        found = [({}, (MAP,) * signature.inputs[0])]
    more = [(turned, shapes) for given, shapes in found for turned in varied(given, signature.arguments)]
    return [case_of(kind.name, given, shapes) for given, shapes in (*found, *more)]


def all_examples() -> list[Case]:
    return [case for kind in kinds().values() for case in examples(kind)]
