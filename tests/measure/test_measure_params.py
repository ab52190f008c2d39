"""Parameters counted op by op are those of the network that is built."""

from __future__ import annotations

import pytest

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.modules.network import build
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node
from resbench.measure.params import bound_params, params
from resbench.ops.schema import table

LIBRARY = Library(table())


@pytest.mark.parametrize("network", LIBRARY.names("network"))
def test_of_every_network(network: str) -> None:
    bound = bind_network(Request(Use(network, {}, Node(network))), LIBRARY)
    assert bound_params(bound) == params(build(bound)) > 0


@pytest.mark.parametrize(
    "unit", ["exclusive_gating", "constant_scaling", "full_preactivation", "revnet", "layer_scale"]
)
def test_of_units(unit: str) -> None:
    bound = bind_network(
        Request(Use("resnet_cifar", {"depth": Node(26)}, Node("n")), Use(unit, {}, Node(unit))), LIBRARY
    )
    assert bound_params(bound) == params(build(bound))
