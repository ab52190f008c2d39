"""Other names of ops: they mean the op in whatever a unit is bound to, hints know them, and names that are taken come first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from compiler_sample import folder, of

from resbench.compiler.identity.canonical import canonical
from resbench.errors import SpecError
from resbench.json_schema.schema import make_schema
from resbench.language.library.library import Library
from resbench.ops.registry import kind
from resbench.ops.schema import table

ARGUMENTS: dict[str, dict[str, Any]] = {
    "conv": {"kernel": 3}, "dropout": {"rate": 0.5}, "drop_branch": {"rate": 0.5}, "avg_pool": {"kernel": 3},
    "max_pool": {"kernel": 3}, "group_norm": {"groups": 2}, "channel_shuffle": {"groups": 2},
}  # fmt: skip
ALIASES = [(alias, name) for name, signature in table().items() for alias in signature.aliases]


def unit(op: str, name: str) -> dict[str, Any]:
    """A unit in which the op stands once, called `op`; `name` is what it is."""
    call: Any = {op: ARGUMENTS[name]} if name in ARGUMENTS else op
    source: Any = ["x", "a"] if table()[name].inputs[0] == 2 or kind(name).joins else "a"
    ops = (
        [call, "global_avg_pool", {"conv1x1": {"out": 4}}]
        if name != "linear"
        else ["global_avg_pool", {op: {"out": 4}}]
    )
    return {"a": {"from": "x", "ops": ["conv3x3"]}, "y": {"from": source, "ops": ops}}


@pytest.mark.parametrize(("alias", "name"), ALIASES)
def test_an_alias_is_the_op(alias: str, name: str) -> None:
    mine, theirs = of(unit(alias, name)), of(unit(name, name))
    assert canonical(mine).digest == canonical(theirs).digest
    assert list(mine.ops()) == list(theirs.ops()), "paths too, so that weights fit"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("BatchNorm2d", "unknown op `BatchNorm2d`; did you mean `bn`?"),
        ("DropPath", "unknown op `DropPath`; did you mean `drop_branch`?"),
        ("leaky_relu", "unknown op `leaky_relu`; did you mean `relu`?"),
        ("LeakyReLU", "unknown op `LeakyReLU`; did you mean `relu`?"),
        ("shake_shake", "unknown op `shake_shake`; did you mean `random_mix`?"),
        ("se", "unknown op `se`; did you mean `squeeze_excite`?"),
        ("stochastic_deph", "unknown op `stochastic_deph`; did you mean `stochastic_depth`?"),
        ("drop_path", "drop_path: argument `rate` is missing: a number"),
        ("layer_scale: {eps: 1}", "layer_scale: unknown argument `eps`; allowed: init, per"),
    ],
)
def test_hints_and_messages(written: str, message: str, tmp_path: Path) -> None:
    library = folder(tmp_path, mine=f"unit: mine\nnodes:\n  y: {{from: x, ops: [{written}]}}\n")
    with pytest.raises(SpecError) as error:
        library.unit("mine")
    assert message in str(error.value)


def test_a_block_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "arch_specs" / "blocks").mkdir(parents=True)
    block = "block: swish\nnodes: {y: {from: x, ops: [sigmoid]}}\n"
    (tmp_path / "arch_specs" / "blocks" / "swish.yaml").write_text(block, "utf-8")
    library = folder(tmp_path, mine="unit: mine\nnodes: {y: {from: x, ops: [swish]}}\n")
    (call,) = library.unit("mine").body.nodes["y"].ops
    assert call.op == "swish"  # type: ignore[union-attr]
    schema = make_schema("unit", library)["$defs"]["op"]["then"]["properties"]
    assert schema["swish"] == {"$ref": "#/$defs/op_swish"}


def test_the_schema_takes_them_and_offers_the_ops() -> None:
    defs = make_schema("unit", Library(table()))["$defs"]
    op = defs["op"]
    assert {alias: op["then"]["properties"][alias] for alias, _ in ALIASES} == {
        alias: {"$ref": f"#/$defs/op_{name}"} for alias, name in ALIASES
    }
    assert "swish" in op["else"]["anyOf"][1]["enum"]
    assert "drop_path" not in op["else"]["anyOf"][1]["enum"], "it needs a rate"
    offered = {snippet["label"] for snippet in op["defaultSnippets"]}
    assert offered >= {"silu", "drop_branch"}
    assert not offered & {alias for alias, _ in ALIASES}


def test_an_arrangement_takes_them_too() -> None:
    from resbench.language.generate.orderings import parse_arrange
    from resbench.language.yaml.node import from_plain
    from resbench.language.yaml.problems import Problems

    def digests(ops: list[str]) -> set[str]:
        check = Problems()
        library = Library(table())
        arrange = parse_arrange(from_plain({"ops": ops, "places": ["branch"]}), library, check)
        check.done()
        assert arrange is not None
        found = set()
        for one in arrange.all():
            name = library.add_unit(arrange.unit(one))
            found.add(canonical(of_unit(library, name)).digest)
        return found

    assert digests(["conv", "batch_norm", "rectifier"]) == digests(["conv", "bn", "relu"])


def of_unit(library: Library, name: str) -> Any:
    from compiler_sample import bind

    return bind("resnet_cifar", name, library=library, depth=8, width=4)
