"""resbench: is this residual unit better, and how sure are we?

    resbench.draw("full_preactivation")     a unit's picture, shown by notebooks; `.svg`, `.text`, `.save("unit.png")`
    resbench.open_results("results.db")     a database: `.leaderboard(study)`, `.runs(study)`, `.query(sql)`, as plain rows
    resbench.tabular.load("bench.db")       a frozen study: `.query(unit, epoch=, seed=)`, searches without training

These names are imported at their first use: `import resbench` does not import torch.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
_DOORS = {"draw": "resbench.cli.architecture.picture", "open_results": "resbench.results.results"}
_ROOMS = ("tabular",)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"resbench.{name}")
    if name not in _DOORS:
        raise AttributeError(f"module `resbench` has no attribute `{name}`")
    return getattr(import_module(_DOORS[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_DOORS, *_ROOMS]
