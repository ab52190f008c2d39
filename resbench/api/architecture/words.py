"""Words of the command line (`network=densenet width=8`) -> a unit or a network that is bound, and the report on it."""

from __future__ import annotations

from resbench.api.architecture.report import NetworkReport, UnitReport, network_report_of, unit_report_of
from resbench.api.architecture.request import request_of
from resbench.api.architecture.unit import NETWORK, unit_named
from resbench.compiler.binding.network import bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.language.graph.unit import UnitSpec
from resbench.language.study.command_line import word_value


def network_report(network: str, words: tuple[str, ...]) -> NetworkReport:
    """Return the report on the network that words of the command line name."""
    return network_report_of(bind_network(*request_of(network, words)))


def unit_report(unit: str, words: tuple[str, ...]) -> UnitReport:
    """Return the report on the unit in the network that words of the command line name."""
    return unit_report_of(*bind_unit(unit, words))


def bind_unit(unit: str, words: tuple[str, ...]) -> tuple[UnitSpec, BoundNetwork]:
    """Return the unit and a small network of it, by words of the command line."""
    found, (network, data, rest) = unit_named(unit), split_words(words)
    given = {key: word_value(text, f"{key}={text}") for key, text in rest.items()}
    return found.spec, found.bind_nodes(network, given, data)


def split_words(words: tuple[str, ...]) -> tuple[str, str | None, dict[str, str]]:
    """Return the network, the data and the other names with their texts, of words such as `network=densenet width=8`."""
    found = dict(word.partition("=")[::2] for word in words)
    return found.pop("network", NETWORK), found.pop("data", None), found
