"""Entry points of the installed distributions -> Plugins, in the order of their names; nothing is imported."""

from __future__ import annotations

from importlib.metadata import Distribution, distributions
from pathlib import Path

from resbench.plugins.locate import code_of
from resbench.plugins.plugin import PREFIX, Gift, Plugin, parse_entry


def installed() -> list[Plugin]:
    found: dict[str, Plugin] = {}
    for distribution in distributions():
        points = [point for point in distribution.entry_points if point.group.startswith(PREFIX)]
        if points and distribution.name not in found:  # of two versions, Python imports the first on the path
            gives = tuple(parse_entry(point.group, point.name, point.value) for point in points)
            found[distribution.name] = _plugin(distribution, gives)
    return [found[name] for name in sorted(found)]


def _plugin(distribution: Distribution, gives: tuple[Gift, ...]) -> Plugin:
    code = tuple(dict.fromkeys(path for gift in gives for path in code_of(gift.module)))
    folder = Path(str(distribution.locate_file(""))).resolve()
    return Plugin(distribution.name, distribution.version, folder, gives, code, installed=True)
