"""Recipes: every value beside one that is refused, overrides, identity."""

from __future__ import annotations

import pytest
from language_sample import lines

from resbench.errors import SpecError
from resbench.language.recipe.recipe import RecipeSpec, override, parse_recipe, recipe_from_json, recipe_to_json
from resbench.language.yaml.node import Node
from resbench.language.yaml.reader import read_text, read_value

GOOD = {
    "recipe": "mine",
    "optimizer": "{use: sgd, lr: 0.1, momentum: 0.9, weight_decay: 1e-4}",
    "batch": "64",
    "epochs": "12",
}
KEYS = (
    "recipe, doc, cite, optimizer, batch, epochs, iterations, warmup, schedule, augment, init, precision, label_smoothing, "
    "clip_norm, average, statistics, devices, checkpoint_every, fail_above, plan"
)


def node(**changes: str | None) -> Node:
    return read_text("".join(f"{k}: {v}\n" for k, v in {**GOOD, **changes}.items() if v is not None), "r")


def said(given: Node) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse_recipe(given)
    return [line.removeprefix("r:") for line in lines(caught.value)]


def made(given: Node, **changes: str) -> RecipeSpec:
    for key, text in changes.items():
        given = override(given, key.replace("__", "."), read_value(text, "word", key))
    return parse_recipe(given)


def test_a_small_float_is_a_float() -> None:
    recipe = parse_recipe(node())
    assert recipe.optimizer.weight_decay == 1e-4
    assert (recipe.batch, recipe.epochs, recipe.augment, recipe.init) == (64, 12, (), "he_normal")


@pytest.mark.parametrize(
    ("key", "good", "bad", "message"),
    [
        ("epochs", "1", "0", "4:9: epochs: a number above 0 is needed, got 0"),
        ("epochs", "3", "-3", "4:9: epochs: a number above 0 is needed, got -3"),
        ("epochs", "2", "1.5", "4:9: epochs: a whole number is needed, got 1.5"),
        ("epochs", "100000", "100001", "4:9: epochs: a number at most 100000 is needed, got 100001"),
        ("epochs", "010", "true", "4:9: epochs: a whole number is needed, got true"),
        ("epochs", "10", '"10"', '4:9: epochs: a whole number is needed, got "10"'),
        ("batch", "2", "1", "3:8: batch: a number at least 2 is needed, got 1"),
        ("batch", "2", "[2]", "3:8: batch: a whole number is needed, got [2]"),
        ("optimizer", "{use: sgd, lr: 1e-3}", "{use: sgd, lr: abc}", "2:27: optimizer.lr: a number is needed, got abc"),
        ("optimizer", "{use: sgd, lr: 1}", '{use: sgd, lr: "1"}', '2:27: optimizer.lr: a number is needed, got "1"'),
        ("optimizer", "{use: sgd, lr: 1e-9}", "{use: sgd, lr: 0}",
         "2:27: optimizer.lr: a number above 0 is needed, got 0"),
        ("optimizer", "{use: sgd, lr: 10}", "{use: sgd, lr: -0.1}",
         "2:27: optimizer.lr: a number above 0 is needed, got -0.1"),
        ("optimizer", "{use: sgd, lr: 1e5}", "{use: sgd, lr: .nan}",
         "2:27: optimizer.lr: a finite number is needed, got .nan"),
        ("optimizer", "{use: sgd, lr: 1e5}", "{use: sgd, lr: .inf}",
         "2:27: optimizer.lr: a finite number is needed, got .inf"),
        ("optimizer", "{use: sgd, lr: 1e5}", "{use: sgd, lr: 1e999}",
         "2:27: optimizer.lr: a finite number is needed, got .inf"),
        ("optimizer", "{use: sgd, lr: 1, momentum: 0}", "{use: sgd, lr: 1, momentum: 1}",
         "2:40: optimizer.momentum: a number below 1 is needed, got 1"),
        ("optimizer", "{use: sgd, lr: 1, weight_decay: 0}", "{use: sgd, lr: 1, weight_decay: -1}",
         "2:44: optimizer.weight_decay: a number at least 0 is needed, got -1"),
        ("optimizer", "{use: sgd, lr: 1, nesterov: false}", "{use: sgd, lr: 1, nesterov: no}",
         "2:40: optimizer.nesterov: true or false is needed, got no"),
        ("optimizer", "{use: sgd, lr: 1, momentum: 0.9, nesterov: true}", "{use: sgd, lr: 1, nesterov: true}",
         "2:12: optimizer: nesterov needs a momentum above 0, got {use: sgd, lr: 1, nesterov: true}"),
        ("optimizer", "{use: sgd, lr: 1, decay: [conv]}", "{use: sgd, lr: 1, decay: [conv, cov]}",
         "2:44: optimizer.decay[1]: one of `conv`, `linear`, `norm`, `bias`, `gain` is needed, got cov"),
        ("optimizer", "{use: sgd, lr: 1}", "{use: adam, lr: 1}", "2:18: optimizer.use: `sgd` is needed, got adam"),
        ("optimizer", "{use: sgd, lr: 1}", "{use: sgd}", "2:12: optimizer: key `lr` is missing"),
        ("optimizer", "{use: sgd, lr: 1}", "sgd", "2:12: optimizer: a mapping is needed, got sgd"),
        ("optimizer", "{use: sgd, lr: 1}", "{use: sgd, lr: 1, momentun: 0}",
         "2:30: optimizer.momentun: unknown key `momentun`; "
         "allowed: use, lr, momentum, nesterov, weight_decay, decay; did you mean `momentum`?"),
        ("epoch", None, "3", f"5:1: epoch: unknown key `epoch`; allowed: {KEYS}; did you mean `epochs`?"),
        ("iterations", None, "3", "1:1: one of epochs, iterations is needed"),
        ("warmup", "{lr: 0.01, for: {epochs: 1}}", "{lr: 0.01, for: {epoch: 1}}",
         "5:26: warmup.for.epoch: unknown key `epoch`; allowed: iterations, epochs, fraction; did you mean `epochs`?"),
        ("warmup", "{lr: 0.01, for: {fraction: 0.5}}", "{lr: 0.01, for: {fraction: 1}}",
         "5:36: warmup.for.fraction: a number below 1 is needed, got 1"),
        ("warmup", "{lr: 0.01, for: {iterations: 4}}", "{lr: 0.01, for: {epochs: 1, iterations: 4}}",
         "5:25: warmup.for: one of iterations, epochs, fraction is needed, got {epochs: 1, iterations: 4}"),
        ("schedule", "{step: {at: [0.5, 0.75], by: 0.1}}", "{step: {at: [0.75, 0.5], by: 0.1}}",
         "5:23: schedule.step.at: the points must rise, got [0.75, 0.5]"),
        ("schedule", "{step: {at: {epochs: [5, 10]}, by: 1}}", "{step: {at: {epochs: [5, 10]}, by: 0}}",
         "5:46: schedule.step.by: a number above 0 is needed, got 0"),
        ("schedule", "{step: {at: {iterations: [5]}, by: 0.1}}", "{step: {at: [], by: 0.1}}",
         "5:23: schedule.step.at: at least one point is needed, got []"),
        ("schedule", "cosine", "cosines",
         "5:11: schedule.cosines: unknown key `cosines`; allowed: step, cosine, linear; did you mean `cosine`?"),
        ("augment", "[flip]", "flip", "5:10: augment: a list is needed, got flip"),
        ("augment", "[pad_crop: {pad: 4}, flip]", "[pad_crop: {pad: 0}, flip]",
         "5:27: augment[0].pad_crop.pad: a number above 0 is needed, got 0"),
        ("augment", "[pad_crop: {pad: 4}]", "[pad_crop]", "5:11: augment[0]: key `pad` is missing"),
        ("augment", "[flip]", "[flop]",
         "5:11: augment[0].flop: unknown key `flop`; allowed: pad_crop, flip, cutout, random_resized_crop; did you mean `flip`?"),
        ("precision", "float32", "bf16", "5:12: precision: one of `float32`, `tf32`, `bfloat16` is needed, got bf16"),
        ("fail_above", "20", "101", "5:13: fail_above: a number at most 100 is needed, got 101"),
        ("recipe", "mine", "Mine", "1:1: `Mine` is not a legal name: expected a small letter, "
         "then small letters, digits and `_`"),
        ("recipe", "mine", "3", "1:9: recipe: a text is needed, got 3"),
    ],
)  # fmt: skip
def test_values(key: str, good: str | None, bad: str, message: str) -> None:
    parse_recipe(node(**{key: good}))
    assert said(node(**{key: bad})) == [message]


def test_one_length_is_needed() -> None:
    assert said(node(epochs=None)) == ["1:1: one of epochs, iterations is needed"]
    assert parse_recipe(node(epochs=None, iterations="400")).iterations == 400


def test_every_problem_at_once_by_line() -> None:
    given = node(
        optimizer="{use: adam, lr: -1}", batch="1", epochs="true", augment="[flop, {pad_crop: {pad: x}}]", doc="[a]"
    )
    assert [line.split(": ")[0] for line in said(given)] == ["2:18", "2:28", "3:8", "4:9", "5:11", "5:34", "6:6"]


def test_overriding() -> None:
    assert made(node(), lr="0.05").optimizer.lr == 0.05
    assert made(node(), optimizer__lr="0.05").optimizer.lr == 0.05
    assert made(node(), epochs="3").epochs == 3
    assert made(node(), iterations="400").epochs is None
    warm = node(warmup="{lr: 0.01, for: {epochs: 1}}")
    assert made(warm, warmup__lr="0.02").warmup.lr == 0.02  # type: ignore[union-attr]
    assert made(warm, warmup="null").warmup is None
    assert made(node(), warmup="{lr: 1e-3, for: {epochs: 1}}").warmup.lr == 1e-3  # type: ignore[union-attr]


def test_overriding_what_holds_no_keys() -> None:
    with pytest.raises(SpecError, match=r"word:1:1: batch__x: batch holds no keys, so there is no `x` in it"):
        override(node(), "batch.x", read_value("3", "word", "batch__x"))


def test_identity_is_of_what_trains() -> None:
    plain = parse_recipe(node())
    assert plain.digest.startswith("r2_")
    same = [
        node(recipe="other"),
        node(doc="a"),
        node(cite="b"),
        node(fail_above="20"),
        node(init="he_normal"),
        node(batch="0x40"),
        node(plan="{width: 3, recompute: true}"),
        node(checkpoint_every="5s"),
        node(label_smoothing="0"),
    ]
    other = [node(batch="32"), node(epochs="13"), node(epochs=None, iterations="12"), node(augment="[flip]")]
    assert {parse_recipe(given).digest for given in same} == {plain.digest}
    assert len({plain.digest, *(parse_recipe(given).digest for given in other)}) == 5


def test_json_and_back() -> None:
    recipe = parse_recipe(
        node(warmup="{lr: 0.01, for: {epochs: 1}}", schedule="{step: {at: [0.5, 0.75], by: 0.1}}", augment="[flip]")
    )
    again = recipe_from_json(recipe_to_json(recipe))
    assert again == recipe
    assert again.digest == recipe.digest


def test_keys_of_which_one_is_needed_are_told_beside_values_that_are_wrong() -> None:
    found = said(
        node(
            optimizer="{use: sgd, lr: -1}", iterations="5", warmup="{lr: 0.1, for: {epochs: 1, fraction: 3}}",
            schedule="{step: {at: [2], by: 7}, cosine: {}}", augment="[{flip: {}, cutout: {size: 0}}]",
            checkpoint_every="{seconds: 1, epochs: -2}",
        )
    )  # fmt: skip
    told = "\n".join(found)
    for part in (
        "optimizer.lr: a number above 0", "1:1: one of epochs, iterations is needed", "for.fraction: a number below 1",
        "for: one of iterations, epochs, fraction is needed", "schedule: one of step, cosine, linear is needed", "by: a number",
        "augment[0]: one of pad_crop, flip, cutout, random_resized_crop is needed", "cutout.size: a number above 0",
        "checkpoint_every: one of seconds, epochs is needed", "checkpoint_every.epochs: a number above 0",
    ):  # fmt: skip
        assert told.count(part) == 1, (part, told)
