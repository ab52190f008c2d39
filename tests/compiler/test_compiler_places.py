"""What a unit is told at each place of a network, against tables written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from compiler_sample import bind, folder

from resbench.compiler.graph import BoundNetwork, Graph

COUNTS = ("unit", "units", "pos", "len", "stage", "stages", "since", "in", "out", "stride")
FLAGS = ("first", "last", "stage_first", "stage_last", "transition")
PROBE = f"""
unit: probe
nodes:
  p:
    from: x
    ops:
{chr(10).join(f"      - scale: {{by: ${name}}}" for name in COUNTS)}
{chr(10).join(f"      - scale: {{by: $(1 if {name} else 0)}}" for name in FLAGS)}
  y: {{from: p, ops: [conv3x3: {{stride: $stride}}]}}
"""
NETWORK = """
network: three
input: [3, 16, 16]
classes: 2
unit: probe
stem: [conv1x1: {out: 4}]
stages:
STAGES
head: [global_avg_pool, linear: {out: $classes}]
"""


def units(bound: BoundNetwork) -> list[Graph]:
    return [unit for stage in bound.stages for unit in stage.units]


def told(unit: Graph) -> tuple[int, ...]:
    return tuple(int(dict(op.arguments)["by"]) for op in unit.ops if op.op == "scale")


def three(path: Path, stages: str) -> BoundNetwork:
    return bind("three", library=folder(path, probe=PROBE, three=NETWORK.replace("STAGES", stages)))


def test_every_place_of_three_stages(tmp_path: Path) -> None:
    bound = three(
        tmp_path, "  - {units: 3, out: 4}\n  - {units: 2, out: 4, stride: 2}\n  - {units: 2, out: 8}\n"
    )  # fmt: skip
    assert [told(unit) for unit in units(bound)] == [
        # unit, units, pos, len, stage, stages, since, in, out, stride; first last stage_first stage_last transition
        (0, 7, 0, 3, 0, 3, 0, 4, 4, 1, 1, 0, 1, 0, 0),
        (1, 7, 1, 3, 0, 3, 1, 4, 4, 1, 0, 0, 0, 0, 0),
        (2, 7, 2, 3, 0, 3, 2, 4, 4, 1, 0, 0, 0, 1, 0),
        (3, 7, 0, 2, 1, 3, 3, 4, 4, 2, 0, 0, 1, 0, 1),  # the stride alone
        (4, 7, 1, 2, 1, 3, 1, 4, 4, 1, 0, 0, 0, 1, 0),
        (5, 7, 0, 2, 2, 3, 2, 4, 8, 1, 0, 0, 1, 0, 1),  # the width alone
        (6, 7, 1, 2, 2, 3, 1, 8, 8, 1, 0, 1, 0, 1, 0),
    ]


def test_a_first_unit_that_changes_the_shape_and_stages_of_one(tmp_path: Path) -> None:
    bound = three(tmp_path, "  - {units: 1, out: 8}\n  - {units: 0, out: 99}\n  - {units: 2, out: 8}\n")
    assert [told(unit) for unit in units(bound)] == [
        (0, 3, 0, 1, 0, 3, 0, 4, 8, 1, 1, 0, 1, 1, 1),
        (1, 3, 0, 2, 2, 3, 1, 8, 8, 1, 0, 0, 1, 0, 0),
        (2, 3, 1, 2, 2, 3, 2, 8, 8, 1, 0, 1, 0, 1, 0),
    ]
    assert len(bound.stages[1].units) == 0


def test_a_pyramid(tmp_path: Path) -> None:
    """`out` is worked out for every unit; each is then a transition."""
    bound = three(tmp_path, "  - {units: 3, out: $(6 + 2 * unit)}\n  - {units: 2, out: $(6 + 2 * unit), stride: 2}\n")
    columns = [(t[7], t[8], t[9], t[6], t[14]) for t in map(told, units(bound))]
    assert columns == [(4, 6, 1, 0, 1), (6, 8, 1, 1, 1), (8, 10, 1, 1, 1), (10, 12, 2, 1, 1), (12, 14, 1, 1, 1)]
    assert [unit.output_shape for unit in units(bound)] == [
        (6, 16, 16), (8, 16, 16), (10, 16, 16), (12, 8, 8), (14, 8, 8),
    ]  # fmt: skip


@pytest.mark.parametrize(("pos", "out"), [("pos", [4, 5, 4]), ("stage", [4, 4, 5]), ("unit % 2", [4, 5, 4])])
def test_a_stages_out_may_read_where_it_is(tmp_path: Path, pos: str, out: list[int]) -> None:
    stage = f"$(4 + {pos})"
    bound = three(tmp_path, f"  - {{units: 2, out: {stage}}}\n  - {{units: 1, out: {stage}}}\n")
    assert [unit.output_shape[0] for unit in units(bound)] == out


def test_where_units_decide_their_width(tmp_path: Path) -> None:
    """DenseNet: `out` left out, ops before a stage; the shape changes in every unit."""
    library = folder(
        tmp_path,
        dense="""
unit: dense
params: {growth: 3}
nodes:
  f: {from: x, ops: [bn, relu, conv3x3: {out: $growth}, scale: {by: $since}]}
  y: {from: [x, f], ops: [concat]}
boundary: {after_last: [bn, relu]}
""",
        dense_net="""
network: dense_net
input: [3, 8, 8]
classes: 2
unit: dense
stem: [conv3x3: {out: 4}]
stages:
  - {units: 2}
  - {units: 2, before: [bn, conv1x1: {out: $(channels / 2)}, avg_pool: {kernel: 2, stride: 2}]}
head: [$after_last, global_avg_pool, linear: {out: $classes}]
""",
    )
    bound = bind("dense_net", library=library)
    assert [unit.output_shape for unit in units(bound)] == [(7, 8, 8), (10, 8, 8), (8, 4, 4), (11, 4, 4)]
    assert bound.stages[1].before.output_shape == (5, 4, 4)
    assert [told(unit) for unit in units(bound)] == [(0,), (1,), (1,), (1,)]
    assert [op.path for op in bound.head.ops] == ["bn1", "relu1", "global_avg_pool1", "linear1"]
