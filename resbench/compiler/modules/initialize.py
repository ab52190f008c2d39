"""Network on `meta` -> the same Network with weights.  Weights are drawn only here.

Each op draws from a stream of its own, named by the op's number in the canonical form, so that equal digests give equal
weights whatever the nodes are called and in whatever order they were written.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from resbench.compiler.modules.torch_init import fill_silent, remembers
from resbench.ops.initialisers import Initialiser, initialiser_called
from resbench.ops.parameter import Parametric, Start
from resbench.random_streams import stream


def initialize_weights(network: nn.Module, numbers: Mapping[str, int], seed: int, init: str) -> None:
    """Give every parameter and buffer its value, in place, on the CPU (so that all devices start alike).

    `numbers`: canonical number by path of an op; `init`: an initialiser's name. Raise BadInput for an unknown one.
    """
    network.apply(to_cpu)
    fill(network, network.state_dict(), numbers, seed, init)


def fill(network: nn.Module, state: Mapping[str, Tensor], numbers: Mapping[str, int], seed: int, init: str) -> None:
    """Draw the values of a network's state_dict into the tensors of `state`; the network itself may be on `meta`."""
    initialise = initialiser_called(init)
    generator = torch.Generator()
    with torch.no_grad():
        for path, module in network.named_modules():
            if path in numbers or remembers(module):
                fill_silent(
                    path, module, state, stream(seed, 0, f"weights {numbered(path, numbers)} as torch starts it")
                )
            if isinstance(module, Parametric):
                prefix = f"{path}." if path else ""
                for name, start in module.starts.items():
                    generator.manual_seed(stream(seed, 0, f"weights {numbered(path, numbers)} {name}"))
                    draw(state[prefix + name], start, initialise, generator)
                for name, value in module.buffer_starts.items():
                    state[prefix + name].fill_(value)


def numbered(path: str, numbers: Mapping[str, int]) -> str:
    """Return the op's number; for a module inside a plugin's op, the number of the op and the path from there: `7 gate.conv`."""
    op, inside = path, ""
    while op not in numbers:
        op, _, name = op.rpartition(".")
        inside = f"{name}.{inside}" if inside else name
    return f"{numbers[op]} {inside}".rstrip()


def to_cpu(module: nn.Module) -> None:
    """Allocate memory for the module's own parameters and buffers, as Module.to_empty does, which takes a second to
    import sympy.
    """
    for name, parameter in module.named_parameters(recurse=False):
        own = torch.empty(parameter.shape, dtype=parameter.dtype)
        setattr(module, name, nn.Parameter(own, requires_grad=parameter.requires_grad))
    for name, buffer in module.named_buffers(recurse=False):
        setattr(module, name, torch.empty(buffer.shape, dtype=buffer.dtype))


def draw(weight: Tensor, start: Start, initialise: Initialiser, generator: torch.Generator) -> None:
    """Draw a weight; the op's own start overrides the recipe's initialiser."""
    initial = start.initial
    if initial is None:
        initialise(weight, start, generator)
    elif isinstance(initial, tuple | dict):  # {normal: sd}, frozen as pairs when it comes from a spec
        weight.normal_(0.0, dict(initial)["normal"], generator=generator)
    else:
        weight.fill_({"zeros": 0.0, "ones": 1.0}.get(initial, 0.0) if isinstance(initial, str) else initial)
