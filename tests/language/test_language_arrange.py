"""`arrange`: how many orders there are, what each is as a unit, and what is wrong with an entry."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_sample import study, study_text

from resbench.language.generate.orderings import Arrange, Arrangement, parse_arrange
from resbench.language.library.library import Library
from resbench.language.yaml.node import from_plain, plain
from resbench.language.yaml.problems import Problems
from resbench.ops.schema import table

PAPER = ["bn", "relu", "conv", "bn", "relu", "conv"]


def arrange(**keys: object) -> Arrange:
    check = Problems()
    found = parse_arrange(from_plain({"ops": PAPER, **keys}), Library(table()), check)  # type: ignore[dict-item]
    check.done()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("keys", "count"),
    [
        ({}, 610),  # counted by hand-written loops, see below
        ({"places": ["branch", "after"]}, 178),
        ({"places": ["branch", "after"], "rules": ["all_convs_on_branch", "no_two_equal_in_a_row"]}, 68),
        ({"places": ["branch", "after"], "rules": []}, 630),
        ({"rules": []}, 2520),
    ],
)
def test_the_orders_are_counted(keys: dict[str, object], count: int) -> None:
    every = list(arrange(**keys).all())
    assert len(every) == len(set(every)) == count


def test_every_order_uses_every_op_once() -> None:
    for one in arrange().all():
        assert sorted((*one.branch, *one.shortcut, *one.after)) == sorted(PAPER)
        assert "conv" in one.branch


def test_names_tell_orders_apart() -> None:
    every = list(arrange().all())
    assert len({one.name for one in every}) == len(every)


def test_a_word_is_its_arrangement_and_any_word_leads_to_one() -> None:
    space = arrange()
    for one in list(space.all())[::50]:
        assert space.nearest(space.word(one)) == one
    wrong = space.nearest(("relu",) * space.slots)
    assert space.allows(wrong)


def test_full_preactivation_is_written_as_the_paper_does() -> None:
    node = arrange().unit(Arrangement(("bn", "relu", "conv", "bn", "relu", "conv")))
    assert plain(node) == {
        "unit": "bn_relu_conv_bn_relu_conv_add",
        "doc": "bn relu conv bn relu conv on the branch, add",
        "nodes": {
            "a": {"from": "x", "ops": ["bn", "relu"]},
            "f": {"from": "a", "ops": [{"conv3x3": {"stride": "$stride"}}, "bn", "relu", "conv3x3"]},
            "h": {"from": "x", "ops": [{"shortcut": {"change": "pad", "norm": []}}]},
            "y": {"from": ["h", "f"], "ops": ["add"]},
        },
        "when": [{"if": "first or transition", "nodes": {"h": {"from": "a"}}}],
        "boundary": {"layers": 2, "after_stem": [], "after_last": ["bn", "relu"]},
    }


def test_the_stem_gets_what_the_branch_does_not_lead_with() -> None:
    node = plain(arrange().unit(Arrangement(("relu", "conv", "bn", "relu", "conv", "bn"))))
    assert node["boundary"] == {"layers": 2, "after_stem": ["bn"], "after_last": ["relu"]}  # type: ignore[index, call-overload]


def test_a_convolution_on_the_shortcut_takes_the_stride() -> None:
    node = plain(arrange().unit(Arrangement(("conv", "relu"), ("bn", "conv"), ("relu", "bn"))))
    assert node["nodes"]["h"] == {"from": "x", "ops": ["bn", {"conv3x3": {"stride": "$stride"}}]}  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("{ops: [conv, relu]}", "{ops: [relu]}", "a weight layer is needed among the ops, such as conv3x3"),
        ("{ops: [conv, relu]}", "{ops: [conv, rleu]}", "unknown op `rleu`; did you mean `relu`"),
        ("{ops: [conv]}", "{op: [conv]}", "key `ops` is missing"),
        ("{ops: [conv], around: add}", "{ops: [conv], around: mul}", "the ops stand around `add`, got mul"),
        ("{ops: [conv], places: [branch]}", "{ops: [conv], places: [after]}", "the branch is needed among the places"),
        ("{ops: [conv], rules: []}", "{ops: [conv], rules: [no_two]}", "no_two is none of a_conv_on_branch, "),
        (
            "{ops: [conv, bn, conv]}",
            "{ops: [conv, conv], places: [branch]}",
            "no arrangement of these ops keeps the rules",
        ),
        ("{ops: [conv3x3]}", "{ops: [conv3x3: {stride: 2}]}", "conv3x3: the stride is the unit's"),
        ("{ops: [conv]}", f"{{ops: [{', '.join(['conv', 'bn'] * 6)}]}}", "12 ops; at most 10 can be arranged"),
    ],
)
def test_faults(folder: Path, good: str, bad: str, message: str) -> None:
    assert study(folder, study_text(units=f"[arrange: {good}]"))[1] == []
    problems = study(folder, study_text(units=f"[arrange: {bad}]"))[1]
    assert any(message in problem for problem in problems), problems
