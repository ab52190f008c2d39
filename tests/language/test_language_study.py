"""A study's file: each fault beside a twin without it, and what a study reads from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_sample import STUDY, put, study, study_text

from resbench.language.study.study import recipe_at
from resbench.language.yaml.node import plain

NAME = "a name or {use: name, param: value} is needed, got"


def test_the_twin_of_all(folder: Path) -> None:
    spec, problems = study(folder, study_text())
    assert spec is not None
    assert problems == []
    assert (spec.name, spec.network.name, spec.data.name, spec.seeds) == ("tried", "resnet_cifar", "digits", (0, 1))
    assert plain(spec.network.arguments["depth"]) == 8
    assert [(entry.label, entry.vary) for entry in spec.units] == [("plain", ())]
    recipe = recipe_at(spec, {})
    assert (recipe.epochs, recipe.batch, recipe.augment) == (2, 64, ())


def test_what_is_left_out_has_a_habit(folder: Path) -> None:
    spec, problems = study(folder, study_text(recipe=None, seeds=None))
    assert spec is not None
    assert problems == []
    assert spec.seeds == (0, 1, 2, 3, 4)
    assert recipe_at(spec, {}).recipe == "he2016_small"
    assert spec.budget.params is None


@pytest.mark.parametrize(
    ("seeds", "race", "looks"),
    [(None, "true", (5, 8, 12, 20)), ("6", "true", (5, 6)), ("8", "[3, 8]", (3, 8)), (None, "[4, 9]", (4, 9))],
)
def test_the_looks_of_a_race(folder: Path, seeds: str | None, race: str, looks: tuple[int, ...]) -> None:
    spec, problems = study(folder, study_text(race=race, seeds=seeds))
    assert problems == []
    assert spec is not None
    assert spec.design.race == looks
    assert spec.seeds == tuple(range(looks[-1]))


@pytest.mark.parametrize(
    ("race", "message"),
    [
        ("1", "race: a list of seeds at each look, or `true`, is needed, got 1"),
        ("[8, 5]", "race: looks are numbers of seeds that grow, such as [5, 8, 12, 20], got [8, 5]"),
        ("[5, 8]", "race: the last look is at all seeds, which are 9, got 8"),
        ("[2, 9]", "race[0]: a whole number from 3 to 10,000 is needed, got 2"),
    ],
)
def test_a_race_that_cannot_be(folder: Path, race: str, message: str) -> None:
    spec, problems = study(folder, study_text(race=race, seeds="9"))
    assert spec is None
    assert problems[0].partition(": ")[2] == message


@pytest.mark.parametrize("key", ["network", "units", "data"])
def test_missing(folder: Path, key: str) -> None:
    assert study(folder, study_text(**{key: None})) == (None, [f"1:1: key `{key}` is missing"])


@pytest.mark.parametrize(
    ("key", "good", "bad", "message"),
    [
        ("study", "a1", "A1",
         "1:8: study: `A1` is not a legal name: expected a small letter, then small letters, digits and `_`"),
        ("study", "a1", "../a1",
         "1:8: study: `../a1` is not a legal name: expected a small letter, then small letters, digits and `_`"),
        ("sead", None, "3", "7:1: sead: unknown key `sead`; allowed: study, network, units, data, doc, cite, "
         "extends, recipe, "
         "objectives, race, paired, search, budget, seeds, plugins, keep, track; did you mean `seeds` or `search`?"),
        ("network", "resnet_cifar", "null", f"2:10: network: {NAME} null"),
        ("network", "resnet_cifar", "[resnet_cifar]", f"2:10: network: {NAME} [resnet_cifar]"),
        ("network", "resnet_cifar", "resnet_cifr",
         "2:10: network: no network is called `resnet_cifr`; did you mean `resnet_cifar` or "),
        ("network", "{use: resnet_cifar}", "{depth: 8}",
         "2:10: network: key `use` is missing: the name of what is used"),
        ("network", "{use: resnet_cifar, depth: 8}", "{use: resnet_cifar, dpth: 8}",
         "2:36: network.dpth: network resnet_cifar has no "
         "param `dpth`; its params: depth, width, n; did you mean `depth` or `width`?"),
        ("network", "{use: resnet_cifar, depth: {choices: [8]}}", "{use: resnet_cifar, depth: {choices: []}}",
         "2:47: network.depth.choices: choices are empty; at least one is needed"),
        ("network", "{use: resnet_cifar, depth: {cases: {8: 8}}}", "{use: resnet_cifar, depth: {by: 8, cases: {8: 8}}}",
         "2:38: network.depth.by: unknown key `by`; allowed: cases, default"),
        ("units", "[plain]", "plain", "3:8: units: a list of units is needed, got plain"),
        ("units", "[plain]", "[]", "3:8: units: at least one unit is needed"),
        ("units", "[plain]", "[plan]", "3:9: units[0]: no unit is called `plan`; did you mean `plain`?"),
        ("units", "[plain]", "[plain, 3]", f"3:16: units[1]: {NAME} 3"),
        ("units", "[{use: plain}]", "[{}]", "3:9: units[0]: key `use` is missing: the name of what is used"),
        ("units", "[plain]", "[resnet_cifar]", "3:9: units[0]: `resnet_cifar` is a network; a unit is needed"),
        ("units", "[units/identity_mappings/*]", "[units/nothing/*]",
         "3:9: units[0]: `units/nothing/*` matches no file in ., library/arch_specs"),
        ("units", "[units/identity_mappings/p*]", "[units/**]",
         "3:9: units[0]: `units/**`: a pattern is written units/FOLDER/*, and * does not descend"),
        ("units", "[{use: exclusive_gating, gate_bias: -3}]", "[{use: exclusive_gating, gate_bais: -3}]",
         "3:44: units[0].gate_bais: "
         "unit exclusive_gating has no param `gate_bais`; its params: change, gate_bias; did you mean `gate_bias`?"),
        ("units", "[{use: exclusive_gating, gate_bias: {range: [-6, 0], step: 3}}]",
         "[{use: exclusive_gating, gate_bias: {range: [-6, 0], step: 4}}]",
         "3:67: units[0].gate_bias.step: step 4 does not divide [-6, 0]"),
        ("units", "[{use: exclusive_gating, gate_bias: {range: [-6, 0]}}]",
         "[{use: exclusive_gating, gate_bias: {range: [0, -6]}}]",
         "3:52: units[0].gate_bias.range: low 0 is above high -6"),
        ("units", "[{use: exclusive_gating, vary: all}]", "[{use: plain, vary: all}]",
         "3:28: units[0].vary: no param of this unit has a domain to vary over"),
        ("units", "[{use: exclusive_gating, vary: [gate_bias]}]", "[{use: exclusive_gating, vary: [gate_bais]}]",
         "3:40: "
         "units[0].vary[0]: gate_bais is not a param with a domain; those are: gate_bias; did you mean `gate_bias`?"),
        ("units", "[{use: exclusive_gating, vary: [gate_bias]}]", "[{use: exclusive_gating, vary: [change]}]",
         "3:40: units[0].vary[0]: change is not a param with a domain; those are: gate_bias"),
        ("units", "[{use: exclusive_gating, vary: []}]", "[{use: exclusive_gating, vary: gate_bias}]",
         "3:39: units[0].vary: a list of param names, or `all`, is needed, got gate_bias"),
        ("data", "digits", "[digits]", "4:7: data: a name or {use: name, param: value} is needed, got [digits]"),
        ("data", "digits", "$digits", "4:7: data: a name or {use: name, param: value} is needed, got $digits"),
        ("data", "digits", "null", "4:7: data: a name or {use: name, param: value} is needed, got null"),
        ("data", "digits", '""', '4:7: data: the name of a data set is needed, got ""'),
        ("recipe", "he2016", "he2017", "5:9: recipe: no recipe is called `he2017`; did you mean `he2016`"),
        ("recipe", "he2016", "3", f"5:9: recipe: {NAME} 3"),
        ("recipe", "{use: he2016, epochs: 2}", "{use: he2016, epoch: 2}",
         "5:30: recipe.epoch: unknown key `epoch`; allowed: recipe, "),
        ("recipe", "{use: he2016, lr: 1e-3}", "{use: he2016, lr: abc}", "5:27: recipe.lr: a number is needed, got abc"),
        ("recipe", "{use: he2016, optimizer.lr: 1}", "{use: he2016, optimizer.lr: 0}",
         "5:37: recipe.optimizer.lr: a number above 0 is needed, got 0"),
        ("recipe", "{use: he2016, warmup.lr: 1}", "{use: he2016, batch.lr: 1}",
         "5:33: recipe.batch.lr: batch holds no keys, so there is no `lr` in it"),
        ("recipe", "{use: he2016, lr: {choices: [0.1, 1]}}", "{use: he2016, lr: {choices: [0.1, 0]}}",
         "5:43: recipe.lr.choices[1]: a number above 0 is needed, got 0"),
        ("recipe", "{use: he2016, lr: {range: [1e-3, 1.0], log: true}}",
         "{use: he2016, lr: {range: [0.0, 1.0], log: true}}",
         "5:35: recipe.lr.range: a log range must start above 0, got 0"),
        ("recipe", "{use: he2016, batch: {range: [2, 4]}}", "{use: he2016, batch: {range: [1, 4]}}",
         "5:39: recipe.batch.range[0]: a number at least 2 is needed, got 1"),
        ("recipe", "{use: he2016, optimizer.lr: {choices: [0.1]}}", "{use: he2016, warmup.lr: {choices: [0.1]}}",
         "5:34: "
         "recipe.warmup.lr: `warmup.lr` cannot be searched: a domain is allowed at the top of a recipe or in its "
         "optimizer"),
        ("recipe", "{use: he2016, schedule.step: {at: [0.5], by: 0.1}}",
         "{use: he2016, schedule.step: {at: [0.5], by: 2}}",
         "5:54: recipe.schedule.step.by: a number at most 1 is needed, got 2"),
        ("seeds", "1", "0", "6:8: seeds: a whole number from 1 to 10,000 is needed, got 0"),
        ("seeds", "010", "1.5", "6:8: seeds: a whole number from 1 to 10,000 is needed, got 1.5"),
        ("seeds", "10000", "10001", "6:8: seeds: a whole number from 1 to 10,000 is needed, got 10001"),
        ("seeds", "[0]", "[]", "6:8: seeds: seeds must be different from each other, and at least one"),
        ("seeds", "[3, 1]", "[1, 1]", "6:8: seeds: seeds must be different from each other, and at least one"),
        ("seeds", "[9223372036854775807]", "[18446744073709551616]", "6:9: seeds[0]: a whole number from 0 to "
         "9,223,372,036,854,775,807 is needed, got 18446744073709551616"),
        ("seeds", "[0]", "[-1]", "6:9: seeds[0]: a whole number from 0 to 9,223,372,036,854,775,807 is needed, got -1"),
        ("budget", "{params: 2M, macs: 1.5G}", "{parms: 2M}",
         "7:10: budget.parms: unknown key `parms`; allowed: params, macs, trials, runs, memory_mib, latency_ms; did you "
         "mean `params`?"),
        ("budget", "{runs: 300_000}", "{runs: 0}",
         "7:16: budget.runs: an amount such as 2M or 300_000 is needed, got 0"),
        ("budget", "{runs: 10k}", "{runs: 10K}",
         "7:16: budget.runs: an amount such as 2M or 300_000 is needed, got 10K"),
        ("budget", "{trials: 3}", "{trials: true}",
         "7:18: budget.trials: an amount such as 2M or 300_000 is needed, got true"),
        ("budget", '{runs: "7"}', '{runs: "٣"}', "7:16: budget.runs: an amount such as 2M or 300_000 is needed, got ٣"),
        ("budget", "{}", f'{{runs: "{"9" * 400}"}}',
         "7:16: budget.runs: an amount such as 2M or 300_000 is needed, got "),
        ("objectives", "{val_error_pct: minimize}", "{val_error_pct: maximize}",
         "7:29: objectives.val_error_pct: `minimize` is needed (less is better for every objective), got maximize"),
        ("objectives", "{val_loss: minimize, macs: minimize}", "{macs: minimize}",
         "7:13: objectives: the first must be one that training measures: val_error_pct, val_loss, train_loss, train_s; got "),
        ("objectives", "{train_s: minimize}", "{trains: minimize}",
         "7:14: objectives.trains: no objective is called `trains`; there are val_error_pct, val_loss, train_loss, "
         "train_s, params, macs; did you mean `train_s` or `train_loss`?"),
        ("race", "false", "true", "7:7: race: a race needs 3 seeds or more of each unit, the study has 2"),
        ("paired", "true", "1", "7:9: paired: true or false is needed, got 1"),
        ("search", "grid", "tpe", "7:9: search: tpe needs `budget: {trials: ...}`: how many points it may try"),
        ("search", "grid", "hill_climbing", "7:9: search: one of `grid`, `random`, `tpe`, `cma_es`, `gp`, `nsga2`, "),
        ("search", "{use: halving, eta: 2}", "{use: halving, eta: 1}",
         "7:29: search.eta: a number above 1 is needed, got 1"),
        ("search", "{use: halving, from: 1}", "{use: halving, batch: 2}",
         "7:24: search.batch: `batch` and `prune` are not of searches by rungs, which stop runs by themselves"),
        ("search", "{use: halving}", "{use: halving, population: 4}",
         "7:24: search.population: `population` is of evolution, nsga2, nsga3, not of halving"),
        ("search", "{use: grid}", "{use: grid, seed: 1}",
         "7:21: search.seed: a grid tries every point with the study's own seeds; it has no other key"),
        ("search", "{use: halving, finalists: 2}", "{use: halving, finalist: 2}",
         "7:24: search.finalist: unknown key `finalist`; allowed: use, seed, seeds, finalists, "),
        ("budget", "{latency_ms: 3}", "{latency_ms: -1}", "7:22: budget.latency_ms: a number above 0 is needed, got -1"),
        ("extends", "quickstart", "quickstrat",
         "7:10: extends: no study is called `quickstrat`; did you mean `quickstart`?"),
        ("doc", "a", "[a]", "7:6: doc: a text is needed, got [a]"),
    ],
)  # fmt: skip
def test_faults(folder: Path, key: str, good: str | None, bad: str, message: str) -> None:
    assert study(folder, study_text(**{key: good}))[1] == []
    spec, problems = study(folder, study_text(**{key: bad}))
    assert spec is None
    assert problems[0].startswith(message), problems
    assert len(problems) <= 2, problems


def test_every_choice_of_the_recipe_is_tried(folder: Path) -> None:
    text = study_text(recipe="{use: he2016, lr: {choices: [-1, 0.1, .nan]}, batch: {choices: [64, 1]}}")
    assert study(folder, text)[1] == [
        "5:38: recipe.lr.choices[0]: a number above 0 is needed, got -1",
        "5:47: recipe.lr.choices[2]: a finite number is needed, got .nan",
        "5:77: recipe.batch.choices[1]: a number at least 2 is needed, got 1",
    ]


def test_six_faults_in_one_file_are_told_at_once_by_line(folder: Path) -> None:
    text = """study: Tried
network: {use: resnet_cifar, dpth: 8}
units: [plan, {use: exclusive_gating, vary: [x]}]
data: [digits]
recipe: {use: he2016, lr: abc, epochs: 0}
seeds: [1, 1]
seeds: 3
budgt: {}
"""
    assert [line.split(": ")[:2] for line in study(folder, text)[1]] == [
        ["1:8", "study"],
        ["2:36", "network.dpth"],
        ["3:9", "units[0]"],
        ["3:46", "units[1].vary[0]"],
        ["4:7", "data"],
        ["5:27", "recipe.lr"],
        ["5:40", "recipe.epochs"],
        ["6:8", "seeds"],
        ["7:1", "seeds"],
        ["8:1", "budgt"],
    ]


def test_a_part_s_own_problems_are_told_at_its_own_file(folder: Path) -> None:
    put(folder, {"bad.yaml": "unit: bad\nnodes: {y: {from: x, ops: [rleu]}}\n"})
    assert study(folder, study_text(units="[bad.yaml, plan]"))[1] == [
        "bad.yaml:2:28: nodes.y.ops[0]: unknown op `rleu`; did you mean `relu` or `relu6`?",
        study(folder, study_text(units="[plain, plan]"))[1][0].replace("3:16", "3:19"),
    ]


def test_what_a_study_searches(folder: Path) -> None:
    units = "[{use: exclusive_gating, vary: all}, {use: exclusive_gating, vary: [gate_bias]}, {use: plain}]"
    spec, problems = study(folder, study_text(units=units))
    assert spec is not None
    assert problems == []
    assert [entry.vary for entry in spec.units] == [None, ("gate_bias",), ()]
    assert all("vary" not in entry.use.arguments for entry in spec.units)


def test_extending_a_study(folder: Path) -> None:
    put(folder, {"parent.yaml": study_text(budget="{params: 2M, runs: 7}", doc="first")})
    spec, problems = study(folder, "study: child\nextends: parent.yaml\nbudget: {runs: 1k}\nunits: [original]\n")
    assert spec is not None
    assert problems == []
    assert (spec.name, spec.doc, spec.budget.params, spec.budget.runs) == ("child", "first", 2_000_000, 1000)
    assert [entry.label for entry in spec.units] == ["original"]


def test_the_sample_is_what_it_says() -> None:
    assert list(STUDY) == ["study", "network", "units", "data", "recipe", "seeds"]


def test_every_fault_of_a_search_is_told_at_once(folder: Path) -> None:
    search = "{use: random, eta: 3, population: 2, seeds: 0, prune: {use: median, epochs: 3, by: 2, from: 0}}"
    _, problems = study(folder, study_text(search=search, budget="{trials: 4}"))
    assert [problem.split(": ")[1] for problem in problems] == [
        "search.eta", "search.population", "search.seeds", "search.prune.epochs", "search.prune.by", "search.prune.from",
    ]  # fmt: skip
