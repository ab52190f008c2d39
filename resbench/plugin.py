"""The one door for authors of plugins: what a plugin registers with, and what checks it.

    from resbench.plugin import Parametric, op

    @op("my_op")
    class MyOp(Parametric): ...

docs/guide.md says how a plugin is found. Names are imported when they are first used, so that a plugin's data set
can be listed without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset
    from resbench.data.info import DatasetInfo
    from resbench.data.items import from_items
    from resbench.data.registry import configured, dataset
    from resbench.measure.registry import metric
    from resbench.ops.initialisers import initialiser
    from resbench.ops.parameter import Parametric, Random, Start, empty
    from resbench.ops.registry import op
    from resbench.plugins.active import activate_also as use_folders
    from resbench.study.trackers.registry import tracker
    from resbench.testing.contract import check_op
    from resbench.theory.proxy import proxy

__all__ = [
    "Dataset",
    "DatasetInfo",
    "Parametric",
    "Random",
    "Start",
    "check_op",
    "configured",
    "dataset",
    "empty",
    "from_items",
    "initialiser",
    "metric",
    "op",
    "proxy",
    "tracker",
    "use_folders",
]
_HOMES = {
    "Dataset": ("resbench.data.dataset", "Dataset"),
    "DatasetInfo": ("resbench.data.info", "DatasetInfo"),
    "Parametric": ("resbench.ops.parameter", "Parametric"),
    "Random": ("resbench.ops.parameter", "Random"),
    "Start": ("resbench.ops.parameter", "Start"),
    "check_op": ("resbench.testing.contract", "check_op"),
    "configured": ("resbench.data.registry", "configured"),
    "dataset": ("resbench.data.registry", "dataset"),
    "empty": ("resbench.ops.parameter", "empty"),
    "from_items": ("resbench.data.items", "from_items"),
    "initialiser": ("resbench.ops.initialisers", "initialiser"),
    "metric": ("resbench.measure.registry", "metric"),
    "op": ("resbench.ops.registry", "op"),
    "proxy": ("resbench.theory.proxy", "proxy"),
    "tracker": ("resbench.study.trackers.registry", "tracker"),
    "use_folders": ("resbench.plugins.active", "activate_also"),
}


if not TYPE_CHECKING:  # a type checker knows every name, and is to refuse others

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module `resbench.plugin` has no attribute `{name}`")
        module, attribute = _HOMES[name]
        return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
