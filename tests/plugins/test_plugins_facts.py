"""A plugin's op says what ours say: pictures, theory, depth and the normal form go by it; its other names clash with no one's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from plugins_sample import Use, op, put

from resbench.api.architecture.draw import draw
from resbench.api.architecture.words import bind_unit
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.identity.depth import depth
from resbench.compiler.identity.normal_form import normal
from resbench.compiler.modules.unit import build_unit
from resbench.errors import PlacedPluginError, SpecError
from resbench.language.library.library import Library
from resbench.ops import registry
from resbench.ops.registry import kinds
from resbench.ops.schema import table
from resbench.plugins.plugin import Failure
from resbench.theory.identities import check_identities
from resbench.theory.identity_report import consequence, identity_report

torch.set_num_threads(1)  # small tensors: one thread is faster than several that wait for each other
SAYS = 'pure=True, role="gate", effect="scaled", factor=lambda a: 1 / a["by"], aliases=("by_half",)'
HALVE = op("halve", "x / self.by").replace("pure=True", SAYS)
PLUS = '''\
"""Sum.  n x BCHW -> BCHW"""

from torch import Tensor, nn

from resbench.ops.registry import op


@op("our_sum", pure=True, commutative=True, by_channel=True, joins="sum", aliases=("together",))
class OurSum(nn.Module):
    def forward(self, *xs: Tensor) -> Tensor:
        return sum(xs[1:], xs[0])
'''
LAYER = '''\
"""A layer.  BCHW -> B out H W"""

from torch import Tensor, nn

from resbench.ops.registry import op


@op("mixing", SAYS)
class Mixing(nn.Module):
    def __init__(self, channels: int, *, out: int, kernel: int | tuple[int, int] = 1, groups: int = 1) -> None:
        super().__init__()
        size = kernel[0] if isinstance(kernel, tuple) else kernel
        self.conv = nn.Conv2d(channels, out, size, padding=size // 2, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)
'''
UNIT = """\
unit: {}
nodes:
  f: {{from: x, ops: [conv3x3: {{stride: $stride}}, bn, relu, {}, bn]}}
  h: {{from: x, ops: [shortcut: {{norm: []}}, {}]}}
  y: {{from: [h, f], ops: [{}]}}
boundary: {{layers: 2, after_last: [bn, relu]}}
"""


@pytest.fixture(autouse=True)
def _kinds_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_KINDS", dict(kinds()))


def bound(folder: Path, conv: str, halve: str, plus: str) -> BoundNetwork:
    """A unit of these ops, in a small network of CIFAR's."""
    name = "_".join(c for c in f"of_{conv}_{halve}_{plus}".split("{")[0].split(":")[0].split())
    put(folder, {f"{name}.yaml": UNIT.format(name, conv, halve, plus)})
    return bind_unit(str(folder / f"{name}.yaml"), ("width=4",))[1]


def test_theory_goes_by_what_it_says(tmp_path: Path, use: Use) -> None:
    use(put(tmp_path / "theirs", {"halve.py": HALVE, "our_sum.py": PLUS}))
    network = bound(tmp_path, "conv3x3", "halve", "our_sum")
    ours = bound(tmp_path, "conv3x3", "scale: {by: 0.5}", "add")
    reading, wanted = identity_report(network), identity_report(ours)
    assert reading.equation == wanted.equation == "x_{l+1} = 0.5 x_l + F(x_l)"
    assert (reading.factor, reading.h, reading.short) == (0.5, "scaled by a constant: halve", ("x 0.5", "identity"))
    assert consequence(reading) == consequence(wanted)
    for check in check_identities(network):
        assert check.agrees, check


def test_what_says_nothing_is_claimed_nothing_of(tmp_path: Path, use: Use) -> None:
    use(put(tmp_path / "theirs", {"halve.py": op("halve", "x / self.by")}))
    reading = identity_report(bound(tmp_path, "conv3x3", "halve", "add"))
    assert reading.equation == "x_{l+1} = F(x_l)", "a shortcut that may do anything is none"
    assert reading.h == "none: only F"
    assert reading.predicted == {"4": False, "5": False, "7": False, "8": False}


def test_pictures_go_by_its_role_and_sign(tmp_path: Path, use: Use) -> None:
    layer = LAYER.replace("SAYS", 'role="weights", effect="projected", kernel_in_name=True')
    use(put(tmp_path / "theirs", {"halve.py": HALVE, "our_sum.py": PLUS, "mixing.py": layer}))
    put(tmp_path, {"mine.yaml": UNIT.format("mine", "dwmixing3x3", "by_half", "together")})
    (view,) = draw(str(tmp_path / "mine.yaml"), "width=4").views
    shown = {op.path: (op.label, op.kind, op.sign) for op in view.graph.ops}
    assert shown["h.halve1"] == ("halve", "gate", "")
    assert shown["y.our_sum1"] == ("our_sum", "merge", "+")
    assert shown["f.dwmixing1"] == ("dwmixing3x3 4", "weights", "")


def test_a_layer_with_weights_counts_where_it_says_so(tmp_path: Path, use: Use) -> None:
    found = []
    for name, says in (("silent", "version=1"), ("spoken", 'role="weights", effect="projected"')):
        use(put(tmp_path / name, {"mixing.py": LAYER.replace("SAYS", says)}))
        registry._KINDS.pop("mixing", None)
        network = bound(tmp_path, "mixing", "relu", "add")
        found.append((depth(network), any("longest branch" in caution for caution in network.cautions)))
    assert found == [(8, False), (14, False)], "one in each of six units, two of them as the boundary says"


def test_sums_are_joined_as_ours_are(tmp_path: Path, use: Use) -> None:
    use(put(tmp_path / "theirs", {"our_sum.py": PLUS}))
    nodes = "nodes: {{f: {{from: x, ops: [conv3x3: {{stride: $stride}}]}}, h: {{from: x, ops: [shortcut]}}, {}}}\n"
    one = put(tmp_path, {"one.yaml": "unit: one\n" + nodes.format("y: {from: [h, f], ops: [our_sum]}")})
    two = "z: {from: f, ops: [zero, together]}, s: {from: [h, z], ops: [our_sum]}, y: {from: [s, f], ops: [our_sum]}"
    put(tmp_path, {"two.yaml": "unit: two\n" + nodes.format(two)})
    digests = {canonical(bind_unit(str(one / f"{name}.yaml"), ("width=4",))[1]).digest for name in ("one", "two")}
    assert len(digests) == 1, "a zero in a sum, a sum of one, a sum in a sum"


def test_a_zero_that_stretches_a_sum_stays_in_it(tmp_path: Path, use: Use) -> None:
    use(put(tmp_path / "theirs", {"our_sum.py": PLUS}))
    text = (
        "unit: mine\nnodes:\n  g: {from: x, ops: [global_avg_pool]}\n  z: {from: x, ops: [conv3x3: {stride: $stride}, zero]}\n"
        "  s: {from: [g, z], ops: [our_sum]}\n  y: {from: s, ops: [conv3x3]}\n"
    )
    put(tmp_path, {"mine.yaml": text.replace("from: x, ops: [global", "from: x, ops: [conv1x1, global")})
    network = bind_unit(str(tmp_path / "mine.yaml"), ("width=4",))[1]
    graph = dict(normal(network).parts())["stages.0.units.1"]
    assert "zero" in [what.op for what in graph.ops]
    module = build_unit(graph, "Unit").eval()
    assert module(torch.ones(2, *graph.input_shape)).shape[1:] == graph.output_shape


def test_an_alias_means_the_op_of_a_plugin_too(tmp_path: Path, use: Use) -> None:
    use(put(tmp_path / "theirs", {"halve.py": HALVE, "our_sum.py": PLUS}))
    named, called = bound(tmp_path, "conv3x3", "halve", "our_sum"), bound(tmp_path, "conv3x3", "by_half", "together")
    assert canonical(named).digest == canonical(called).digest
    assert list(named.ops()) == list(called.ops())


CLASHES = [
    ('("relu",)', "op `halve`: `aliases`: expected names that are free, got `relu`: it is the name of a built-in op"),
    (
        '("drop_path",)',
        "op `halve`: `aliases`: expected names that are free, got `drop_path`: it is an alias of `drop_branch`",
    ),
    (
        '("conv5x5",)',
        "op `halve`: `aliases`: expected names that are free, got `conv5x5`: it is `conv` with its kernel in its name",
    ),
    (
        '("halve",)',
        "op `halve`: `aliases`: expected names that are free, got `halve`: it is the name of an op of plugin theirs",
    ),
    (
        '("by_half", "by_half")',
        "op `halve`: `aliases`: expected names that are free, got `by_half`: it is given twice",
    ),
    ('("repeat",)', "op `halve`: `aliases`: expected names that are free, got `repeat`: it is a word of the language"),
]


@pytest.mark.parametrize(("aliases", "cause"), CLASHES)
def test_an_alias_that_is_taken_is_refused(
    aliases: str, cause: str, tmp_path: Path, use: Use, told: list[Failure]
) -> None:
    use(put(tmp_path / "theirs", {"halve.py": HALVE.replace('("by_half",)', aliases), "our_sum.py": PLUS}))
    assert "our_sum" in table()
    assert "halve" not in table()
    assert told[0].cause.startswith(cause)
    assert len(told) == 1


def test_an_op_of_a_plugin_comes_before_an_alias(tmp_path: Path, use: Use, told: list[Failure]) -> None:
    use(put(tmp_path / "theirs", {"drop_path.py": op("drop_path", "x")}))
    assert "drop_path" not in table()["drop_branch"].aliases
    assert "droppath" in table()["drop_branch"].aliases
    (call,) = _ops(tmp_path, "drop_path")
    assert (call, told) == ("drop_path", [])
    use(put(tmp_path / "broken", {"drop_path.py": op("drop_path", "x *")}))
    with pytest.raises(PlacedPluginError, match="`drop_path` cannot be used: plugin broken"):
        _ops(tmp_path, "drop_path")


def test_two_plugins_and_one_alias(tmp_path: Path, use: Use, told: list[Failure]) -> None:
    other = HALVE.replace('"halve"', '"cut"')
    use(put(tmp_path / "one", {"halve.py": HALVE}), put(tmp_path / "two", {"cut.py": other}))
    assert {"halve", "cut"} <= set(table())
    reason = "is an alias of `halve` and `cut`, of different plugins; leave one out"
    assert [str(failure) for failure in told] == [
        f"plugin {name} (a folder): ops: `by_half`: {reason}" for name in ("one", "two")
    ]
    with pytest.raises(PlacedPluginError, match=f"ops: `by_half` {reason}"):
        _ops(tmp_path, "by_half")


def test_the_op_of_another_plugin_comes_before_an_alias(tmp_path: Path, use: Use, told: list[Failure]) -> None:
    use(put(tmp_path / "one", {"halve.py": HALVE}), put(tmp_path / "two", {"by_half.py": op("by_half", "x")}))
    assert _ops(tmp_path, "by_half, halve") == ["by_half", "halve"]
    assert [str(failure) for failure in told] == [
        "plugin one (a folder): ops: `by_half`: is an alias of `halve` and the name of an op of another plugin, which keeps it"
    ]


def _ops(folder: Path, text: str) -> list[str]:
    """What ops of a list are read as."""
    put(folder, {"mine.yaml": f"unit: mine\nnodes: {{y: {{from: x, ops: [{text}]}}}}\n"})
    return [call.op for call in Library(table(), folder).unit("mine").body.nodes["y"].ops]  # type: ignore[union-attr]


def test_a_name_that_is_nothing_is_still_refused(tmp_path: Path, use: Use) -> None:
    use(put(tmp_path / "theirs", {"halve.py": HALVE}))
    with pytest.raises(SpecError, match="unknown op `by_hlaf`; did you mean `by_half`"):
        _ops(tmp_path, "by_hlaf")
