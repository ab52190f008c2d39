"""Classes of ops that plain torch lacks -> their source in an emitted file, with what it needs and nothing of resbench."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from compiler_sample import chain
from emit_sample import module, text
from torch import nn

from resbench.compiler.export.python.copied_ops import CopiedOps
from resbench.compiler.export.python.formatter import statement
from resbench.errors import PluginError
from resbench.ops.registry import kinds


def test_copied_parameters_start_as_ours(tmp_path: Path) -> None:
    made = module(text(chain("layer_norm", {"gain": {"init": 0.25}}, {"conv3x3": {"weight": "spectral"}})))
    state = {name.rpartition("y.")[2]: tensor for name, tensor in made.state_dict().items()}
    assert state["layer_norm1.weight"].tolist() == [1.0] * 4
    assert state["layer_norm1.bias"].tolist() == [0.0] * 4
    assert state["gain1.weight"].tolist() == [0.25] * 4
    assert state["conv1.left"].tolist() == [0.5] * 4
    assert 0.1 < state["conv1.weight"].std() < 0.4


@pytest.mark.parametrize("name", sorted(kinds()))
def test_every_op_can_be_copied(name: str) -> None:
    """As a plugin's would be: its class runs without resbench."""
    copies = CopiedOps()
    copied = copies.of_class(kinds()[name].module)
    code = "\n".join([*copies.imports.values(), *("\n".join(statement(tree)) for tree in copies.trees.values())])
    names: dict[str, object] = {}
    exec(compile(f"from __future__ import annotations\n{code}", name, "exec"), names)
    assert issubclass(names[copied], nn.Module)  # type: ignore[arg-type]
    assert not re.search(r"resbench|\bFact\b|Parametric|\bStart\b", code)


PLUGIN = '''\
"""Doubled.  BCHW -> BCHW"""
from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from resbench.errors import Reason
from resbench.ops.parameter import Parametric, Start, empty
from plugin_help import pair, LIMIT as MOST


class Doubled(Parametric):
    """times: how often"""

    def __init__(self, channels: int, *, times: int = 2, init: float = 1.0) -> None:
        super().__init__()
        if times > MOST:
            raise Reason(f"`times` (={times}) must be at most {MOST}")
        self.times = pair(times)
        self.weight = empty(channels)
        self.starts = {"weight": Start("gain", initial=init)}
        self.buffer_starts = {}

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x) * self.times[0]


class Inside:
    class Deep(torch.nn.Module):
        pass
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A plugin's file with a helper beside it; the helper is called as one of ours."""
    (tmp_path / "plugin_help.py").write_text(
        "LIMIT = 9\n\n\ndef pair(n: int) -> list[int]:\n    return [n, n]\n", "utf-8"
    )
    (tmp_path / "plugin_op.py").write_text(PLUGIN, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    spec = importlib.util.spec_from_file_location("plugin_op", tmp_path / "plugin_op.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "plugin_op", found)
    spec.loader.exec_module(found)
    yield found
    sys.modules.pop("plugin_help", None)


def test_a_plugins_class_with_what_it_needs(plugin: ModuleType) -> None:
    copies = CopiedOps()
    copies.of_class(kinds()["conv"].module)  # brings a `pair` of its own
    assert copies.of_class(plugin.Doubled) == "Doubled"
    assert list(copies.trees)[-3:] == ["LIMIT", "pair_", "Doubled"]
    doubled = "\n".join(statement(copies.trees["Doubled"]))
    assert doubled.startswith(
        'class Doubled(nn.Module):\n    """Doubled.  BCHW -> BCHW\n\n    times: how often\n    """\n'
    )
    assert "if times > LIMIT:\n            raise ValueError(f" in doubled
    assert "self.times = pair_(times)" in doubled
    assert "nn.init.ones_(self.weight)" in doubled
    assert copies.dropped["Doubled"] == {"init"}
    assert copies.defaults["Doubled"] == {"times": 2}


def test_a_class_without_a_place_of_its_own_is_refused(plugin: ModuleType) -> None:
    with pytest.raises(PluginError, match=r"plugin_op\.Inside\.Deep cannot be exported: .*; give the op a `code`"):
        CopiedOps().of_class(plugin.Inside.Deep)
