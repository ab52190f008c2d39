"""`unit check` of files that are right and files that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Rb

GOOD = """\
unit: mine
params: {rate: 0.1}
nodes:
  f: {from: x, ops: [bn, relu, conv3x3: {stride: $stride}, dropout: {rate: $rate}]}
  h: {from: x, ops: [shortcut]}
  y: {from: [h, f], ops: [add]}
boundary: {layers: 1, after_last: [bn, relu]}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD, "utf-8")
    return path


def test_a_file_that_is_right(rb: Rb, mine: Path) -> None:
    said = rb("unit", "check", "mine.yaml")
    assert (said.status, said.err) == (0, "")
    *places, last = said.out.splitlines()
    assert [line.split()[0] for line in places] == ["first", "inner", "transition"]
    assert last == "mine: ok in resnet_cifar"
    assert rb("unit", "check", str(mine)).out == said.out


def test_a_file_in_another_folder_and_params_of_its_own(rb: Rb, mine: Path) -> None:
    (mine.parent / "deep").mkdir()
    mine.rename(mine.parent / "deep" / "mine.yaml")
    assert rb("unit", "check", "deep/mine.yaml", "rate=0").status == 0
    said = rb("unit", "check", "deep/mine.yaml", "rate=1")
    assert said.status == 2
    assert "`rate` (=1) must be within [0, 1)" in said.err


def test_a_network_of_choice(rb: Rb, mine: Path) -> None:
    said = rb("unit", "check", "mine.yaml", "network=resnet_cifar", "width=8", "--json")
    assert said.json["places"][0]["shape"] == "8x32x32 -> 8x32x32"


def test_a_parameter_without_a_gradient_is_noted(rb: Rb, mine: Path) -> None:
    mine.write_text(GOOD.replace("dropout: {rate: $rate}", "scale: {by: $rate}, sigmoid, zero"), "utf-8")
    notes = rb("unit", "check", "mine.yaml", "--json").json["notes"]
    assert "stages.0.units.0.f.conv1 has parameters and no effect: it is not built" in notes
    mine.write_text(GOOD.replace("dropout: {rate: $rate}", "scale: {by: $rate}, gain: {init: 0.0}, gain"), "utf-8")
    assert rb("unit", "check", "mine.yaml", "--json").json["notes"] == []


def test_every_problem_of_a_file_that_is_wrong_with_its_place(rb: Rb, mine: Path) -> None:
    mine.write_text(GOOD.replace("relu,", "rleu,").replace("from: [h, f]", "from: [h, g]"), "utf-8")
    said = rb("unit", "check", "mine.yaml")
    assert (said.status, said.out) == (2, "")
    assert "mine.yaml:4:" in said.err
    assert "did you mean `relu`" in said.err
    assert "mine.yaml:6:" in said.err
    assert "is read by nothing" not in said.err  # what `g` should have been would have read it
    assert said.err.count("^\n") == 2


def test_shapes_that_differ_are_told_with_both(rb: Rb, mine: Path) -> None:
    mine.write_text(GOOD.replace("h: {from: x, ops: [shortcut]}", "h: {from: x, ops: []}"), "utf-8")
    said = rb("unit", "check", "mine.yaml")
    assert said.status == 2
    assert "16x32x32" in said.err
    assert "32x16x16" in said.err


def test_files_that_are_no_unit(rb: Rb, small: Path, tmp_path: Path) -> None:
    said = rb("unit", "check", "small.yaml")
    assert said.status == 2
    assert "a file whose first key is `unit:` is needed, this one has a study" in said.err
    (tmp_path / "empty.yaml").write_text("", "utf-8")
    assert rb("unit", "check", "empty.yaml").status == 2
    assert rb("unit", "check", "gone.yaml").status == 2
