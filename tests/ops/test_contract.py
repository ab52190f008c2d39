"""What every registered op owes and claims, tried by the contract that resbench.testing offers to authors of plugins."""

from __future__ import annotations

import pytest
from ops_examples import MAP, Example, all_examples, case, examples
from torch import nn

from resbench.compiler.shapes import infer
from resbench.ops import registry
from resbench.ops.parameter import Parametric, Random
from resbench.ops.registry import OpKind, kind, kinds, op
from resbench.ops.relu import Relu
from resbench.testing.case import inputs, make, run
from resbench.testing.checks import DUTIES
from resbench.testing.claims import CLAIMS, claimed
from resbench.testing.stacked import stacked

EXAMPLES = pytest.mark.parametrize("example", all_examples(), ids=str)
DRAWN = "not in training: each would draw from a stream of its own"


@EXAMPLES
def test_shape_on_meta_is_the_shape_on_cpu(example: Example) -> None:
    found = case(example)
    result = run(make(found), inputs(found))
    assert infer(example.op, tuple(sorted(found.arguments.items())), example.shapes) == tuple(result.shape[1:])


@pytest.mark.parametrize("duty", DUTIES)
@EXAMPLES
def test_duty(duty: str, example: Example) -> None:
    DUTIES[duty](case(example))


@EXAMPLES
def test_stacked(example: Example) -> None:
    draws = issubclass(kind(example.op).module, Random)
    assert stacked(case(example)) == (DRAWN if draws else "yes")


def all_claims() -> list[tuple[str, Example]]:
    return [(claim, example) for example in all_examples() for claim in claimed(case(example))]


@pytest.mark.parametrize(("claim", "example"), all_claims(), ids=str)
def test_claim(claim: str, example: Example) -> None:
    CLAIMS[claim](case(example))


def test_an_op_that_may_change_nothing_is_tried_both_ways() -> None:
    for what in kinds().values():
        if what.identity_when is not None:
            answers = {what.identity_when(dict(case(e).arguments), e.shapes[0][0]) for e in examples(what)}
            assert answers == {True, False}, what.name


def test_randomness_and_parameters_are_never_called_pure() -> None:
    impure = [k.name for k in kinds().values() if issubclass(k.module, Parametric | Random)]
    assert set(impure) == {
        "conv", "linear", "bn", "group_norm", "layer_norm", "gain", "bias", "dropout", "drop_branch", "random_mix",
    }  # fmt: skip
    assert not any(kind(name).pure for name in impure)


@pytest.mark.parametrize(
    ("claim", "example"),
    [
        ("pure", Example("bn", {})),
        ("pure", Example("dropout", {"rate": 0.4})),
        ("commutative", Example("subtract", {}, (MAP, MAP))),
        ("commutative", Example("concat", {}, (MAP, (2, 5, 4)))),
        ("idempotent", Example("silu", {})),
        ("idempotent", Example("scale", {"by": 0.5})),
        ("keeps_zero", Example("sigmoid", {})),
        ("keeps_zero", Example("bn", {})),
    ],
    ids=str,
)
def test_a_false_claim_is_found(claim: str, example: Example) -> None:
    with pytest.raises(AssertionError):
        CLAIMS[claim](case(example))


def test_a_false_identity_or_spelling_is_found() -> None:
    wrong = OpKind("scale", kind("scale").module, identity_when=lambda a, channels: True)
    with pytest.raises(AssertionError, match="changes nothing: the largest difference is 3"):
        CLAIMS["identity_when"](case(Example("scale", {"by": 0.5}), wrong))
    wrong = OpKind("max_pool", kind("max_pool").module, spell_out=lambda a: {**a, "padding": 0})
    with pytest.raises(AssertionError, match="it is another op: the shapes are 4x5x4 and 4x3x2"):
        CLAIMS["spell_out"](case(Example("max_pool", {"kernel": 3}), wrong))


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
    assert registry.kind("relu").origin == "resbench.ops.relu.Relu"
