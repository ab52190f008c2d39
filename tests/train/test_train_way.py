"""How a network is run changes its numbers by rounding alone: compiled by torch.compile; and what cannot be compiled says why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import fx
from train_sample import network, recipe

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.stack import initialize_stack, single, stack
from resbench.data.dataset import Dataset
from resbench.data.registry import load
from resbench.errors import BadInput
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node
from resbench.ops.schema import table
from resbench.train.execution import compiled
from resbench.train.execution.layout import ExecutionOptions
from resbench.train.execution.plan import Plan, plan_from
from resbench.train.execution.plan_timing import measure
from resbench.train.execution.precision import allow
from resbench.train.fit import Hooks, fit
from resbench.train.outcome import Outcome

CPU = torch.device("cpu")
# torch.compile looks at gradients of what has none; torch means not to tell
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    torch.compiler.reset()


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def bound(unit: str = "full_preactivation") -> BoundNetwork:
    use = Use("resnet_cifar", {"depth": Node(8), "width": Node(2)}, Node("resnet_cifar"))
    return bind_network(Request(use, Use(unit, {}, Node(unit)), (1, 8, 8), 10), Library(table()))


def trained(data: Dataset, unit: str, way: ExecutionOptions) -> list[Outcome]:
    stacked = stack(bound(unit), 2)
    initialize_stack(stacked, (0, 1), "he_normal")
    return fit(stacked, recipe({"epochs": 1, "lr": 0.01}), data, (0, 1), Hooks(lambda seed, epoch: None), way=way)


@pytest.mark.long
@pytest.mark.parametrize("unit", ["full_preactivation", "dropout_shortcut"])
def test_compiled_it_is_the_same_but_for_rounding(unit: str, digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counting(module: fx.GraphModule, inputs: list[torch.Tensor]) -> fx.GraphModule:
        calls.append(module)
        return module

    monkeypatch.setattr(compiled, "BACKEND", counting)
    plain, other = trained(digits, unit, ExecutionOptions()), trained(digits, unit, ExecutionOptions(compiled=True))
    assert calls
    for a, b in zip(plain, other, strict=True):
        assert b.epochs[-1].val_loss == pytest.approx(a.epochs[-1].val_loss, rel=1e-4)
        assert b.epochs[-1].train_loss == pytest.approx(a.epochs[-1].train_loss, rel=1e-4)


def test_evaluation_is_not_compiled(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []

    def watching(module: fx.GraphModule, inputs: list[torch.Tensor]) -> fx.GraphModule:
        modes.append(torch.is_grad_enabled())
        return module

    monkeypatch.setattr(compiled, "BACKEND", watching)
    trained(digits, "full_preactivation", ExecutionOptions(compiled=True))
    assert modes
    assert all(modes)


def test_a_compiler_that_fails_is_left_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(module: fx.GraphModule, inputs: list[torch.Tensor]) -> fx.GraphModule:
        raise RuntimeError("no compiler here")

    monkeypatch.setattr(compiled, "BACKEND", broken)
    plan = measure(bound(), recipe({"plan": {"compile": True}}), 1, 10, CPU, cores=1)
    assert not plan.compiled
    assert "no compiler here" in plan.not_compiled
    assert plan_from(plan.record()) == plan
    assert plan_from(plan.record()).not_compiled == plan.not_compiled


def test_compiling_is_asked_for_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "BACKEND", "eager")
    said = measure(bound(), recipe({"plan": {"compile": True}}), 1, 10, CPU, cores=1)
    assert said.compiled
    assert said.way == f"{said.layout} compiled"
    assert not measure(bound(), recipe(), 1, 10, CPU, cores=1).compiled


def test_a_plan_of_an_older_database_is_read() -> None:
    assert plan_from({}) == Plan(1, "contiguous", 1)
    assert plan_from({"width": 4, "layout": "channels_last", "threads": 2}) == Plan(4, "channels_last", 2)


def test_tf32_is_of_cuda() -> None:
    with pytest.raises(BadInput, match=r"^precision: tf32 requires a CUDA device, got cpu; change the recipe's"):
        allow(CPU, "tf32")
    net, numbers = network("original")
    with pytest.raises(BadInput, match="tf32"):
        fit(single(net, numbers), recipe({"precision": "tf32"}), load("digits"), (0,), Hooks(lambda seed, epoch: None))
