"""Blocks inlined and lists put in place: whose params, whose channels."""

from __future__ import annotations

from pathlib import Path

import pytest
from compiler_sample import folder, ops, scales, unit_graph

from resbench.compiler.binding.bind import bind_body
from resbench.compiler.binding.scope import Scope
from resbench.errors import SpecError


def test_names_in_a_block_are_the_units_but_in(tmp_path: Path) -> None:
    """In a block `$in` is what enters it; `$out`, `$stride` and the place are the unit's."""
    library = folder(
        tmp_path,
        probe="""
block: probe
nodes:
  y: {from: x, ops: [scale: {by: $in}, conv1x1: {stride: $stride}, scale: {by: $out}, scale: {by: $unit}]}
""",
        outer="""
block: outer
params: {out: $(out / 2), stride: 1}
nodes:
  y: {from: x, ops: [conv1x1: {out: $out, stride: $stride}, probe, scale: {by: $in}]}
""",
        mine="""
unit: mine
nodes:
  f: {from: x, ops: [conv1x1: {out: 9}, probe, subsample: {stride: 2}]}
  g: {from: x, ops: [conv1x1: {out: 10}, outer: {stride: $stride}, conv1x1]}
  y: {from: [f, g], ops: [add]}
""",
    )
    body = library.unit("mine").body
    known = {"in": 4, "out": 6, "stride": 2, "unit": 5}
    graph = bind_body(body, (4, 8, 8), Scope(body.params, {}, known), library)
    # f's probe: 9 enter, the unit's 6; g: 10 enter `outer`, whose own out is 3, and 3 enter the probe within
    assert scales(graph) == [9, 6, 5, 3, 3, 5, 10]
    assert [op.shape for op in graph.ops if op.path.endswith("probe1.y.conv1")] == [(6, 4, 4), (3, 2, 2)]
    assert "g.outer1.y.probe1.y.conv1" in ops(graph)


def test_inserted_ops_keep_their_files_params_and_take_the_channels_of_where_they_land(tmp_path: Path) -> None:
    library = folder(
        tmp_path,
        lander="""
block: lander
params: {ops: [], factor: 7, out: 5}
nodes:
  y: {from: x, ops: [conv1x1: {out: 11}, $ops, scale: {by: $factor}, conv1x1: {out: $out}]}
""",
        mine="""
unit: mine
params: {factor: 3, norm: [bn, scale: {by: $factor}, scale: {by: $channels}, scale: {by: $out}], none: []}
nodes:
  f: {from: x, ops: [lander: {ops: $norm}, conv1x1, $norm]}
  y: {from: f, ops: [$none]}
""",
    )
    body = library.unit("mine").body
    graph = bind_body(body, (4, 8, 8), Scope(body.params, {}, {"in": 4, "out": 6}), library)
    assert scales(graph) == [3, 11, 5, 7, 3, 6, 6]
    assert ops(graph)[:5] == [
        "f.lander1.y.conv1", "f.lander1.y.bn1", "f.lander1.y.scale1", "f.lander1.y.scale2", "f.lander1.y.scale3",
    ]  # fmt: skip
    assert ops(graph)[-1] == "f.scale3"


@pytest.mark.parametrize(
    ("act", "wanted"),
    [
        ("relu", ["y.relu1"]),
        (["relu", "bn"], ["y.relu1", "y.bn1"]),
        ([], []),
        ({"scale": {"by": 2}}, ["y.scale1"]),
        (["$inner"], ["y.tanh1", "y.silu1"]),
        (["$inner", "$inner"], ["y.tanh1", "y.silu1", "y.tanh2", "y.silu2"]),
        (["$inner", "bn"], ["y.tanh1", "y.silu1", "y.bn1"]),
        (["$nothing"], []),
    ],
)
def test_what_an_insert_may_stand_for(act: object, wanted: list[str]) -> None:
    params = {"inner": ["tanh", "silu"], "nothing": [], "act": act}
    graph = unit_graph({"y": {"from": "x", "ops": ["$act", {"scale": {"by": "$(1 + 0)"}}]}}, params=_read(params))
    assert ops(graph)[:-1] == wanted


def _read(params: dict[str, object]) -> dict[str, object]:
    """Only the params that something reads: an idle one is an error."""
    text = str(params["act"])
    return {name: value for name, value in params.items() if name == "act" or f"${name}" in text}


def test_a_block_of_two_inputs(tmp_path: Path) -> None:
    library = folder(
        tmp_path,
        mix="block: mix\ninputs: [a, b]\nnodes: {d: {from: [a, b], ops: [subtract]}, y: {from: [d, b], ops: [add]}}",
        mine="unit: mine\nnodes: {f: {from: x, ops: [tanh]}, y: {from: [x, f], ops: [mix, relu]}}",
        bad="unit: bad\nnodes: {y: {from: x, ops: [mix]}}",
    )
    body = library.unit("mine").body
    graph = bind_body(body, (4, 8, 8), Scope(body.params, {}, {}), library)
    assert [(op.path, op.inputs) for op in graph.ops] == [
        ("f.tanh1", (0,)), ("y.mix1.d.subtract1", (0, 1)), ("y.mix1.y.add1", (2, 1)), ("y.relu1", (3,)),
    ]  # fmt: skip
    body = library.unit("bad").body
    with pytest.raises(SpecError, match=r"nodes\.y\.ops\[0\]: mix reads 2 sources, got 1"):
        bind_body(body, (4, 8, 8), Scope(body.params, {}, {}), library)
