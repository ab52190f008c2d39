"""resbench: is this residual unit better, and how sure are we?

    import resbench as rb
    unit = rb.load_unit("my_unit.yaml")                       a unit, read and checked; notebooks show its picture
    net = rb.build_network("resnet_cifar", unit=unit, depth=56, seed=0)   a torch module with weights
    study = rb.load_study("quickstart.yaml", seeds=5)         `.check()`, `.run("results.db")`
    with rb.open_results("results.db") as results: ...        `.leaderboard(study)`, `.compare(study, a, b)`, `.query(sql)`

`docs/api.md` has every function; `resbench.plugin` is the door for authors of plugins. Names are imported when they are first
used: `import resbench` does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from resbench import old_paths

if TYPE_CHECKING:
    from resbench import plugin, tabular
    from resbench.api.architecture.analysis import analyze
    from resbench.api.architecture.draw import draw
    from resbench.api.architecture.network import build_network
    from resbench.api.architecture.unit import load_unit
    from resbench.api.data import load_data
    from resbench.api.results.benchmark import load_benchmark
    from resbench.api.results.results import open_results
    from resbench.api.study.load import load_study
    from resbench.api.study.worker import run_worker
    from resbench.api.train import batches, load_recipe, train_network
    from resbench.errors import BadInput, ResbenchError, SpecError, StudyInterrupted

__version__ = "0.1.0"
__all__ = [
    "BadInput",
    "ResbenchError",
    "SpecError",
    "StudyInterrupted",
    "analyze",
    "batches",
    "build_network",
    "draw",
    "load_benchmark",
    "load_data",
    "load_recipe",
    "load_study",
    "load_unit",
    "open_results",
    "plugin",
    "run_worker",
    "tabular",
    "train_network",
]
_ERRORS = ("BadInput", "ResbenchError", "SpecError", "StudyInterrupted")
_HOMES = {
    **dict.fromkeys(_ERRORS, "resbench.errors"),
    "analyze": "resbench.api.architecture.analysis",
    "batches": "resbench.api.train",
    "build_network": "resbench.api.architecture.network",
    "draw": "resbench.api.architecture.draw",
    "load_benchmark": "resbench.api.results.benchmark",
    "load_data": "resbench.api.data",
    "load_recipe": "resbench.api.train",
    "load_study": "resbench.api.study.load",
    "load_unit": "resbench.api.architecture.unit",
    "open_results": "resbench.api.results.results",
    "run_worker": "resbench.api.study.worker",
    "train_network": "resbench.api.train",
}
_ROOMS = ("plugin", "tabular")


if not TYPE_CHECKING:  # a type checker knows every name, and is to refuse others

    def __getattr__(name: str) -> Any:
        if name in _ROOMS:
            return import_module(f"resbench.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module `resbench` has no attribute `{name}`")
        return getattr(import_module(_HOMES[name]), name)


old_paths.install()


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
