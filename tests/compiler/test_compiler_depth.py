"""The depth of a network is the number in its name, by the graph and by what the database keeps of it."""

from __future__ import annotations

from importlib import import_module

import pytest

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.depth import depth, weight_layers
from resbench.compiler.identity.serialize import to_json
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node
from resbench.ops.schema import table

NAMED = [
    ("resnet_cifar", {"depth": 56}, "original", 56),
    ("resnet_cifar", {"depth": 56}, "full_preactivation", 56),
    ("resnet_cifar", {"depth": 8}, "squeeze_excitation", 8),
    ("resnet_cifar", {"depth": 29}, "original_bottleneck", 29),
    ("resnet_imagenet", {"depth": 18}, "original", 18),
    ("resnet_imagenet", {"depth": 50}, "original_bottleneck", 50),
    ("wide_resnet", {"depth": 16}, "wide_preactivation", 14),  # the name counts two projections beside others
]


def bound(network: str, given: dict[str, int], unit: str) -> BoundNetwork:
    use = Use(network, {key: Node(value) for key, value in given.items()}, Node(network))
    library = Library(table())
    if unit not in library.names("unit"):
        pytest.fail(f"no unit {unit}")
    return bind_network(Request(use, Use(unit, {}, Node(unit)), (3, 32, 32), 10), library)


@pytest.mark.parametrize(("network", "given", "unit", "expected"), NAMED, ids=lambda value: str(value))
def test_it_is_the_number_in_the_name(network: str, given: dict[str, int], unit: str, expected: int) -> None:
    found = bound(network, given, unit)
    assert depth(found) == expected
    assert import_module("resbench.store.migrate.versions.0007_judged")._depth(to_json(found)) == expected


def test_what_is_no_architecture_has_no_depth() -> None:
    of = import_module("resbench.store.migrate.versions.0007_judged")._depth
    assert [of(text) for text in ("", "{}", "[]", '{"graphs": 3}')] == [None] * 4


def test_a_unit_counts_its_longest_branch() -> None:
    network = bound("resnet_cifar", {"depth": 8}, "squeeze_excitation")
    assert [weight_layers(unit) for stage in network.stages for unit in stage.units] == [2, 2, 2]


def test_every_unit_of_the_library_counts_its_weight_layers_as_its_boundary_says() -> None:
    """And none is told that it is seldom meant so."""
    library = Library(table())
    for name in library.names("unit"):
        layers = library.unit(name).boundary.layers.value
        if not isinstance(layers, int) or name == "dense":  # it sets its own width
            continue
        use = Use("resnet_cifar", {"depth": Node(6 * layers + 2)}, Node("resnet_cifar"))
        found = bind_network(Request(use, Use(name, {}, Node(name)), (3, 32, 32), 10), library)
        assert found.cautions == (), name
