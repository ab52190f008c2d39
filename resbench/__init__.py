"""resbench: is this residual unit better, and how sure are we?

    resbench.draw("full_preactivation")     a unit's picture, shown by notebooks; `.svg`, `.text`, `.save("unit.png")`

What stands here is imported when it is first asked for: `import resbench` does not import torch.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
_DOORS = {"draw": "resbench.cli.picture"}


def __getattr__(name: str) -> Any:
    if name not in _DOORS:
        raise AttributeError(f"module `resbench` has no attribute `{name}`")
    return getattr(import_module(_DOORS[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_DOORS]
