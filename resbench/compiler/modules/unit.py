"""Graph -> torch.fx.GraphModule on the current device: one `call_module` for each op, with the spec's own path.

`f.conv1` in the unit is the module's name and so the parameter's (`f.conv1.weight`); the fx node is called `f_conv1`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import fx, nn

from resbench.compiler.graph import Arguments, BoundOp, Graph, Shape
from resbench.compiler.modules.torch_init import remember
from resbench.ops.registry import kind
from resbench.ops.schema import table

Make = Callable[[BoundOp, tuple[Shape, ...]], nn.Module]


def make_one(op: BoundOp, inputs: tuple[Shape, ...]) -> nn.Module:
    return make_module(op.op, op.arguments, inputs[0][0])


def build_unit(graph: Graph, name: str, make: Make = make_one) -> fx.GraphModule:
    """Build the module of a graph; `name` becomes the class name in the generated code; `make` yields the module of an
    op from the shapes it reads.
    """
    root = nn.Module()
    shapes = graph.shapes
    code = fx.Graph()
    values: list[fx.Node] = [code.placeholder("x")]
    for op in graph.ops:
        module = make(op, tuple(shapes[i] for i in op.inputs))
        _put(root, op.path, module)
        node = code.create_node(
            "call_module", op.path, tuple(values[i] for i in op.inputs), {}, name=op.path.replace(".", "_")
        )
        node.meta["path"] = op.path
        values.append(node)
    code.output(values[graph.output])
    return fx.GraphModule(root, code, class_name=name)


def make_module(op: str, arguments: Arguments, channels: int) -> nn.Module:
    """Return the op's module on the current default device, with a list of ops among its arguments as a module. Raise Reason."""
    what = kind(op)
    module: type[nn.Module] = what.module
    given = {key: build_unit(value, f"Ops_{key}") if isinstance(value, Graph) else value for key, value in arguments}
    made = module(channels, **given) if table()[op].wants_channels else module(**given)
    return (
        made
        if what.origin.startswith("resbench.ops.")
        else remember(made, partial(make_module, op, arguments, channels))
    )


def _put(root: nn.Module, path: str, module: nn.Module) -> None:
    """Set `root.a.b.c = module`, making empty modules for a and b."""
    *parents, last = path.split(".")
    for parent in parents:
        if parent not in root._modules:
            root.add_module(parent, nn.Module())
        child = root._modules[parent]
        assert child is not None
        root = child
    assert last not in root._modules, path
    root.add_module(last, module)
