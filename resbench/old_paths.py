"""Import paths of version 0.1 that plugins and notebooks use -> the modules that are there now, with a DeprecationWarning.

The finder stands last on `sys.meta_path`: it costs nothing where a path exists. Paths outside the table are gone.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_FAMILIES = {
    "activations": "gelu hardswish relu relu6 sigmoid silu tanh",
    "arithmetic": "add bias gain multiply one_minus scale subtract zero",
    "channels": "channel_shuffle concat pad_channels slice",
    "convolution": "conv linear window",
    "normalization": "bn group_norm layer_norm",
    "pooling": "avg_pool global_avg_pool max_pool subsample",
    "stochastic": "drop_branch dropout random_mix",
}
MOVED = {
    "resbench.ops.weight": "resbench.ops.convolution.weight_standardization",
    "resbench.seeds": "resbench.random_streams",
    "resbench.cli.picture": "resbench.api.architecture.draw",
    "resbench.cli.request": "resbench.api.architecture.request",
    "resbench.compiler.architecture": "resbench.compiler.binding.network",
    "resbench.compiler.bind": "resbench.compiler.binding.bind",
    "resbench.compiler.canonical": "resbench.compiler.identity.canonical",
    "resbench.compiler.materialise": "resbench.compiler.modules.initialize",
    "resbench.compiler.network": "resbench.compiler.modules.network",
    "resbench.compiler.stack": "resbench.compiler.modules.stack",
    "resbench.compiler.unit": "resbench.compiler.modules.unit",
    "resbench.report.results": "resbench.api.results.results",
    "resbench.spec.library": "resbench.language.library.library",
    "resbench.spec.network": "resbench.language.graph.network",
    "resbench.spec.node": "resbench.language.yaml.node",
    "resbench.spec.project": "resbench.language.library.project",
    "resbench.spec.recipe": "resbench.language.recipe.recipe",
    "resbench.spec.study": "resbench.language.study.study",
    "resbench.spec.study_plugins": "resbench.language.study.plugins",
    "resbench.spec.unit": "resbench.language.graph.unit",
    "resbench.spec.yaml": "resbench.language.yaml.reader",
    "resbench.store.engine": "resbench.store.open",
    **{f"resbench.ops.{op}": f"resbench.ops.{family}.{op}" for family, ops in _FAMILIES.items() for op in ops.split()},
}
RENAMED = {
    ("resbench.compiler.modules.initialize", "materialise"): "initialize_weights",
    ("resbench.compiler.modules.stack", "materialise_stack"): "initialize_stack",
}
_FOLDERS = frozenset(("resbench.spec", "resbench.report"))  # rooms that are gone


class _OldModule(ModuleType):
    """A module under its old path: every name is that of the new one."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        new = MOVED[self.__name__]
        return getattr(import_module(new), RENAMED.get((new, name), name))


class _OldPaths(MetaPathFinder, Loader):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name in _FOLDERS:
            return ModuleSpec(name, self, is_package=True)
        return ModuleSpec(name, self) if name in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(spec.name) if spec.name in _FOLDERS else _OldModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if name in MOVED:
            import_module(MOVED[name])
            warnings.warn(
                f"{name} is now {MOVED[name]}", DeprecationWarning, stacklevel=2
            )  # frames of importlib do not count


def install() -> None:
    """Let the old paths be imported, in this process."""
    if not any(isinstance(finder, _OldPaths) for finder in sys.meta_path):
        sys.meta_path.append(_OldPaths())
