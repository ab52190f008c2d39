"""What is allowed in a study and seldom meant is told before anything is trained, and what is usual is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from resbench.cli.study.check import check_study

BASE = """study: small
network: {use: resnet_cifar, depth: 14, width: 2}
units: [UNITS]
data: digits
recipe: {use: he2016_small, epochs: 4}
seeds: 3
"""
FORGOTTEN = """unit: forgotten
nodes:
  f: {from: x, ops: [bn, relu, conv3x3: {stride: $stride}, bn, relu, conv3x3]}
  h: {from: x, ops: [shortcut]}
  y: {from: [h, f], ops: [add]}
boundary: {layers: 2}
"""
WIDE = """unit: wide
nodes:
  f: {from: x, ops: [conv3x3: {stride: $stride, out: $(2 * out)}, bn, relu, conv3x3, bn]}
  h: {from: x, ops: [shortcut]}
  y: {from: [h, f], ops: [add, relu]}
boundary: {layers: 2, after_stem: [bn, relu]}
"""


def hints(folder: Path, *changes: str, units: str = "plain, original", **files: str) -> list[str]:
    (folder / "small.yaml").write_text(BASE.replace("UNITS", units), "utf-8")
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return list(check_study(str(folder / "small.yaml"), changes).hints)


def test_a_usual_study_has_no_hint(tmp_path: Path) -> None:
    assert hints(tmp_path, units="plain, original, full_preactivation") == []


def test_a_pre_activation_unit_that_leaves_its_last_sum_raw_is_told(tmp_path: Path) -> None:
    [told] = hints(tmp_path, units="original, forgotten.yaml", forgotten=FORGOTTEN)
    assert told.startswith("forgotten: it begins with a norm or an activation and ends in a sum")
    assert "after_last: [bn, relu]" in told
    mended = FORGOTTEN.replace("{layers: 2}", "{layers: 2, after_last: [bn, relu]}")
    assert hints(tmp_path, units="original, forgotten.yaml", forgotten=mended) == []


def test_a_boundary_that_miscounts_the_weight_layers_is_told(tmp_path: Path) -> None:
    three = FORGOTTEN.replace("relu, conv3x3]", "relu, conv3x3, bn, relu, conv3x3]").replace(
        "{layers: 2}", "{layers: 2, after_last: [bn]}"
    )
    [told] = hints(tmp_path, units="forgotten.yaml, full_preactivation", forgotten=three)[:1]
    assert "has 3 weight layers and its boundary says 2" in told


def test_squeeze_and_excitation_is_no_layer_of_the_depth(tmp_path: Path) -> None:
    assert not [line for line in hints(tmp_path, units="original, squeeze_excitation") if "weight layers" in line]


def test_units_of_unequal_size_are_told(tmp_path: Path) -> None:
    told = hints(tmp_path, units="original, wide.yaml", wide=WIDE)
    assert [line.partition(":")[0] for line in told] == ["units are of unequal size"] * 2
    assert "more params than original" in told[0]
    assert "more MACs than original" in told[1]


def test_a_size_that_the_study_searches_is_meant(tmp_path: Path) -> None:
    assert hints(tmp_path, "network.width={choices: [2, 8]}") == []


STEPS = "recipe.schedule={step: {at: {epochs: [2, 6, 9]}, by: 0.1}}"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ((STEPS,), "2 of the schedule's 3 steps lie beyond the run of 4 epochs: the learning rate falls once"),
        ((STEPS, "recipe.epochs=1"), "3 of the schedule's 3 steps lie beyond the run of 1 epochs: the learning rate never falls"),
        (
            ("recipe.schedule={step: {at: {epochs: [5]}, by: 0.1}}",),
            "the schedule's step lies beyond the run of 4 epochs: the learning rate never falls",
        ),
        (("search={use: halving, from: 5}", "budget.trials=2"), "`search.from` (5) is not below the run's 4 epochs"),
        (("search={use: random, finalists: 9}", "budget.trials=2"), "`search.finalists` (9) is more than the 2 points"),
        (
            ("search={use: random, finalists: 2, prune: {use: median, from: 4}}", "budget.trials=20"),
            "`search.prune.from` (4) is not below the run's 4 epochs",
        ),
        (
            ("search={use: random, finalists: 2, prune: {use: patience, epochs: 4}}", "budget.trials=20"),
            "`search.prune.epochs` (4) is not below the run's 4",
        ),
        (
            ("search={use: random, finalists: 2, batch: 4, prune: {use: median, after: 9}}", "budget.trials=12"),
            "`search.prune.after` (9) is more than the 8 points before the last batch",
        ),
    ],
)  # fmt: skip
def test_keys_without_effect_are_told(tmp_path: Path, changes: tuple[str, ...], told: str) -> None:
    assert any(line.startswith(told) for line in hints(tmp_path, *changes))


@pytest.mark.parametrize(
    "changes",
    [
        ("recipe.schedule={step: {at: {epochs: [2, 3]}, by: 0.1}}",),
        ("search={use: halving, from: 2}", "budget.trials=2", "search.finalists=2"),
        ("search={use: random, finalists: 2, batch: 4, prune: {use: median, after: 8}}", "budget.trials=12"),
    ],
)
def test_keys_that_have_an_effect_are_not(tmp_path: Path, changes: tuple[str, ...]) -> None:
    assert hints(tmp_path, *changes) == []
