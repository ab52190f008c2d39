"""Figures of the fuzzed families, in a table at the end of the run; with processes side by side too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz_case import Figures

sys.path.append(str(Path(__file__).parents[1] / "tabular"))  # for its sample
PROPERTY = "fuzzed"
LIMIT_S, LIMIT_MIB = 10, 1024  # of a case; nothing fails for its time, for that is the machine's too
_figures: dict[str, Figures] = {}


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """Those of the module's family, `test_fuzz_<family>.py`."""
    family = request.module.__name__.removeprefix("test_fuzz_")
    taken = Figures(family)
    yield taken
    request.node.user_properties.append(
        (PROPERTY, [family, taken.cases, taken.slowest_s, taken.slowest, taken.grew_mib])
    )
    assert taken.grew_mib < LIMIT_MIB, f"{family}: a case took {taken.grew_mib:.0f} MiB"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for name, value in report.user_properties if report.when == "teardown" else ():
        if name == PROPERTY:
            family, cases, slowest_s, slowest, grew_mib = value
            so_far = _figures.setdefault(family, Figures(family))
            so_far.add(Figures(family, cases, slowest_s, slowest, grew_mib))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _figures:
        return
    terminalreporter.section("fuzzed")
    terminalreporter.line(f"{'family':<12} {'cases':>7} {'slowest, s':>12} {'its number':>12} {'memory grew, MiB':>18}")
    for one in _figures.values():
        over = "  OVER THE LIMIT" if one.slowest_s > LIMIT_S or one.grew_mib > LIMIT_MIB else ""
        terminalreporter.line(
            f"{one.family:<12} {one.cases:>7,} {one.slowest_s:>12.2f} {one.slowest:>12} {one.grew_mib:>18.0f}{over}"
        )
