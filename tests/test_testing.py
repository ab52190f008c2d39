"""check_op for authors of plugins: it passes what keeps the contract, and each of its checks can fail."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path

import pytest
from torch import nn

from resbench.ops import registry
from resbench.ops.registry import OpKind, kind, kinds
from resbench.testing import check_op
from resbench.testing.case import Case, case_of
from resbench.testing.checks import CHECKS
from resbench.testing.claims import CLAIMS
from resbench.testing.guess import guess

SOURCE = '''\
"""Odd.  BCHW -> BCHW"""
import torch
from torch import Tensor, nn
from resbench.ops.parameter import Parametric, Random, Start, empty
from resbench.ops.registry import op

@op("odd"CLAIMS)
class Odd(BASE):
    def __init__(self, channels: int, *, by: float = 2.0) -> None:
        super().__init__()
        INIT

    def forward(self, INPUTS) -> Tensor:
        return BODY
'''
NUMBERS = count()
WEIGHT = 'self.weight, self.starts, self.buffer_starts = empty(channels, 1, 1), {"weight": Start("gain")}, {}'
Load = Callable[[str], type[nn.Module]]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Source -> its class `Odd`, whose registration is gone after the test."""
    monkeypatch.setattr(registry, "_KINDS", dict(kinds()))

    def start(source: str) -> type[nn.Module]:
        name = f"odd_op_{next(NUMBERS)}"
        path = tmp_path / f"{name}.py"
        path.write_text(source, "utf-8")
        spec = spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        found: type[nn.Module] = module.Odd
        return found

    return start


def odd(body: str, *, init: str = "", base: str = "nn.Module", claims: str = "", inputs: str = "x: Tensor") -> str:
    said = {"BODY": body, "INIT": init or "pass", "BASE": base, "CLAIMS": claims, "INPUTS": inputs}
    text = SOURCE
    for mark, value in said.items():
        text = text.replace(mark, value)
    return text


def test_one_that_keeps_it(load: Load) -> None:
    report = check_op(load(odd("x * self.weight", init=WEIGHT, base="Parametric")), {"by": 3}, inputs=[(4, 3, 2)])
    assert str(report) == "odd(by=3.0) of 4x3x2 -> 4x3x2: 8 checks, 0 MACs, stacked: by vmap"
    assert report.checks == tuple(CHECKS)


def test_by_name_with_claims_and_a_price() -> None:
    assert str(check_op("relu")) == (
        "relu() of 8x6x5 -> 8x6x5: 8 checks, claims pure, idempotent, keeps_zero, effect, at_start, role activation, "
        "effect rectified, 0 MACs, stacked: side by side"
    )
    assert check_op("conv", {"kernel": 3, "out": 4}, inputs=[(2, 6, 6)]).macs == 9 * 2 * 4 * 36
    dropped = check_op("drop_branch", {"rate": 0.5, "ops": [{"conv3x3": {"out": 8}}, "bn"]})
    assert dropped.stacked == "one after the other: each draws from a stream of its own"


BAD = {
    "silent parameter": (odd("x * self.weight", init="self.weight = empty(channels, 1, 1)"),
        "starts: Odd does not say how `weight` starts; make it of torch's layers, fill it in `__init__`, or be a Parametric"),
    "silent buffer": (odd("x + self.seen", init='self.register_buffer("seen", torch.empty(1))'),
        "starts: Odd does not say how `seen` starts; make it of torch's layers, fill it in `__init__`, or be a Parametric"),
    "passing buffer": (odd("x + self.seen", init='self.register_buffer("seen", torch.zeros(1), persistent=False)'),
        "starts: Odd: buffer `seen` is not persistent, so no checkpoint has it; let it be"),
    "shared": (odd("x + self.one + self.two", init="self.one = self.two = torch.nn.Parameter(torch.ones(1))"),
        "starts: Odd: `two` is a parameter under two names; give it one"),
    "idle start": (odd("x", init='self.starts, self.buffer_starts = {"gone": Start("gain")}, {}', base="Parametric"),
        "starts: `starts` names gone, which is no parameter of its own"),
    "init": (odd("x", init="self.wide = wide"), "starts: it raises NameError: name 'wide' is not defined"),
    "forward": (odd("x * self.gone"), "shapes: it raises AttributeError: 'Odd' object has no attribute 'gone'"),
    "meta": (odd("x if x.is_meta else x[:, :2]"), "shapes: on meta it yields 8x6x5, on the CPU 2x6x5"),
    "training": (odd("x[:, :2] if self.training else x"), "shapes: on meta it yields 8x6x5, on the CPU 2x6x5"),
    "batch": (odd("x.sum(0)"), "shapes: expected a batch of 3, as the input, got 8"),
    "two": (odd("(x, x)"), "shapes: an op yields one tensor, got tuple"),
    "draws": (odd("x + torch.rand_like(x)"),
        "repeatable: two runs from one seed differ; a random op must be a Random and draw from `self.generator`: the largest"),
    "own draws": (odd("x * torch.rand(len(x), 1, 1, 1, generator=self.generator, dtype=x.dtype)", base="Random"),
        "in_parts: a part of a batch has other draws than in the whole; draw for each image by `self.room` and `self.own`: the"),
    "detached": (odd("x.detach() * 2"), "gradients: the result has no gradient: is something detached?"),
    "half detached": (odd("x * x.detach()"), "gradients: in training: Jacobian mismatch"),
    "dtype": (odd("x.float() if x.dtype == torch.bfloat16 else x"),
        "dtype: expected torch.bfloat16, as the input, got torch.float32"),
    "in place": (odd("x if x.requires_grad else x.add_(1.0)"),
        "input_kept: it changes its input in place, which others may read: an op yields a new tensor (`x * 2` for `x.mul_(2)`)"),
    "in place in training": (odd("torch.relu_(x) if self.training else torch.relu(x)"), "input_kept: it changes its input in "),
    "in place by its values": (odd("x.data.mul_(2.0)"), "input_kept: it changes its input in place"),
    "second in place": (odd("x + z.mul_(2)", inputs="x: Tensor, z: Tensor"), "input_kept: it changes input 1 in place"),
    "unpriced": (odd("x.cumsum(1)"),
        "macs: the MACs are unknown of aten.cumsum; declare them: @op(..., macs=lambda arguments, shapes: ...)"),
    "negative": (odd("x", claims=", macs=lambda arguments, shapes: -1"),
        "macs: `macs` must return an integer of 0 or more, got -1"),
    "pure parameter": (odd("x * self.weight", init=WEIGHT, base="Parametric", claims=", pure=True"),
        "pure: it has parameters, so it is not pure"),
    "pure training": (odd("x * 2 if self.training else x", claims=", pure=True"),
        "pure: training and evaluation differ, so it is not pure: the largest difference is"),
    "commutative": (odd("x - 2 * z", claims=", commutative=True", inputs="x: Tensor, z: Tensor"),
        "commutative: the order of its inputs matters, so it is not commutative: the largest difference is"),
    "idempotent": (odd("x / 2", claims=", idempotent=True"),
        "idempotent: a second time changes something, so it is not idempotent: the largest difference is"),
    "keeps_zero": (odd("x + 0.5", claims=", keeps_zero=True"), "keeps_zero: from zeros it makes 0.5"),
    "stacked": (odd("x - x.mean(1, keepdim=True)", claims=", pure=True, by_channel=True"),
        "stacked: results of 3 as one in training: the largest difference is"),
    "kept": (odd("x * 2", claims=', effect="kept"'),
        'effect: effect="kept" says that x passes as it is: the largest difference is 7'),
    "kept, and shifted": (odd("x + 1", claims=', effect="kept"'),
        'effect: effect="kept" says that x stays in its place, and of zeros it makes 1; `shifts=True` says that it adds'),
    "kept in part": (odd("x[:, :2]", claims=', effect="kept"'),
        'effect: effect="kept" says that x stays in its place, and its shape changes; `channels` says where each channel goes'),
    "moved": (odd("x.flip(3)", claims=', effect="scaled", factor=lambda a: 1.0, macs=lambda a, shapes: 0'),
        'effect: effect="scaled" says that x stays in its place; values meet others: the largest difference'),
    "bent": (odd("x.abs()", claims=', effect="scaled", factor=lambda a: 1.0'),
        'effect: effect="scaled" says that x stays in its place, times a factor; of -x / 2 it makes another: the largest'),
    "dropped in training": (odd("x.flip(3) if self.training else x", claims=', effect="dropped", factor=lambda a: 1.0'),
        'effect: effect="dropped" says that x stays in its place; values meet others'),
    "factor": (odd("x * 3", claims=', effect="scaled", factor=lambda a: a["by"]'),
        "effect: `factor` says 2 times x in evaluation: the largest difference is"),
    "start": (odd("x * self.weight", init=WEIGHT.replace('"gain"', '"gain", initial=0.5'), base="Parametric",
                  claims=', effect="learned", factor=lambda a: 1.0'),
        "effect: `factor` says 1 times x in evaluation: the largest difference is"),
    "rectified": (odd("x.abs()", claims=', effect="rectified"'), 'effect: effect="rectified" says that it yields max(x, 0)'),
    "sum": (odd("x + 2 * z", claims=', joins="sum"', inputs="x: Tensor, z: Tensor"),
        'joins: joins="sum" says that it yields the sum of its inputs: the largest difference is'),
    "difference": (odd("z - x", claims=', joins="difference"', inputs="x: Tensor, z: Tensor"),
        'joins: joins="difference" says that it yields its first input less the second: the largest difference is'),
    "channels joined": (odd("torch.cat((z, x), 1)", claims=', joins="channels"', inputs="x: Tensor, z: Tensor"),
        'joins: joins="channels" says that it yields the channels of its inputs in their order: the largest difference'),
    "product": (odd("x * z if self.training else x", claims=', joins="product"', inputs="x: Tensor, z: Tensor"),
        'joins: joins="product" says that it yields the product of its inputs: the largest difference is'),
    "channels": (odd("x.flip(1)", claims=', effect="kept", channels=lambda a, channels: range(channels), macs=lambda a, s: 0'),
        "channels: `channels` says that channel 0 is channel 0 of x: the largest difference is"),
    "too many channels": (odd("x[:, :2]", claims=', effect="kept", channels=lambda a, channels: range(channels)'),
        "channels: `channels` says 8 channels, it yields 2"),
    "at_start": (odd("x * x", claims=", pure=True, at_start=lambda a, value: value"),
        "at_start: `at_start` says 0.25 for 0.25: the largest difference is 0.188"),
    "words at the start": (odd("x * x", claims=', at_start=lambda a, value: "none"'),
        "at_start: `at_start` must yield a number or None, got 'none'"),
    "formula": (odd("1 - x", claims=', formula="1 - x"'), "formula: `formula` must have one {0}, for what goes in, got `1 - x`"),
    "global_pool": (odd("x.mean(3, keepdim=True)", claims=", global_pool=True"),
        "global_pool: `global_pool` says that a channel becomes one value, of (8, 1, 1), got (8, 6, 1)"),
    "yields_zero": (odd("x * 0.5", claims=", yields_zero=True"), "yields_zero: `yields_zero` says that it yields zeros, got 3."),
    "fresh": (odd("x[:, :2]", claims=", fresh=True"),
        "fresh: `fresh` says a tensor of its own, and it yields a view"),
    "fresh gradient": (odd("x.sigmoid()", claims=", fresh=True"), "fresh: it raises RuntimeError: one of the variables needed"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_each_check_can_fail(fault: str, load: Load) -> None:
    source, words = BAD[fault]
    shapes = "8x6x5, 8x6x5" if "z: Tensor" in source else "8x6x5"
    with pytest.raises(AssertionError) as error:
        check_op(load(source))
    assert str(error.value).startswith(f"op odd(by=2.0) of {shapes}: {words}")


def test_the_error_behind_it_is_kept(load: Load) -> None:
    with pytest.raises(AssertionError) as error:
        check_op(load(odd("x * self.gone")))
    assert isinstance(error.value.__cause__, AttributeError)


@pytest.mark.parametrize(
    ("claim", "case"),
    [
        ("pure", case_of("bn", {}, ())),
        ("pure", case_of("dropout", {"rate": 0.4}, ())),
        ("commutative", case_of("subtract", {}, ())),
        ("commutative", case_of("concat", {}, ((4, 5, 4), (2, 5, 4)))),
        ("idempotent", case_of("silu", {}, ())),
        ("idempotent", case_of("scale", {"by": 0.5}, ())),
        ("keeps_zero", case_of("sigmoid", {}, ())),
        ("keeps_zero", case_of("bn", {}, ())),
    ],
    ids=str,
)
def test_a_false_claim_is_found(claim: str, case: Case) -> None:
    with pytest.raises(AssertionError):
        CLAIMS[claim](case)


def test_a_false_identity_or_spelling_is_found() -> None:
    scale, pool = case_of("scale", {"by": 0.5}, ()), case_of("max_pool", {"kernel": 3}, ())
    wrong = OpKind("scale", kind("scale").module, identity_when=lambda a, channels: True)
    with pytest.raises(AssertionError, match="and is not: the largest difference is 3"):
        CLAIMS["identity_when"](Case(wrong, scale.signature, scale.arguments, scale.shapes))
    wrong = OpKind("max_pool", kind("max_pool").module, spell_out=lambda a: {**a, "padding": 0})
    with pytest.raises(AssertionError, match="it is another op: the shapes are 8x6x5 and 8x4x3"):
        CLAIMS["spell_out"](Case(wrong, pool.signature, pool.arguments, pool.shapes))


def test_what_it_is_asked_is_checked(load: Load) -> None:
    for name, arguments, shapes, words in (
        ("rleu", {}, (), "no op is called `rleu`; install its plugin, or give its class instead"),
        (nn.ReLU, {}, (), 'ReLU is not an op: the class of an op has the decorator `@op("name")`'),
        ("relu", {"by": 1}, (), "op `relu` has no argument `by`; its arguments: none"),
        ("scale", {}, (), "op `scale`: argument `by` must be given: a number"),
        ("scale", {"by": "two"}, (), "op `scale`: by must be a number, got 'two'"),
        ("subtract", {}, [(8, 6, 6)], "op `subtract`: expected 2 inputs, got 1 shapes"),
    ):
        with pytest.raises(AssertionError) as error:
            check_op(name, arguments, shapes)
        assert str(error.value) == words
    hidden = odd("x").replace("@op", "def hide():\n  pass\n@op", 1)
    hidden = hidden.replace("@op", "if True:\n @op").replace("\nclass", "\n class").replace("\n    ", "\n     ")
    with pytest.raises(AssertionError, match=r"^op `odd`: its class must be at the top level of .*\.py$"):
        check_op(load(hidden))


def test_arguments_are_guessed_and_each_choice_is_taken() -> None:
    def given(op: str, *names: str) -> list[tuple[object, ...]]:
        return [tuple(case.arguments[name] for name in names) for case in guess(op)]

    assert given("conv", "kernel", "out", "bias")[0] == ((2, 2), 8, False)
    assert ((2, 2), 8, True) in given("conv", "kernel", "out", "bias")
    assert given("scale", "by") == [(0.5,)]
    assert set(given("drop_branch", "scale")) == {("eval",), ("train",)}
    assert [len(case.shapes) for case in guess("add")] == [1, 2]
    assert [case.shapes for case in guess("subtract")] == [((8, 6, 5), (8, 6, 5))]


def test_what_nobody_can_guess_is_told(load: Load) -> None:
    with pytest.raises(AssertionError) as error:
        guess(load(odd("x").replace("by: float = 2.0", "by: str")))
    assert str(error.value) == "cannot guess its argument `by` (a text); use check_op in a test"
