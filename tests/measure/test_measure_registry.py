"""Metrics: one function, one number, its unit in the name; what is registered twice or is no number is refused."""

from __future__ import annotations

import pytest

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.network import build
from resbench.errors import BadInput, PluginError
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node, from_plain
from resbench.measure import registry
from resbench.measure.registry import Metric, measure, measured, metric, metrics
from resbench.ops.schema import table


@pytest.fixture
def bound() -> BoundNetwork:
    network = Use("resnet_cifar", {"depth": from_plain(8)}, Node("resnet_cifar"))
    return bind_network(Request(network, Use("plain", {}, Node("plain"))), Library(table()))


@pytest.fixture(autouse=True)
def _restore(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    metrics()
    monkeypatch.setattr(registry, "_METRICS", dict(registry._METRICS))


def test_those_there_are(bound: BoundNetwork) -> None:
    values, faults = measured(bound, build(bound))
    assert list(values)[:3] == ["params", "macs", "activations_mib"]
    assert faults == ()
    stem, stages = 2 * 16 * 32 * 32, sum(6 * c * s * s for c, s in ((16, 32), (32, 16), (64, 8)))
    stem += 16 * 32 * 32  # bn and relu behind the convolution
    assert values["activations_mib"] == (stem + stages + 64 + 10) * 4 / 2**20
    assert values["macs"] > 10**6 > values["params"] > 10**4


def test_a_name_is_registered_once() -> None:
    with pytest.raises(
        ValueError, match=r"metric `macs` is registered twice: resbench\.measure\.registry\.macs and "
    ) as error:
        metric("macs")(lambda bound, network: 1)
    assert str(error.value).endswith("test_a_name_is_registered_once.<locals>.<lambda>")


def raises(error: Exception) -> Metric:
    def function(bound: object, network: object) -> float:
        raise error

    return function


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda bound, network: float("inf"), "metric `mine`: expected a finite number, got inf"),
        (lambda bound, network: True, "metric `mine`: expected a finite number, got True"),
        (lambda bound, network: None, "metric `mine`: expected a finite number, got None"),
        (raises(KeyError("x")), "metric `mine`: KeyError: 'x'"),
    ],
)
def test_what_is_no_number_is_told_and_the_others_are_measured(
    function: Metric, words: str, bound: BoundNetwork
) -> None:
    metric("mine")(function)
    with pytest.raises(PluginError) as error:
        measure("mine", bound, build(bound))
    assert str(error.value) == words
    values, faults = measured(bound, build(bound))
    assert faults == (words,)
    assert {"params", "macs"} <= set(values)


def test_what_it_says_itself_is_kept(bound: BoundNetwork) -> None:
    metric("mine")(raises(BadInput("not of this net")))
    with pytest.raises(BadInput, match=r"^not of this net$"):
        measure("mine", bound, build(bound))
    assert measured(bound, build(bound))[1] == ("not of this net",)
