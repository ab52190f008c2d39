"""Every value that a study rests on, and where it came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from resbench.language.library.library import Library
from resbench.language.study.command_line import override_study
from resbench.language.study.provenance import resolved
from resbench.language.study.study import parse_study
from resbench.language.yaml.problems import Problems
from resbench.ops.schema import table

STUDY = """study: mine
network: {use: resnet_imagenet, depth: 18}
units:
  - original
  - {use: gated, gate_bias: {choices: [0, -6]}}
  - {use: gated, vary: [gate_bias]}
data: digits
recipe: {use: he2016_small, lr: 0.05}
"""
UNIT = """unit: gated
extends: exclusive_gating
params:
  gate_bias: {default: -2, range: [-10, 0], step: 1}
"""


@pytest.fixture
def values(tmp_path: Path) -> dict[str, tuple[str, str]]:
    (tmp_path / "mine.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "gated.yaml").write_text(UNIT, encoding="utf-8")
    library = Library(table(), tmp_path)
    check = Problems()
    top = override_study(library.read("study", tmp_path / "mine.yaml"), ("recipe.epochs=2", "network.width=8"), library)
    spec = parse_study(top, library, check)
    check.done()
    assert spec is not None
    return {v.path: (v.value, v.origin.rpartition("/")[2]) for v in resolved(spec, library)}


@pytest.mark.parametrize(
    ("path", "value", "origin"),
    [
        ("data", "digits", "mine.yaml:7:7"),
        ("seeds", "5", "default"),
        ("network.use", "resnet_imagenet", "mine.yaml:2:16"),
        ("network.depth", "18", "mine.yaml:2:40"),
        ("network.width", "8", "command line: network.width=8"),
        ("units[0].change", "project", "resnet_imagenet.yaml"),
        ("units[1].use", "gated", "mine.yaml:5:11"),
        ("units[1].gate_bias", "{choices: [0, -6]}", "mine.yaml:5:29"),
        ("units[2].gate_bias", "-2", "gated.yaml:4:24"),
        ("units[2].vary", "[gate_bias]", "mine.yaml:6:24"),
        ("recipe.optimizer.lr", "0.05", "mine.yaml:8:33"),
        ("recipe.optimizer.momentum", "0.9", "he2016.yaml"),
        ("recipe.batch", "64", "he2016_small.yaml"),
        ("recipe.epochs", "2", "command line: recipe.epochs=2"),
        ("recipe.precision", "float32", "default"),
        ("recipe.optimizer.nesterov", "false", "default"),
    ],
)
def test_each_value_says_where_it_is_from(
    values: dict[str, tuple[str, str]], path: str, value: str, origin: str
) -> None:
    assert values[path][0] == value
    assert values[path][1].startswith(origin)


def test_no_value_is_told_twice(values: dict[str, tuple[str, str]]) -> None:
    assert not {"recipe.doc", "network.doc", "study"} & set(values)
