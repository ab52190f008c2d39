"""A network's file: each fault beside a twin without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_sample import told

GOOD = {
    "network": "mine",
    "input": "[3, 32, 32]",
    "classes": "10",
    "params": "{d: 2}",
    "unit": "plain",
    "stem": "[conv3x3: {out: 8}, $after_stem]",
    "stages": "[{units: $d, out: 8}]",
    "head": "[global_avg_pool, linear: {out: $classes}]",
}
NAMES = "classes, layers, expansion, after_stem, after_last, unit, units, pos, len, stage, stages, channels"


def net(**changes: str | None) -> str:
    return "".join(f"{key}: {value}\n" for key, value in {**GOOD, **changes}.items() if value is not None)


def test_the_twin_of_all(folder: Path) -> None:
    assert told(folder, net(), "network") == []
    assert told(folder, net(input=None, classes=None), "network") == []


@pytest.mark.parametrize("key", ["unit", "stages", "head"])
def test_missing(folder: Path, key: str) -> None:
    assert told(folder, net(**{key: None}), "network")[0] == f"1:1: key `{key}` is missing"


@pytest.mark.parametrize(
    ("key", "bad", "message"),
    [
        ("stagse", "[]", "9:1: stagse: unknown key `stagse`; allowed: network, unit, stages, head, doc, cite, "
         "extends, params, stem, input, "
         "classes; did you mean `stages` or `stem`?"),
        ("unit", "plan", "5:7: unit: no unit is called `plan`; did you mean `plain`?"),
        ("unit", "3", "5:7: unit: a name or {use: name, param: value} is needed, got 3"),
        ("unit", "{change: pad}", "5:7: unit: key `use` is missing: the name of what is used"),
        ("unit", "{use: [a]}", "5:13: unit.use: a name is needed, got [a]"),
        ("input", "[3, 32]", "2:8: input: [channels, height, width] is needed, got [3, 32]"),
        ("input", "[3, 32, 0]", "2:16: input[2]: a whole number from 1 to 4,096 is needed, got 0"),
        ("input", "[3, 32, 32.5]", "2:16: input[2]: a whole number from 1 to 4,096 is needed, got 32.5"),
        ("classes", "0", "3:10: classes: a whole number from 1 to 1,000,000 is needed, got 0"),
        ("classes", "true", "3:10: classes: a whole number from 1 to 1,000,000 is needed, got true"),
        ("params", "{d: 2, e: 3}", "4:16: params.e: param `e` is read by nothing"),
        ("params", "{d: $in}", f"4:13: params.d: `in` stands for nothing here; known: d, {NAMES}"),
        ("params", "{d: 2, units: 3}",
         "4:16: params.units: `units` is a name that the language defines; a param needs another"),
        ("stages", "[]", "7:9: stages: 1 to 100 stages are needed, got 0"),
        ("stages", "3", "7:9: stages: a list of stages is needed, got 3"),
        ("stages", "[{units: $d}, 3]",
         "7:23: stages[1]: a mapping is needed, got 3; keys: units, out, stride, before, unit"),
        ("stages", "[{out: $d}]", "7:10: stages[0]: key `units` is missing"),
        ("stages", "[{units: $d, ot: 8}]",
         "7:22: stages[0].ot: unknown key `ot`; allowed: units, out, stride, before, unit; did "
         "you mean `out`?"),
        ("stages", "[{units: $d, out: $otu}]",
         f"7:27: stages[0].out: `otu` stands for nothing here; known: d, {NAMES}"),
        ("stages", "[{units: $d, unit: {use: plan}}]",
         "7:28: stages[0].unit: no unit is called `plan`; did you mean `plain`?"),
        ("stages", "[{units: $d, unit: [plain]}]",
         "7:28: stages[0].unit: a name or {use: name, param: value} is needed, got [plain]"),
        ("stages", "[{units: $d, before: [rleu]}]",
         "7:31: stages[0].before[0]: unknown op `rleu`; did you mean `relu` or `relu6`?"),
        ("stages", "[{units: $d[0]}]",
         "7:20: `$d` is cut short: inside { } or [ ] an expression with a comma or [ ] needs quotes"),
        ("stem", "relu", "6:7: stem: a list of ops is needed, got relu; write [relu]"),
        ("stem", "[rleu]", "6:8: stem[0]: unknown op `rleu`; did you mean `relu` or `relu6`?"),
        ("head", "[$after_lst]",
         f"8:8: head[0]: `after_lst` stands for nothing here; known: d, {NAMES}; did you mean `after_last` or `after_stem`?"),
        ("network", "Mine", "1:10: network: `Mine` is not a legal name: expected a small letter, then small letters, digits "
         "and `_`"),
    ],
)  # fmt: skip
def test_faults(folder: Path, key: str, bad: str, message: str) -> None:
    messages = told(folder, net(**{key: bad}), "network")
    assert any(found.startswith(message) for found in messages), messages


def test_stages_may_change_the_unit_or_its_params(folder: Path) -> None:
    stages = "[{units: $d, out: 8, unit: {change: project}}, {units: 1, out: 16, stride: 2, unit: original}]"
    assert told(folder, net(unit="full_preactivation", stages=stages), "network") == []


def test_units_are_found_by_everything_at_once(folder: Path) -> None:
    text = net(unit="plan", stages="[{units: $d, unit: orignal}]", head="[rleu]")
    assert [message.split(": ")[0] for message in told(folder, text, "network")] == ["5:7", "7:28", "8:8"]


def test_a_hundred_stages(folder: Path) -> None:
    assert told(folder, net(stages="[" + ", ".join(["{units: $d}"] * 100) + "]"), "network") == []
    assert told(folder, net(stages="[" + ", ".join(["{units: $d}"] * 101) + "]"), "network") == [
        "7:9: stages: 1 to 100 stages are needed, got 101"
    ]
