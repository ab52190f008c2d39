"""Every registered op keeps the contract that resbench.testing offers to authors of plugins."""

from __future__ import annotations

import pytest
from ops_examples import all_examples, examples
from torch import nn

from resbench.compiler.binding.shapes import infer, tried
from resbench.compiler.graph import BoundOp
from resbench.measure.macs import counted, op_macs
from resbench.ops import registry
from resbench.ops.activations.relu import Relu
from resbench.ops.parameter import Parametric, Random
from resbench.ops.registry import kind, kinds, op
from resbench.testing.case import Case
from resbench.testing.contract import check_case

DRAWN = "one after the other: each draws from a stream of its own"


@pytest.mark.parametrize("case", all_examples(), ids=str)
def test_contract(case: Case) -> None:
    report = check_case(case)
    drawn, mapped = issubclass(case.kind.module, Random), case.arguments.get("weight") == "spectral"
    assert report.stacked == (DRAWN if drawn else "by vmap" if mapped else "side by side")
    assert report.output == "x".join(
        map(str, infer(case.kind.name, tuple(sorted(case.arguments.items())), case.shapes))
    )


def test_an_op_that_may_change_nothing_is_tried_both_ways() -> None:
    for what in kinds().values():
        if what.identity_when is not None:
            answers = {what.identity_when(dict(case.arguments), case.shapes[0][0]) for case in examples(what)}
            assert answers == {True, False}, what.name


def test_randomness_and_parameters_are_never_called_pure() -> None:
    impure = [k.name for k in kinds().values() if issubclass(k.module, Parametric | Random)]
    assert set(impure) == {
        "conv", "linear", "bn", "group_norm", "layer_norm", "gain", "bias", "dropout", "drop_branch", "random_mix",
    }  # fmt: skip
    assert not any(kind(name).pure for name in impure)


def test_an_op_without_an_example_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(examples.__globals__["_TABLE"], "scale")
    with pytest.raises(AssertionError, match=r"op `scale` needs \['by'\]: give it an example"):
        examples(kind("scale"))


def test_a_name_is_registered_once() -> None:
    class Other(nn.Module):
        pass

    before = kinds()
    with pytest.raises(ValueError, match="op `relu` is registered twice") as error:
        op("relu")(Other)
    assert f"{Relu.__module__}.Relu and {__name__}." in str(error.value)
    assert str(error.value).endswith("Other")
    assert kinds() == before
    assert registry.kind("relu").origin == "resbench.ops.activations.relu.Relu"


def test_a_class_that_is_no_module_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^op `other`: str must be a subclass of nn\.Module$"):
        op("other")(str)  # type: ignore[type-var]
    assert "other" not in kinds()


PRICED = [case for case in all_examples() if case.arguments.get("weight") != "spectral"]


@pytest.mark.parametrize("case", PRICED, ids=str)
def test_the_price_of_our_own_ops_is_what_torch_counts(case: Case) -> None:
    """measure/macs.py takes their word for it; what bounds a spectral weight (one product with it) is left out."""
    arguments = tuple(sorted(case.arguments.items()))
    price = op_macs(BoundOp("y.op1", case.kind.name, arguments, (0,) * len(case.shapes), ()), case.shapes)
    assert price == counted(*tried(case.kind.name, arguments, case.shapes))
