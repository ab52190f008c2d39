"""An op with arguments and input shapes -> a module with weights, and inputs to test it with."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from resbench.compiler.binding.bind import bind_list
from resbench.compiler.binding.scope import Frame, Scope
from resbench.compiler.graph import Graph, Shape
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.torch_init import remember
from resbench.compiler.modules.unit import build_unit
from resbench.language.graph.op_list import parse_ops
from resbench.language.graph.signature import Signature, allowed, fits, tidy
from resbench.language.library.library import Library
from resbench.language.yaml.node import from_plain
from resbench.language.yaml.problems import Problems
from resbench.ops.parameter import Random
from resbench.ops.registry import OpKind, kinds
from resbench.ops.schema import read_source, table

BATCH = 3
SHAPE = (8, 6, 5)  # CHW; height and width differ, to reveal an op that swaps them


@dataclass(frozen=True, slots=True)
class Case:
    """An op to test. `arguments` include the defaults; `shapes` are those of the inputs, without the batch."""

    kind: OpKind
    signature: Signature
    arguments: Mapping[str, Any]
    shapes: tuple[Shape, ...]

    def __str__(self) -> str:
        given = ", ".join(f"{key}={value}" for key, value in self.arguments.items() if not isinstance(value, Graph))
        return f"{self.kind.name}({given}) of {', '.join('x'.join(map(str, shape)) for shape in self.shapes)}"


def case_of(op: str | type[nn.Module], arguments: Mapping[str, Any], shapes: Sequence[Shape]) -> Case:
    """Return the case of an op with arguments as in YAML; by default it has as few inputs as possible, of 8x6x5.
    Raises AssertionError if the arguments or the number of inputs do not fit.
    """
    kind = kind_of(op)
    signature = signature_of(kind)
    shapes = tuple(tuple(shape) for shape in shapes) or (SHAPE,) * signature.inputs[0]
    low, high = signature.inputs
    if not low <= len(shapes) <= (high or len(shapes)):
        wanted = f"{low} inputs" if low == high else f"{low} inputs or more"
        raise AssertionError(f"op `{kind.name}`: expected {wanted}, got {len(shapes)} shapes")
    unknown = [name for name in arguments if name not in signature.arguments]
    if unknown:
        there = ", ".join(signature.arguments) or "none"
        raise AssertionError(f"op `{kind.name}` has no argument `{unknown[0]}`; its arguments: {there}")
    complete: dict[str, Any] = {}
    for name, argument in signature.arguments.items():
        if name not in arguments and argument.required:
            raise AssertionError(f"op `{kind.name}`: argument `{name}` must be given: {allowed(argument)}")
        value = arguments.get(name, argument.default)
        if "ops" in argument.kinds and isinstance(value, list | tuple):
            complete[name] = _bound(list(value), shapes[0])
        elif isinstance(value, Graph) or fits(value, argument):
            complete[name] = value if isinstance(value, Graph) else tidy(value, argument)
        else:
            raise AssertionError(f"op `{kind.name}`: {name} must be {allowed(argument)}, got {value!r}")
    return Case(kind, signature, complete, shapes)


def kind_of(op: str | type[nn.Module]) -> OpKind:
    known = kinds()
    if isinstance(op, str):
        if op not in known:
            raise AssertionError(f"no op is called `{op}`; install its plugin, or give its class instead")
        return known[op]
    found = next((kind for kind in known.values() if kind.module is op), None)
    if found is None:
        raise AssertionError(f'{op.__qualname__} is not an op: the class of an op has the decorator `@op("name")`')
    return found


def signature_of(kind: OpKind) -> Signature:
    """Return the signature of an op; if its plugin is not active, it is read from the source."""
    known = table().get(kind.name)
    file = sys.modules[kind.module.__module__].__file__
    if known is not None or file is None:
        return table()[kind.name]
    path = Path(file)
    found = [each for each in read_source(path.read_text("utf-8"), path.name) if each.name == kind.name]
    if not found:
        raise AssertionError(f"op `{kind.name}`: its class must be at the top level of {path}")
    return found[0]


def _bound(ops: list[Any], shape: Shape) -> Graph:
    """Bind a list of ops that is an argument."""
    library, check = Library(table()), Problems()
    parsed = parse_ops(from_plain(ops, "ops"), library, check)
    check.done()
    return bind_list(parsed, shape, Frame(Scope({}, {}, {}), {}), library)


def bare(case: Case, arguments: Mapping[str, Any] | None = None) -> nn.Module:
    """Return the module on the default device, with uninitialised parameters."""
    chosen = case.arguments if arguments is None else arguments
    given = {key: build_unit(value, "Ops") if isinstance(value, Graph) else value for key, value in chosen.items()}
    module: type[nn.Module] = case.kind.module
    made = module(case.shapes[0][0], **given) if case.signature.wants_channels else module(**given)
    return remember(made, lambda: bare(case, arguments))


def make(case: Case, arguments: Mapping[str, Any] | None = None, seed: int = 5) -> nn.Module:
    """Return the module with weights and running statistics that are neither 0 nor 1, in float64 on the CPU."""
    module = bare(case, arguments).double()
    initialize_weights(module, {"": 0}, seed, "he_normal")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in module.state_dict().values():
            noise = torch.rand(tensor.shape, generator=generator, dtype=torch.float64)
            tensor.copy_(noise + 0.5 if tensor.dim() < 2 else tensor + noise)
    return module


def inputs(case: Case, seed: int = 0) -> list[Tensor]:
    """Return inputs without ties and away from the kinks of rectifiers, so that every gradient exists."""
    generator = torch.Generator().manual_seed(seed)
    tensors = []
    for shape in case.shapes:
        count = torch.Size((BATCH, *shape)).numel()
        steps = torch.randperm(count, generator=generator).double()
        tensors.append(((steps + 0.37) * (14 / count) - 6.9).reshape(BATCH, *shape))
    return tensors


def run(module: nn.Module, tensors: Sequence[Tensor], seed: int = 1) -> Tensor:
    """Return the result of one forward pass; random ops start from the same seed each time."""
    for part in module.modules():
        if isinstance(part, Random):
            part.generator = torch.Generator().manual_seed(seed)
    result = module(*tensors)
    if not isinstance(result, Tensor):
        raise AssertionError(f"an op yields one tensor, got {type(result).__name__}")
    return result
