"""What every registered op owes: shapes on `meta`, gradients, its dtype, and each claim that it makes of itself."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import permutations, product

import pytest
import torch
from ops_examples import MAP, Example, all_examples, examples, inputs, make, run, said
from torch import Tensor, nn
from torch.autograd import gradcheck

from resbench.compiler.shapes import infer
from resbench.ops import registry
from resbench.ops.parameter import Parametric, Random
from resbench.ops.registry import OpKind, kind, kinds, op
from resbench.ops.relu import Relu

EXAMPLES = pytest.mark.parametrize("example", all_examples(), ids=str)


def frozen(example: Example) -> tuple[tuple[str, object], ...]:
    return tuple(sorted(said(example).items()))


@EXAMPLES
def test_shape_on_meta_is_the_shape_on_cpu(example: Example) -> None:
    result = run(make(example), inputs(example))
    assert infer(example.op, frozen(example), example.shapes) == tuple(result.shape[1:])


@EXAMPLES
def test_gradients(example: Example) -> None:
    gradients(example, make(example))


@pytest.mark.parametrize("example", [e for e in all_examples() if e.op in ("bn", "dropout")], ids=str)
def test_gradients_in_evaluation(example: Example) -> None:
    gradients(example, make(example).eval())


def gradients(example: Example, module: nn.Module) -> None:
    if not torch.equal(run(module, inputs(example)), run(module, inputs(example))):
        module.eval()  # a buffer that training moves (spectral) is part of the function: it has a gradient where it rests
    names = [name for name, _ in module.named_parameters()]
    tensors = [x.requires_grad_() for x in inputs(example)]
    parameters = [p.detach().clone().requires_grad_() for p in module.parameters()]

    def forward(*given: Tensor) -> Tensor:
        if isinstance(module, Random):
            module.generator = torch.Generator().manual_seed(3)
        state = dict(zip(names, given[len(tensors) :], strict=True))
        return torch.func.functional_call(module, state, given[: len(tensors)])  # type: ignore[no-any-return]

    if not forward(*tensors, *parameters).requires_grad:  # `zero` has none, and its inputs no gradient
        assert example.op == "zero"
        return
    assert gradcheck(forward, (*tensors, *parameters), fast_mode=True)


@EXAMPLES
def test_dtype_is_kept(example: Example) -> None:
    for dtype, training in product((torch.float32, torch.float64, torch.bfloat16), (True, False)):
        module = make(example).to(dtype).train(training)
        assert run(module, [x.to(dtype) for x in inputs(example)]).dtype == dtype


@EXAMPLES
def test_every_parameter_and_buffer_says_how_it_starts(example: Example) -> None:
    module = make(example)
    starts = module.starts if isinstance(module, Parametric) else {}
    buffers = module.buffer_starts if isinstance(module, Parametric) else {}
    assert {name for name, _ in module.named_parameters()} == set(starts)
    assert {name for name, _ in module.named_buffers()} == set(buffers)


@EXAMPLES
def test_the_input_is_left_as_it_was(example: Example) -> None:
    given = inputs(example)
    before = copy.deepcopy(given)
    run(make(example), given)
    assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))


# Each claim as a function that raises AssertionError where it is not true.


def pure(what: OpKind, example: Example) -> None:
    module, given = make(example), inputs(example)
    assert not list(module.parameters())
    assert not list(module.buffers())
    first = module.train()(*given)
    assert torch.equal(first, module(*given))
    assert torch.equal(first, module.eval()(*given))


def commutative(what: OpKind, example: Example) -> None:
    module, given = make(example), inputs(example)
    first = run(module, given)
    for permuted in permutations(given):
        torch.testing.assert_close(run(module, list(permuted)), first, rtol=1e-14, atol=1e-14)


def idempotent(what: OpKind, example: Example) -> None:
    module = make(example)
    once = run(module, inputs(example))
    assert torch.equal(run(module, [once]), once)


def keeps_zero(what: OpKind, example: Example) -> None:
    for training in (True, False):
        result = run(make(example).train(training), [torch.zeros_like(x) for x in inputs(example)])
        assert not result.count_nonzero()


def identity_when(what: OpKind, example: Example) -> None:
    assert what.identity_when is not None
    (given,) = inputs(example)
    if what.identity_when(said(example), example.shapes[0][0]):
        for training in (True, False):
            assert torch.equal(run(make(example).train(training), [given]), given)


def spell_out(what: OpKind, example: Example) -> None:
    assert what.spell_out is not None
    spelled = what.spell_out(said(example))
    module, other, given = make(example), make(example, spelled), inputs(example)
    other.load_state_dict(module.state_dict())
    assert torch.equal(run(module, given), run(other, given))
    assert what.spell_out(spelled) == spelled


CLAIMS: dict[str, Callable[[OpKind, Example], None]] = {
    claim.__name__: claim for claim in (pure, commutative, idempotent, keeps_zero, identity_when, spell_out)
}


def claimed() -> list[tuple[str, Example]]:
    return [(claim, e) for e in all_examples() for claim in CLAIMS if getattr(kind(e.op), claim)]


@pytest.mark.parametrize(("claim", "example"), claimed(), ids=str)
def test_claim(claim: str, example: Example) -> None:
    CLAIMS[claim](kind(example.op), example)


def test_an_op_that_may_change_nothing_is_tried_both_ways() -> None:
    for what in kinds().values():
        if what.identity_when is not None:
            answers = {what.identity_when(said(e), e.shapes[0][0]) for e in examples(what)}
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
        CLAIMS[claim](kind(example.op), example)


def test_a_false_identity_or_spelling_is_found() -> None:
    wrong = OpKind("scale", kind("scale").module, identity_when=lambda a, channels: True)
    with pytest.raises(AssertionError):
        identity_when(wrong, Example("scale", {"by": 0.5}))
    wrong = OpKind("max_pool", kind("max_pool").module, spell_out=lambda a: {**a, "padding": 0})
    with pytest.raises(AssertionError):
        spell_out(wrong, Example("max_pool", {"kernel": 3}))


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
