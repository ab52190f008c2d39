"""The walk over a study's questions: which points there are, what they are called, which are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from study_sample import HEAD, names, points, refused

from resbench.errors import SpecError
from resbench.language.graph.params import Choices, Range
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node
from resbench.ops.schema import table
from resbench.search.domains import MAX_POINTS, choices


def test_a_unit_is_one_point_named_after_it(tmp_path: Path) -> None:
    (plain, original) = points("units: [plain, original]", tmp_path)
    assert (plain.name, plain.unit, dict(plain.labels)) == ("plain", "plain", {})
    assert plain.digest != original.digest
    assert (plain.params, plain.macs, plain.epochs) == (1320, 12752, 12)


def test_values_said_stand_in_the_name(tmp_path: Path) -> None:
    text = "units: [{use: constant_scaling, shortcut_scale: 0.5, branch_scale: 1}]"
    assert names(text, tmp_path) == ["constant_scaling shortcut_scale=0.5 branch_scale=1"]


def test_a_grid_over_choices_and_a_range_goes_depth_first(tmp_path: Path) -> None:
    text = (
        "units: [{use: constant_scaling, shortcut_scale: {choices: [0.5, 1]}, "
        "branch_scale: {range: [0.0, 1.0], step: 0.5}}]"
    )
    found = points(text, tmp_path)
    assert [tuple(p.labels.values()) for p in found] == [(a, b) for a in ("0.5", "1") for b in ("0", "0.5", "1")]
    assert list(found[0].labels) == ["unit.shortcut_scale", "unit.branch_scale"]
    assert found[1].name == "constant_scaling shortcut_scale=0.5 branch_scale=0.5"
    assert len({p.digest for p in found}) == 6


def test_vary_searches_the_domains_of_the_file(tmp_path: Path) -> None:
    one = names("units: [{use: exclusive_gating, vary: [gate_bias]}]", tmp_path)
    assert one == [f"exclusive_gating gate_bias={bias}" for bias in range(-10, 11)]
    assert names("units: [{use: exclusive_gating, vary: all}]", tmp_path) == one
    assert names("units: [exclusive_gating]", tmp_path) == ["exclusive_gating"]


GATED = """\
unit: gated
params:
  gate: {default: none, cases: {none: [h, f], exclusive: [gh, gf]}}
  gate_bias: {default: -6, range: [-10, 10], step: 1}
nodes:
  f: {from: x, ops: [conv3x3: {stride: $stride}, bn, relu, conv3x3, bn]}
  g: {from: x, ops: [conv1x1: {stride: $stride, bias: true, bias_init: $gate_bias}, sigmoid]}
  c: {from: g, ops: [one_minus]}
  h: {from: x, ops: [shortcut]}
  gh: {from: [c, h], ops: [multiply]}
  gf: {from: [g, f], ops: [multiply]}
  y: {from: $gate, ops: [add, relu]}
boundary: {layers: 2, after_stem: [bn, relu]}
"""


def test_a_param_that_other_choices_make_idle_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "gated.yaml").write_text(GATED, "utf-8")
    assert names("units: [{use: gated, vary: [gate], gate_bias: {choices: [0, -3, -6]}}]", tmp_path) == [
        "gated gate=none",
        "gated gate=exclusive gate_bias=0",
        "gated gate=exclusive gate_bias=-3",
        "gated gate=exclusive gate_bias=-6",
    ]


def test_network_and_recipe_are_searched_too(tmp_path: Path) -> None:
    text = (
        "study: small\nnetwork: {use: resnet_cifar, depth: {choices: [8, 14]}, width: 2}\nunits: [plain]\n"
        "data: digits\nrecipe: {use: he2016_small, lr: {choices: [0.1, 0.01]}, epochs: {choices: [1]}}"
    )
    found = points(text, tmp_path)
    assert [dict(p.labels) for p in found] == [
        {"network.depth": depth, "recipe.epochs": "1", "recipe.lr": lr}
        for depth in ("8", "14")
        for lr in ("0.1", "0.01")
    ]
    assert found[0].name == "plain network.depth=8 recipe.epochs=1 recipe.lr=0.1"
    assert [p.recipe.optimizer.lr for p in found] == [0.1, 0.01, 0.1, 0.01]
    assert len({p.digest for p in found}) == 2
    assert len({p.recipe.digest for p in found}) == 2


def test_points_that_mean_the_same_net_have_one_digest(tmp_path: Path) -> None:
    same = "{use: constant_scaling, shortcut_scale: 1, branch_scale: 1}"
    original, scaled = points(f"units: [original, {same}]", tmp_path)
    assert original.digest == scaled.digest
    assert original.name != scaled.name


def test_the_same_entry_twice_is_one_point(tmp_path: Path) -> None:
    assert names("units: [plain, plain, units/identity_mappings/plain]", tmp_path) == ["plain"]


def test_two_different_units_of_one_name_are_refused(tmp_path: Path) -> None:
    library = Library(table())
    own = tmp_path / "own"
    own.mkdir()
    text = library.find("unit", "original").read_text("utf-8").replace("unit: original", "unit: plain")
    (own / "plain.yaml").write_text(text, "utf-8")
    with pytest.raises(SpecError, match=r"space\.yaml:4:8: units: two different units are called `plain`; rename one"):
        points("units: [plain, own/plain.yaml]", tmp_path)


def test_a_range_without_a_step_has_no_grid(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"the range \[0, 1\.5\] .* cannot all be tried; give it one, name `choices`"):
        points("units: [{use: constant_scaling, vary: [shortcut_scale]}]", tmp_path)
    with pytest.raises(SpecError, match=r"the range \[0\.01, 1\] .* cannot all be tried; name `choices`"):
        points("units: [plain]\nrecipe: {use: he2016_small, lr: {range: [0.01, 1.0], log: true}}", tmp_path)


def test_a_range_with_too_many_steps_is_refused_before_it_is_written_out() -> None:
    with pytest.raises(Exception, match=r"the range \[0, 1e\+12\] has 1,000,000,000,001 steps; at most 100,000"):
        choices(Range(0, 10**12, 1.0, whole=True))
    assert len(choices(Range(0, MAX_POINTS - 1, 1.0, whole=True))) == MAX_POINTS


def test_labels_are_texts_by_which_one_and_true_differ() -> None:
    domain = Choices({"1": Node(1), "true": Node(True)})
    assert list(choices(domain)) == ["1", "true"]
    assert list(choices(Range(0.1, 0.3, 0.1))) == ["0.1", "0.2", "0.3"]
    assert [node.value for node in choices(Range(-1, 1, 1.0, whole=True)).values()] == [-1, 0, 1]


@pytest.mark.parametrize(
    ("limit", "told"),
    [("params: 1319", "1,320 params; the budget is 1,319"), ("macs: 12k", "12,752 macs; the budget is 12,000")],
)
def test_a_network_over_the_budget_is_refused_with_its_number(limit: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=f"unit plain: {told}"):
        points(f"units: [plain]\nbudget: {{{limit}}}", tmp_path)
    assert names("units: [plain]\nbudget: {params: 1320, macs: 12752}", tmp_path) == ["plain"]


def test_the_problems_of_all_units_are_told_at_once(tmp_path: Path) -> None:
    text = HEAD.replace("depth: 8", "depth: 9") + "units: [plain, original_bottleneck]"
    with pytest.raises(SpecError) as caught:
        points(text, tmp_path)
    told = str(caught.value)
    assert len(caught.value.problems) == 2
    assert "unit plain: " in told
    assert "unit original_bottleneck: " in told


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("{use: he2016_small, batch: 2000}", "a batch of 2000 is more than the 1117 training images"),
        ("{use: he2016_small, init: he_norml}", "no initialiser is called `he_norml`"),
    ],
)
def test_what_only_the_data_or_the_registry_can_tell_of_a_recipe(recipe: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=told):
        points(f"units: [plain]\nrecipe: {recipe}", tmp_path)


LOOSE = """unit: loose
params:
  source: {default: a, choices: [a, x]}
  expand: {default: 1, choices: [1, 2]}
nodes:
  a: {from: x, ops: [conv3x3: {stride: $stride, out: $(expand * out)}]}
  h: {from: x, ops: [shortcut]}
  y: {from: [h, $source], ops: [add]}
boundary: {layers: 1}
"""


def test_points_that_cannot_be_built_are_told_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "loose.yaml").write_text(LOOSE, "utf-8")
    text = "units: [{use: loose, vary: all}]\n"
    assert names(text, tmp_path) == ["loose source=a expand=1"]
    wide, idle = refused(text, tmp_path)
    assert wide.name == "loose source=a expand=2"
    assert "add: shapes differ: x is 2x8x8, a is 4x8x8" in str(wide.problems[0])
    assert idle.name == "loose source=x"
    assert "h is 4x4x4, x is 2x8x8" in str(idle.problems[0])


def test_an_entry_of_which_no_point_can_be_built_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "loose.yaml").write_text(LOOSE, "utf-8")
    with pytest.raises(SpecError, match="unit loose: add: shapes differ"):
        names("units: [plain, {use: loose, source: a, expand: {choices: [2]}}]\n", tmp_path)
