"""Words of the command line: what each changes, and each that changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from language_sample import lines, put, study_text

from resbench.errors import BadInput
from resbench.language.library.library import Library
from resbench.language.study.command_line import override_study
from resbench.language.study.study import parse_study
from resbench.language.yaml.node import plain
from resbench.language.yaml.problems import Problems
from resbench.ops.schema import table

UNITS = "[plain, exclusive_gating, {use: constant_scaling, shortcut_scale: 0.5}]"
KEYS = "study, doc, network, data, recipe, objectives, race, paired, search, seeds, budget, keep, units, unit.PARAM"
NAMES = "plain, exclusive_gating, constant_scaling"


def changed(folder: Path, *words: str, **keys: str | None) -> Any:
    put(
        folder,
        {
            "st.yaml": study_text(**{"units": UNITS, **keys}),
            "mine.yaml": "unit: mine\nnodes: {y: {from: x, ops: []}}\n",
        },
    )
    library = Library(table(), folder)
    top = override_study(library.read("study", folder / "st.yaml"), words, library)
    check = Problems()
    parse_study(top, library, check)
    check.done()
    return plain(top)


def said(folder: Path, *words: str, **keys: str | None) -> str:
    with pytest.raises(BadInput) as caught:
        changed(folder, *words, **keys)
    return "\n".join(lines(caught.value))


@pytest.mark.parametrize(
    ("word", "key", "expected"),
    [
        ("recipe.epochs=3", "recipe", {"use": "he2016_small", "epochs": 3}),
        ("recipe.lr=0.05", "recipe", {"use": "he2016_small", "epochs": 2, "lr": 0.05}),
        ("recipe.warmup=null", "recipe", {"use": "he2016_small", "epochs": 2, "warmup": None}),
        ("recipe.schedule.step.by=0.5", "recipe", {"use": "he2016_small", "epochs": 2, "schedule.step.by": 0.5}),
        ("recipe.lr={choices: [0.1, 0.2]}", "recipe", {"use": "he2016_small", "epochs": 2,
         "lr": {"choices": [0.1, 0.2]}}),
        ("recipe=he2016", "recipe", "he2016"),
        ("network.depth=20", "network", {"use": "resnet_cifar", "depth": 20, "width": 4}),
        ("network=resnet_imagenet", "network", "resnet_imagenet"),
        ("data=fashion_mini", "data", "fashion_mini"),
        ("seeds=3", "seeds", 3),
        ("seeds=[5, 7]", "seeds", [5, 7]),
        ("seeds=010", "seeds", 10),
        ("study=other", "study", "other"),
        ("doc=costs 5$ = cheap", "doc", "costs 5$ = cheap"),
        ("budget.params=2M", "budget", {"params": "2M"}),
        ("units=[plain]", "units", ["plain"]),
        ("units+=original", "units", ["plain", "exclusive_gating", {"use": "constant_scaling",
         "shortcut_scale": 0.5}, "original"]),
        ("units+=mine.yaml", "units", ["plain", "exclusive_gating", {"use": "constant_scaling",
         "shortcut_scale": 0.5}, "mine.yaml"]),
        ("units-=plain", "units", ["exclusive_gating", {"use": "constant_scaling", "shortcut_scale": 0.5}]),
        ("units-=[plain, constant_scaling]", "units", ["exclusive_gating"]),
        ("unit.gate_bias=-3", "units", ["plain", {"use": "exclusive_gating", "gate_bias": -3},
                                        {"use": "constant_scaling", "shortcut_scale": 0.5}]),
        ("unit.shortcut_scale=1", "units", ["plain", "exclusive_gating", {"use": "constant_scaling",
         "shortcut_scale": 1}]),
    ],
)  # fmt: skip
def test_words(folder: Path, word: str, key: str, expected: object) -> None:
    assert changed(folder, word)[key] == expected


def test_words_are_taken_in_order(folder: Path) -> None:
    assert changed(folder, "units-=plain", "units+=plain", "seeds=3", "seeds=4")["units"][-1] == "plain"
    assert changed(folder, "units+=[original, mine.yaml]", "units-=mine.yaml")["units"][-1] == "original"
    assert changed(folder, "recipe.epochs=3", recipe="he2016")["recipe"] == {"use": "he2016", "epochs": 3}
    assert changed(folder, "recipe.epochs=3", recipe=None)["recipe"] == {"use": "he2016_small", "epochs": 3}
    assert changed(folder, "units-=plain", units="[units/identity_mappings/p*, original]")["units"] == ["original"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("", "``: a change is written name=value, units+=name or units-=name"),
        ("recipe.epochs", "`recipe.epochs`: a change is written name=value, units+=name or units-=name"),
        ("=3", "`=3`: a change is written name=value, units+=name or units-=name"),
        ("recipe.=3", "`recipe.=3`: a name is missing beside a dot"),
        ("recipe..lr=3", "`recipe..lr=3`: a name is missing beside a dot"),
        (".lr=3", "`.lr=3`: a name is missing beside a dot"),
        ("unit.=3", "`unit.=3`: a name is missing beside a dot"),
        ("lr=3", "`lr=3`: no key `lr`; it is one of the recipe's: `recipe.lr=3`"),
        ("depth=3", f"`depth=3`: no key `depth`; keys: {KEYS}; a param of the network is `network.NAME`"),
        ("sedes=3", f"`sedes=3`: no key `sedes`; keys: {KEYS}; did you mean `seeds`?"),
        ("Units+=plain", f"`Units+=plain`: no key `Units+`; keys: {KEYS}; did you mean `units`?"),
        ("extends=x", f"`extends=x`: no key `extends`; keys: {KEYS}; did you mean `seeds`?"),
        ("seeds.x=3", "`seeds.x=3`: `seeds` has no keys below it; write seeds=value"),
        ("units.x=3", "`units.x=3`: `units` has no keys below it; write units=value"),
        ("seeds=[", "`seeds=[`: not YAML: expected the node content, but found '<stream end>' (while parsing a "
         "flow node)"),
        ("seeds=1\nfoo: 2", "`seeds=1\\x0afoo: 2`: a key where none can be: entries of one level must have the same "
         "indentation, and a text with `: ` needs quotes"),
        ("seeds=1\n---\n2", "`seeds=1\\x0a---\\x0a2`: a second document starts here; a file holds one"),
        ("seeds=!!python/object/apply:os.system [touch pwned]",
         "`seeds=!!python/object/apply:os.system [touch pwned]`: tag "
         "`tag:yaml.org,2002:python/object/apply:os.system` is not allowed: values are plain YAML"),
        ('study="\\e[31m"', '`study="\\e[31m"`: character U+001B is not allowed in a text'),
        ("recipe.lr=1$x", "`recipe.lr=1$x`: `1$x` is no expression: `$name` and `$(...)` stand for a whole "
         "value, never for part of one"),
        ("units-=plan", f"units-=plan: not among the units: {NAMES}; did you mean `plain`?"),
        ("units-=[plain, plain]", "units-=plain: not among the units: exclusive_gating, constant_scaling"),
        ("units-=", f"units-=null: not among the units: {NAMES}"),
        ("unit.gate_bais=3", "unit.gate_bais: none of the study's units has such a param; their params: "
         "branch_scale, change, gate_bias, "
         "shortcut_scale; did you mean `gate_bias`?"),
    ],
)  # fmt: skip
def test_words_that_are_wrong(folder: Path, word: str, message: str) -> None:
    assert said(folder, word) == message


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("seeds=0", "command line:1:7: seeds: a whole number from 1 to 10,000 is needed, got 0"),
        ("seeds=", "command line:1:7: seeds: a whole number from 1 to 10,000 is needed, got null"),
        ("recipe.epochs=0", "command line:1:15: recipe.epochs: a number above 0 is needed, got 0"),
        ("recipe.epochs=2 recipe.lr=3",
         "command line:1:15: recipe.epochs: a whole number is needed, got 2 recipe.lr=3"),
        ("network.dpth=8", "command line:1:14: network.dpth: network resnet_cifar has no param `dpth`; its "
         "params: depth, width, n; "
         "did you mean `depth` or `width`?"),
        ("units=plain", "command line:1:7: units: a list of units is needed, got plain"),
        ("units+=", "command line:1:8: units: a name or {use: name, param: value} is needed, got null"),
        ("study=../x", "command line:1:7: study: `../x` is not a legal name: expected a small letter, then small letters, "
         "digits and `_`"),
        ("data=$d", "command line:1:6: data: a name or {use: name, param: value} is needed, got $d"),
        ("budget.params=many", "command line:1:15: budget.params: an amount such as 2M or 300_000 is needed, got many"),
    ],
)  # fmt: skip
def test_values_that_are_wrong_are_told_at_the_word(folder: Path, word: str, message: str) -> None:
    assert said(folder, word) == message


def test_the_last_unit_may_not_go(folder: Path) -> None:
    assert (
        said(folder, "units-=[plain, exclusive_gating, constant_scaling]")
        == "st.yaml:3:8: units: at least one unit is needed"
    )


def test_the_word_is_shown_with_a_caret(folder: Path) -> None:
    with pytest.raises(BadInput) as caught:
        changed(folder, "seeds=0")
    assert str(caught.value).split("\n")[1:] == ["    seeds=0", "          ^"]
