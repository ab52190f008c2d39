"""What a sampler models of a space, and what it draws at random, is told before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from resbench.api.study.load import load_study

STUDY = """study: searched
network: {use: resnet_cifar, depth: {choices: [8, 14]}, width: 2}
units: UNITS
data: digits
recipe: {use: he2016_small, epochs: 4, lr: {choices: [0.1, 0.2]}}
search: {use: SAMPLER, start: 2, finalists: 2}
budget: {trials: 8}
seeds: 3
"""
TWO = "[original, {use: constant_scaling, shortcut_scale: {range: [0.1, 0.9], step: 0.4}}]"
ONE = "[{use: constant_scaling, shortcut_scale: {range: [0.1, 0.9], step: 0.4}}]"


@pytest.mark.parametrize(
    ("sampler", "units", "told"),
    [
        ("cma_es", ONE, "cma_es models unit.shortcut_scale, and draws network.depth, recipe.lr at random: its model covers the "
         "ranges that every point has, and no choices"),
        ("cma_es", TWO, "cma_es models nothing, and draws unit, network.depth, recipe.lr, unit.shortcut_scale at random: its "
         "model covers the ranges that every point has, and no choices; `tpe` models all of them"),
        ("gp", TWO, "gp models unit, network.depth, recipe.lr, and draws unit.shortcut_scale at random: its model covers the "
         "params that every point has, and none that only one unit has"),
        ("gp", ONE, None),
        ("tpe", TWO, None),
    ],
)  # fmt: skip
def test_what_the_sampler_models(sampler: str, units: str, told: str | None, tmp_path: Path) -> None:
    file = tmp_path / "searched.yaml"
    text = STUDY.replace("UNITS", units).replace("SAMPLER", sampler)
    file.write_text(text, "utf-8")
    found = [hint for hint in load_study(file).check().hints if " at random" in hint]
    assert [sorted_names(hint) for hint in found] == ([] if told is None else [sorted_names(told)])


def sorted_names(text: str) -> list[str]:
    """The order of questions is that of binding."""
    return sorted(text.replace(",", " ").split())
