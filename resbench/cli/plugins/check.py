"""A plugin -> a line for each item that it provides, with the result of its check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from resbench.api.architecture.words import bind_unit, network_report, unit_report
from resbench.cli.plugins.inventory import Item
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.network import build
from resbench.data.registry import info, listed, load
from resbench.errors import ResbenchError
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import parse_recipe
from resbench.measure.registry import measure
from resbench.ops.initialisers import initialiser_called
from resbench.ops.parameter import Start
from resbench.ops.schema import table
from resbench.plugins.active import cause, trace
from resbench.plugins.spec_files import root_of
from resbench.testing.checks import require
from resbench.testing.contract import check_case
from resbench.testing.guess import guess
from resbench.testing.tracker import check_tracker
from resbench.theory.proxy import measure as measure_proxy
from resbench.theory.proxy import proxies, started


@dataclass(frozen=True, slots=True)
class CheckLine:
    good: bool
    what: str
    result: str
    trace: str = ""


def check_plugin(item: Item, network: str) -> Iterator[CheckLine]:
    """Yield a line for each item of a plugin. Units are built in the network of that name."""
    for failure in item.failures:
        yield CheckLine(False, failure.what, failure.cause, failure.trace)
    library = Library(table())

    def path(kind: str, name: str) -> Path:
        return library.files.of_root(root_of(item.plugin), kind)[name][0]

    def unit(name: str) -> str:
        file = path("unit", name)
        report = unit_report(str(file) if file.is_file() else name, (f"network={network}",))
        return "; ".join([*(f"{place[0]} {place[1]}" for place in report.places), *report.notes])

    tries: dict[str, Callable[[str], str]] = {
        "ops": _op,
        "initialisers": _initialiser,
        "datasets": _dataset,
        "metrics": _metric,
        "trackers": check_tracker,
        "blocks": lambda name: library.block(name).doc or "read",
        "units": unit,
        "networks": _network,
        "recipes": lambda name: parse_recipe(library.read("recipe", path("recipe", name))).optimizer.use,
    }
    for group, names in item.gives.items():
        for name in names:
            yield _tried(f"{group.removesuffix('s')} {name}", tries[group], name)
    if not item.gives and not item.failures:
        yield CheckLine(False, "nothing", "the plugin provides nothing that can be used")


def _tried(what: str, attempt: Callable[[str], str], name: str) -> CheckLine:
    try:
        return CheckLine(True, what, attempt(name))
    except (AssertionError, ResbenchError) as error:
        return CheckLine(False, what, str(error), trace(error.__cause__) if error.__cause__ is not None else "")
    except Exception as error:  # whatever a plugin does, the next item is checked
        return CheckLine(False, what, cause(error), trace(error))


def _op(name: str) -> str:
    """Check the contract of an op, with every choice of its arguments once."""
    reports = [check_case(case) for case in guess(name)]
    return f"{reports[0]}" + (f", and {len(reports) - 1} more" if len(reports) > 1 else "")


def _initialiser(name: str) -> str:
    """Check that the same seed draws the same values, and that every value is drawn and finite."""
    draw, results = initialiser_called(name), []
    for shape, start in (((16, 8, 3, 3), Start("conv", 72, 144)), ((10, 64), Start("linear", 64, 10))):
        drawn = []
        for _ in range(2):
            weight = torch.full(shape, torch.nan)
            draw(weight, start, torch.Generator().manual_seed(0))
            require(weight.shape == shape, f"it changes the shape {shape} to {tuple(weight.shape)}")
            require(
                bool(torch.isfinite(weight).all()), f"not every value of a {start.kind}'s weight is drawn and finite"
            )
            drawn.append(weight)
        require(
            torch.equal(drawn[0], drawn[1]),
            "the same seed draws different values: draw from the generator that is given",
        )
        results.append(f"{start.kind} mean {float(drawn[0].mean()):.2g}, sd {float(drawn[0].std()):.2g}")
    return "; ".join(results)


def _dataset(name: str) -> str:
    if listed(name) is None:
        return "requires settings, so it is not checked"
    load(name)
    about = info(name)
    shape = "x".join(map(str, about.input_shape))
    return f"{about.n_train}, {about.n_val}, {about.n_test} images of {shape} in {about.n_classes} classes"


def _metric(name: str) -> str:
    _, bound = bind_unit("original", ())
    if name in proxies():
        return f"{_proxied(name, bound)} for {bound.name} of {bound.unit}, a proxy"
    return f"{measure(name, bound, build(bound)):,.6g} for {bound.name} of {bound.unit}"


def _proxied(name: str, bound: BoundNetwork) -> str:
    """Check that a proxy returns the same number twice."""
    images = torch.randn(8, *bound.input_shape, generator=torch.Generator().manual_seed(0))
    start = started(bound, "he_normal", 0, images, torch.arange(8) % bound.classes)
    value = measure_proxy(name, start)
    require(measure_proxy(name, start) == value, "the same network gives a different number the second time")
    return "no finite number" if value is None else f"{value:,.6g}"


def _network(name: str) -> str:
    report = network_report(name, ())
    return f"of {report.unit}: {report.params:,} parameters, {report.macs:,} MACs"
