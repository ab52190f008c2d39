"""A plugin that is broken is told once with its name, version and cause, and stops nothing that does not need it."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import SMALL, Said
from plugins_sample import BROKEN, Use, op, package, put, resbench, unit

from resbench.errors import PluginError
from resbench.language.library.library import Library
from resbench.ops.schema import table
from resbench.plugins.plugin import Failure


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("syntax", "SyntaxError: '(' was never closed (odd.py, line 15)"),
        ("annotation", "an op's argument cannot be annotated with list[float]"),
        ("taken", "an op cannot be called `relu`: it is the name of a built-in op (resbench.ops, relu.py)"),
        ("illegal", "an op cannot be called `conv5x5`: it is `conv` with its kernel in its name, a built-in op"),
    ],
)
def test_what_its_source_shows_is_told_without_importing_it(
    fault: str, cause: str, tmp_path: Path, use: Use, told: list[Failure]
) -> None:
    bad = put(tmp_path / "bad", {"odd.py": BROKEN[fault], "fine.py": op("fine")})
    good = put(tmp_path / "good", {"twice.py": op("twice")})
    use(bad, good)
    assert {"relu", "twice", "fine"} <= set(table())
    assert table()["relu"].origin == "relu.py"
    assert len(told) == 1
    assert str(told[0]).startswith(f"plugin bad (a folder): odd.py: {cause}")
    table()
    assert len(told) == 1, "once"
    if fault in ("syntax", "annotation"):
        with pytest.raises(
            PluginError,
            match=r"^`odd` cannot be used: plugin bad \(a folder\): odd\.py: (SyntaxError: |an op's argument)",
        ) as error:
            Library(table()).signature("odd")
        assert str(error.value).endswith(f"`resbench plugins check {tmp_path}/bad` shows details")


def test_promises_that_are_not_kept(tmp_path: Path, use: Use, told: list[Failure]) -> None:
    use(
        package(tmp_path / "liar", {"op.py": op("twice")}, ops={"thrice": "liar.op"}),
        package(tmp_path / "lost", {"op.py": op("lost_op")}, ops={"lost_op": "lost.gone"}),
    )
    assert not {"twice", "thrice", "lost_op"} & set(table())
    assert [failure.cause.split(" in /")[0] for failure in told] == [
        'the entry point `thrice` promises an op, and there is no @op("thrice")', "there is no module `lost.gone`",
    ]  # fmt: skip


def test_a_name_that_two_plugins_give_is_refused_with_both(tmp_path: Path, use: Use, told: list[Failure]) -> None:
    use(*(put(tmp_path / name, {"twice.py": op("twice"), "fine.py": op(f"{name}_op")}) for name in ("one", "two")))
    assert "twice" not in table()
    assert {"one_op", "two_op"} <= set(table())
    both = f"by plugin one (a folder) ({tmp_path}/one/twice.py) and plugin two (a folder) ({tmp_path}/two/twice.py)"
    assert [str(failure) for failure in told] == [
        f"plugin two (a folder): ops: `twice`: is provided twice: {both}; remove one"
    ]
    with pytest.raises(PluginError) as error:
        Library(table()).signature("twice")
    assert str(error.value) == f"ops: `twice` is provided twice: {both}; remove one"


def test_an_op_gives_way_to_a_block_of_its_name_and_a_block_to_an_op(
    tmp_path: Path, use: Use, told: list[Failure], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    block = "block: {}\nnodes: {{y: {{from: x, ops: []}}}}\n"
    files = {
        "shortcut.py": op("shortcut"),
        "blocks/relu.yaml": block.format("relu"),
        "blocks/fine.yaml": block.format("fine"),
    }
    use(put(tmp_path / "mine", files))
    library = Library(table())
    signature = library.signature("shortcut")
    assert signature is not None
    assert "change" in signature.arguments, "the block of the library"
    assert library.signature("fine") is not None
    assert library.names("block").count("relu") == 0
    assert [str(failure) for failure in told] == [
        "plugin mine (a folder): blocks: `relu`: a block cannot have this name: it is the name of a built-in op "
        "(resbench.ops, relu.py)",
        "plugin mine (a folder): ops: `shortcut`: is also the name of the block library/arch_specs/blocks/shortcut.yaml, "
        "which takes precedence",
    ]


RAISING = {
    "x * self.gone": "AttributeError: 'Twice' object has no attribute 'gone'",
    "x @ x.new_ones(3, 5)": "RuntimeError: mat1 and mat2 shapes cannot be multiplied ",
    "{}['here'] if x.any() else x": "KeyError: 'here'",
}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> list[Said]:
    """`unit check` beside a plugin that cannot be imported, and with each that raises: one process for all."""
    folder = tmp_path_factory.mktemp("broken")
    put(folder / "bad", {"odd.py": BROKEN["import"]})
    put(folder, {"mine.yaml": unit("mine", "odd")})
    commands = [["unit", "check", name, "--plugins", "bad"] for name in ("original", "mine.yaml")]
    for number, body in enumerate(RAISING):
        name = f"raiser{number}"
        package(folder / name, {"op.py": op(name, body)}, ops={name: f"{name}.op"})
        put(folder, {f"use{number}.yaml": unit(f"use{number}", name)})
        commands.append(["unit", "check", f"use{number}.yaml", "--plugins", name])
    return resbench(folder, *commands)


def test_others_go_on_beside_one_that_cannot_be_imported(checked: list[Said]) -> None:
    needless, needing = checked[:2]
    assert needless.status == 0
    line = "plugin bad (a folder): odd.py: ModuleNotFoundError: No module named 'not_there'"
    assert needless.err == f"{line} (`resbench plugins check bad` shows details)\n"
    assert needing.status == 3
    assert needing.err.splitlines()[1:] == [
        f"mine.yaml:2:56: nodes.f.ops[1]: odd: `odd` cannot be used: {line}; `resbench plugins check bad` shows details",
        "    nodes: {f: {from: x, ops: [conv3x3: {stride: $stride}, odd]}, y: {from: f, ops: [bn, relu]}}",
        f"    {' ' * 55}^",
    ]


def test_what_an_op_raises_names_its_plugin(checked: list[Said]) -> None:
    for number, (said, cause) in enumerate(zip(checked[2:], RAISING.values(), strict=True)):
        assert said.status == 3
        assert said.out == ""
        assert f"plugin raiser{number} 1.5: {cause}" in said.err
        assert said.err.startswith(
            f"use{number}.yaml:2:56: nodes.f.ops[1]: raiser{number}: " if number < 2 else "plugin "
        )


IN_PLACE = {
    "doubling": "x.mul_(2.0)",
    "rectifying": "x.relu_()",
    "training_alone": "x.relu_() if self.training else x.relu()",
    "unseen": "x.data.mul_(2.0)",
}


@pytest.mark.long
def test_an_op_that_changes_its_input_is_refused_before_it_is_trained(tmp_path: Path) -> None:
    """The graph says that others read what the op was given; they would read what it left there."""
    put(tmp_path / "mine", {f"{name}.py": op(name, body) for name, body in IN_PLACE.items()})
    put(tmp_path, {f"{name}.yaml": unit(name, name) for name in IN_PLACE})
    inside = "drop_branch: {rate: 0.5, ops: [doubling]}"
    put(tmp_path, {"inside.yaml": unit("inside", inside), "study.yaml": SMALL.replace("original", "doubling.yaml")})
    units = [*IN_PLACE, "inside"]
    *checked, trained, told = resbench(
        tmp_path, *(["unit", "check", f"{name}.yaml", "--plugins", "mine"] for name in units),
        ["study", "run", "study.yaml", "--plugins", "mine"], ["plugins", "check", "mine"],
    )  # fmt: skip
    for name, said in zip([*units, "study"], [*checked, trained], strict=True):
        culprit = name if name in IN_PLACE else "doubling"
        assert said.status == 3, (name, said)
        assert (
            f"{culprit}: plugin mine (a folder): op `{culprit}` changes its input in place: expected a new" in said.err
        )
    for name in IN_PLACE:
        assert f"op {name}(by=2.0) of 8x6x5: input_kept: it changes its input in place" in told.out + told.err
    assert "Traceback" not in told.out + told.err


@pytest.mark.long
def test_an_input_that_an_op_refuses_is_no_fault_of_the_plugin_and_its_prints_are_no_data(tmp_path: Path) -> None:
    picky = op("picky").replace("return x * self.by", "raise Reason('`by` is odd')")
    picky = picky.replace("from torch", "from resbench.errors import Reason\nfrom torch", 1)
    put(tmp_path / "mine", {"picky.py": picky, "loud.py": op("loud") + "\nprint('hello')\n"})
    put(tmp_path, {"mine.yaml": unit("mine", "picky")})
    loud, said = resbench(
        tmp_path, ["net", "show", "resnet_cifar", "depth=8", "--json", "--plugins", "mine"],
        ["unit", "check", "mine.yaml", "--plugins", "mine"],
    )  # fmt: skip
    assert loud.json["network"] == "resnet_cifar"
    assert loud.err == "hello\n"
    assert said.status == 2
    assert "mine.yaml:2:56: nodes.f.ops[1]: picky: `by` is odd (its input is 16x32x32)" in said.err


COMPOSED = """\
from torch import Tensor, nn
from resbench.ops.convolution.conv import Conv
from resbench.ops.registry import op

NAME = "composed"
WIDTH = 3

@op(NAME)
class Composed(nn.Module):
    def __init__(self, channels: int, *, kernel: int = WIDTH) -> None:
        super().__init__()
        self.one, self.two = (Conv(channels, kernel=kernel, out=channels) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.one(x))
"""


@pytest.mark.long
def test_an_op_may_be_made_of_ops_and_named_by_a_constant(tmp_path: Path) -> None:
    put(tmp_path / "mine", {"composed.py": COMPOSED, "worked_out.py": op("odd").replace('"odd"', "'o' + 'dd'")})
    put(tmp_path, {"mine.yaml": unit("mine", "composed")})
    checked, said = resbench(
        tmp_path, ["plugins", "check", "mine"], ["unit", "check", "mine.yaml", "--plugins", "mine"]
    )  # fmt: skip
    assert "op composed: composed(kernel=3) of 8x6x5 -> 8x6x5: 8 checks" in checked.out
    assert "the op's name is `'o' + 'dd'`; it is read without being run" in checked.out + checked.err
    assert said.status == 0
    assert said.out.endswith("mine: ok in resnet_cifar\n")
