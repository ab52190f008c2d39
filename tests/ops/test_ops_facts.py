"""What our ops say of themselves in `@op`: whole, read from the source as Python sees it, refused where it is no fact."""

from __future__ import annotations

import pytest
from torch import nn

from resbench.errors import Reason
from resbench.language.graph.op_facts import EFFECTS, JOINS, ROLES, effect_of, sign_of
from resbench.ops.registry import kinds, op
from resbench.ops.schema import built_in, read_source

OWN = {name: kind for name, kind in kinds().items() if kind.origin.startswith("resbench.ops.")}
SOURCE = '@op("odd", {})\nclass Odd:\n    def __init__(self, *, kernel: int): ...\n    def forward(self, x): ...\n'
EXPECTED = {  # role, effect: what pictures and theory went by when they knew the ops by their names
    "weights projected": "conv linear", "norm normalised": "bn group_norm layer_norm", "activation rectified": "relu",
    "activation nonlinear": "relu6 silu gelu tanh hardswish", "gate nonlinear": "sigmoid one_minus zero", "gate scaled": "scale",
    "gate learned": "gain", "gate kept": "bias", "random dropped": "dropout drop_branch random_mix",
    "moving pooled": "avg_pool global_avg_pool", "moving nonlinear": "max_pool",
    "moving kept": "subsample pad_channels slice channel_shuffle", "merge kept": "add subtract concat", "merge gated": "multiply",
}  # fmt: skip


def test_every_op_of_ours_says_its_role_and_effect() -> None:
    found = {name: f"{kind.role} {kind.effect}" for name, kind in OWN.items()}
    assert found == {name: words for words, names in EXPECTED.items() for name in names.split()}


@pytest.mark.parametrize("name", sorted(OWN))
def test_the_source_says_what_python_sees(name: str) -> None:
    of, kind = built_in()[name], OWN[name]
    assert (of.aliases, of.near, of.kernel_in_name) == (kind.aliases, kind.near, kind.kernel_in_name)
    assert (of.role, of.joins, of.by_channel) == (kind.role, kind.joins, kind.by_channel)
    assert (of.effect or effect_of(of.joins)) == kind.effect


def test_names_are_used_once() -> None:
    names = [word for of in built_in().values() for word in (of.name, *of.aliases, *of.near)]
    assert sorted(names) == sorted(set(names))
    assert {"drop_path", "droppath", "stochastic_depth"} <= set(built_in()["drop_branch"].aliases)
    assert {"layer_scale", "skip_init"} <= set(built_in()["gain"].aliases)


def test_a_join_has_a_sign_and_an_effect() -> None:
    assert [(sign_of(join), effect_of(join)) for join in JOINS] == [
        ("+", "kept"),
        ("−", "kept"),
        ("‖", "kept"),
        ("×", "gated"),
    ]
    assert (sign_of(None), effect_of(None)) == ("", "nonlinear")


WRONG = [
    ('role="wieghts"', f"op `odd`: `role`: expected one of {', '.join(ROLES)}, got `wieghts`; did you mean `weights`?"),
    ('effect="gone"', f"op `odd`: `effect`: expected one of {', '.join(EFFECTS)}, got `gone`"),
    ('joins="concat"', f"op `odd`: `joins`: expected one of {', '.join(JOINS)}, got `concat`"),
    (
        'joins="sum", effect="scaled"',
        'op `odd`: `effect`: expected "kept" beside joins="sum", got "scaled"; leave it out',
    ),
    ('effect="gated"', 'op `odd`: `effect`: "gated" goes with joins="product" alone; without that, say nothing'),
    ('aliases="other"', "op `odd`: `aliases`: expected a tuple of names, got 'other'"),
    (
        'aliases=("Other",)',
        "op `odd`: `aliases`: `Other` is not a legal name: expected a small letter, then small letters, digits and `_`",
    ),
    ("aliases=(1,)", "op `odd`: `aliases`: expected a tuple of names, got (1,)"),
    (
        "role=roles()",
        "`role` of op `odd` is `roles()`; it is read without being run: a literal is needed, or a name of this ",
    ),
    ("kernel_in_name=True", "op `odd`: `kernel_in_name` requires the arguments kernel, out and groups, got no `out`"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_what_is_no_fact_is_refused(words: str, message: str) -> None:
    (fine,) = read_source(SOURCE.format('role="norm", effect="kept", aliases=("other",)'), "odd.py")
    assert (fine.role, fine.effect, fine.aliases) == ("norm", "kept", ("other",))
    with pytest.raises(Reason) as error:
        list(read_source(SOURCE.format(words), "odd.py"))
    assert str(error.value).startswith(message)


def test_a_class_in_a_test_is_held_to_the_same() -> None:
    class Odd(nn.Module):
        pass

    before = kinds()
    with pytest.raises(ValueError, match=r"^op `odd`: `role`: expected one of weights, .*, got `blue`"):
        op("odd", role="blue")(Odd)  # type: ignore[arg-type]
    for words in ({"effect": "scaled"}, {"factor": lambda a: 1.0}, {"effect": "kept", "factor": lambda a: 1.0}):
        with pytest.raises(
            ValueError, match="`factor` goes with the effects dropped, learned, scaled, and these with it"
        ):
            op("odd", **words)(Odd)  # type: ignore[arg-type]
    assert kinds() == before
