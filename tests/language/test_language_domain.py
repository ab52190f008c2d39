"""Params: values, expressions, choices, ranges, cases, look-ups."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_sample import told

from resbench.errors import Reason
from resbench.language.graph.params import Choices, Param, Range, is_domain, parse_param
from resbench.language.yaml.node import Node, from_plain
from resbench.language.yaml.problems import Problems
from resbench.language.yaml.reader import read_value


def param(text: str) -> tuple[Param, list[str]]:
    """The param, and what is wrong with it."""
    check = Problems()
    found = parse_param("p", read_value(text, "p"), check)
    return found, [str(problem).split("\n")[0] for problem in check.problems]


@pytest.mark.parametrize(
    "text", ["3", "relu", "no", "null", "[bn, relu]", "[]", "$(2 * out)", "{normal: 0.1}", "{scale: {by: 2}}"]
)
def test_a_value_has_no_domain(text: str) -> None:
    found, problems = param(text)
    assert (found.domain, found.by, problems) == (None, None, [])
    assert found.default == read_value(text, "p")


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("{default: 1, range: [0, 10]}", Range(0, 10, 1, False, True)),
        ("{default: 4, range: [0, 10], step: 2}", Range(0, 10, 2, False, True)),
        ("{default: 1, range: [0, 10.0]}", Range(0, 10, None, False, False)),
        ("{default: 0.3, range: [0, 1], step: 0.1}", Range(0, 1, 0.1, False, False)),
        ("{default: 1, range: [1, 100], log: true}", Range(1, 100, None, True, True)),
        ("{default: 1e-2, range: [1e-3, 1.0], log: true}", Range(1e-3, 1, None, True, False)),
        ("{default: 2, range: [2, 2]}", Range(2, 2, 1, False, True)),
    ],
)
def test_ranges(text: str, domain: Range) -> None:
    found, problems = param(text)
    assert (found.domain, problems) == (domain, [])


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{default: relu, choices: [relu, silu]}", ("relu", "silu")),
        ("{default: no, choices: [no, off]}", ("no", "off")),
        ("{default: [], choices: [[bn, relu], []]}", ("[bn, relu]", "[]")),
        ('{default: 1, choices: [1, true, "1", "true", null]}', ("1", "true", '"1"', '"true"', "null")),
        ("{default: pad, cases: {pad: [relu], 8: [bn]}}", ("pad", "8")),
    ],
)
def test_choices_differ_by_type_and_value(text: str, labels: tuple[str, ...]) -> None:
    found, problems = param(text)
    assert isinstance(found.domain, Choices)
    assert problems == []
    assert found.domain.labels == labels


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("{default: 1, range: [2, 0]}", ["p:1:21: range: low 2 is above high 0"]),
        ("{default: 1, range: [0, 2], log: true}", ["p:1:21: range: a log range must start above 0, got 0"]),
        ("{default: 1, range: [-1, 2], log: true}", ["p:1:21: range: a log range must start above 0, got -1"]),
        ("{default: 1, range: [1, 2], log: true, step: 1}", ["p:1:46: step: a log range cannot have a step"]),
        ("{default: 1, range: [1, 2], log: yes}", ["p:1:34: log: true or false is needed, got yes"]),
        ("{default: 0, range: [0, 10], step: 3}", ["p:1:36: step: step 3 does not divide [0, 10]"]),
        ("{default: 0, range: [0, 1], step: 0.3}", ["p:1:35: step: step 0.3 does not divide [0, 1]"]),
        ("{default: 0, range: [0, 10], step: 0}", ["p:1:36: step: a step must be above 0, got 0"]),
        ("{default: 0, range: [0, 10], step: -1}", ["p:1:36: step: a step must be above 0, got -1"]),
        ("{default: 0, range: [0, 10], step: 1e-300}", ["p:1:36: step: step 1e-300 is too small for [0, 10]"]),
        ("{default: 1, range: [1]}", ["p:1:21: range: two numbers [low, high] are needed, got [1]"]),
        ("{default: 1, range: 3}", ["p:1:21: range: two numbers [low, high] are needed, got 3"]),
        ("{default: 1, range: [a, .inf]}",
         ["p:1:22: range[0]: a number is needed, got a", "p:1:25: range[1]: a number is needed, got .inf"]),
        ("{default: 1, range: [0, .nan]}", ["p:1:25: range[1]: a number is needed, got .nan"]),
        ("{default: 1, range: [false, true]}",
         ["p:1:22: range[0]: a number is needed, got false", "p:1:29: range[1]: a number is needed, got true"]),
        ("{default: 1, range: [0, 9007199254740993]}", ["p:1:21: range: the ends of a range must be within 10^15"]),
        ("{default: 1, choices: []}", ["p:1:23: choices: choices are empty; at least one is needed"]),
        ("{default: 1, choices: 1}", ["p:1:23: choices: a list of choices is needed, got 1"]),
        ("{default: 1, choices: [1, 2, 1]}", ["p:1:30: choices[2]: choice 1 is given twice"]),
        ("{default: 1, choices: [1, 1.0]}", ["p:1:27: choices[1]: choice 1 is given twice"]),
        ("{default: a, cases: {}}", ["p:1:21: cases: a mapping from names to values is needed, got {}"]),
        ("{default: a, cases: [a]}", ["p:1:21: cases: a mapping from names to values is needed, got [a]"]),
        ("{choices: [1]}", ["p:1:1: key `default` is missing: the value where no study says otherwise"]),
        ("{default: 1}", ["p:1:1: one of choices, range, cases is needed with a default"]),
        ("{default: 1, rnge: [0, 2]}",
         ["p:1:14: rnge: unknown key `rnge`; allowed: default, choices, range, cases, step, log; did you mean `range`?",
          "p:1:1: one of choices, range, cases is needed with a default"]),
        ("{default: 1, range: [0, 2], choices: [1]}", ["p:1:1: one of choices, range, cases is needed, got "
         "choices, range"]),
        ("{default: 1, range: [0, 2], stp: 1}",
         ["p:1:29: stp: unknown key `stp`; allowed: range, default, step, log; did you mean `step`?"]),
        ("{default: 3, range: [0, 2]}", ["p:1:11: default: 3 is not within [0, 2]"]),
        ("{default: 1.5, range: [0, 2]}", ["p:1:11: default: 1.5 must be a whole number"]),
        ("{default: 1, range: [0, 9], step: 3}", ["p:1:11: default: 1 is no step of 3 from 0"]),
        ("{default: true, range: [0, 2]}", ["p:1:11: default: true is not within [0, 2]"]),
        ("{default: rleu, choices: [relu, silu]}",
         ["p:1:11: default: rleu is not among the choices: relu, silu; did you mean `relu`?"]),
        ("{default: true, choices: [1]}", ["p:1:11: default: true is not among the choices: 1"]),
        ('{default: "1", choices: [1]}', ['p:1:11: default: "1" is not among the choices: 1']),
        ("{default: 1, by: $out, cases: {1: 2}}", ["p:1:2: default: unknown key `default`; allowed: by, cases"]),
        ("{by: $out}", ["p:1:1: key `cases` is missing"]),
        ("{by: $out, cases: 3}", ["p:1:19: cases: a mapping from names to values is needed, got 3"]),
    ],
)  # fmt: skip
def test_a_wrong_domain(text: str, messages: list[str]) -> None:
    assert param(text)[1] == messages


def test_a_look_up_has_no_default() -> None:
    found, problems = param("{by: $(depth - 2), cases: {8: [2, 2], 16: [3, 4]}}")
    assert problems == []
    assert found.by is not None
    assert isinstance(found.domain, Choices)
    assert found.domain.labels == ("8", "16")


def picked(text: str, given: object) -> object:
    return param(text)[0].pick(from_plain(given)).value  # type: ignore[arg-type]


def test_a_fixed_value_is_held_to_the_domain() -> None:
    whole, broken = "{default: 1, range: [0, 4]}", "{default: 0.5, range: [0.0, 1.0]}"
    assert picked(whole, 4) == 4
    assert picked(broken, 1) == 1
    for text, given, message in (
        (whole, 5, "5 is not within [0, 4]"),
        (whole, "1", '"1" is not within [0, 4]'),
        (broken, 1.1, "1.1 is not within [0, 1]"),
        ("{default: a, choices: [a, b]}", "c", "c is not among the choices: a, b"),
    ):
        with pytest.raises(Reason) as caught:
            picked(text, given)
        assert str(caught.value) == message


def test_a_case_goes_by_its_name() -> None:
    text = "{default: pad, cases: {pad: 1, 8: 2, null: 3}}"
    assert [picked(text, given) for given in ("pad", 8, "8", None, "null")] == [1, 2, 2, 3, 3]
    with pytest.raises(Reason, match="1 is not among the choices: pad, 8, null"):
        picked(text, 1)


def test_an_expression_is_checked_where_it_is_worked_out() -> None:
    assert picked("{default: 1, range: [0, 4]}", "$out") is not None


def test_what_a_domain_looks_like() -> None:
    assert is_domain(read_value("{choices: [1]}", "p"))
    assert is_domain(read_value("{range: [0, 1]}", "p"))
    assert not is_domain(read_value("{at: [0.5], by: 0.1}", "p"))
    assert not is_domain(Node(3))


def unit(params: str, reads: str = "$p") -> str:
    return f"unit: mine\nparams: {{{params}}}\nnodes:\n  y: {{from: x, ops: [scale: {{by: {reads}}}]}}\n"


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("p: 1", "p: 1, q: 2", "2:16: params.q: param `q` is read by nothing"),
        ("p: $q, q: 1", "p: 1, q: $r, r: $q", "2:16: params.q: param `q` is read by nothing"),
        ("p: $q, q: $out", "p: $q, q: $otu", "2:20: params.q: `otu` stands for nothing here"),
        ("p: 1", "p: 1, in: 3", "2:16: params.in: `in` is a name that the language defines; a param needs another"),
        ("p: 1", "p: 1, channels: 3", "2:16: params.channels: `channels` is a name that the language defines"),
        ("p: 1", "p: 1, layers: 3", "2:16: params.layers: `layers` is a name that the language defines"),
        ("p: 1", "p: 1, out: 3", "2:16: params.out: `out` is a name that the language defines"),
        ("p: 1", "p: 1, forward: 3", "2:16: params.forward: `forward` is an attribute of every torch module"),
        ("p: [relu, $q], q: bn", "p: [relu, $q], q: [bn, $p]", "2:10: params.p: param `p` holds itself"),
    ],
)
def test_params_of_a_file(folder: Path, good: str, bad: str, message: str) -> None:
    assert told(folder, unit(good)) == []
    assert told(folder, unit(bad))[0].startswith(message)


def test_a_param_read_only_by_a_rule_is_read(folder: Path) -> None:
    rule = "when:\n  - {if: p > 0, nodes: {y: {ops: [relu]}}}\n"
    assert told(folder, unit("p: 1, q: 2", "$q") + rule) == []
    assert told(folder, unit("p: 1, q: 2", "$q") + rule.replace("p >", "o >"))[0].startswith(
        "2:10: params.p: param `p` is read by nothing"
    )


def test_a_hundred_params_are_enough(folder: Path) -> None:
    chain = ", ".join(f"p{i}: $p{i + 1}" for i in range(99))
    assert told(folder, unit(f"{chain}, p99: 1", "$p0")) == []
    assert "2:9: params: 101 params; at most 100 are allowed" in told(folder, unit(f"{chain}, p99: $z, z: 1", "$p0"))


@pytest.mark.parametrize("name", ["out", "stride"])
def test_a_block_may_bear_two_of_the_given_names(folder: Path, name: str) -> None:
    block = f"block: mine\nparams: {{{name}: ${name}}}\nnodes:\n  y: {{from: x, ops: [conv3x3]}}\n"
    assert told(folder, block, "block") == []
    assert told(folder, block.replace(name, "in"), "block")[0].startswith("2:10: params.in: `in` is a name")


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "{range: [9, 1], step: -1, log: 3, default: 4}",
            ["low 9 is above high 1", "a step must be above 0, got -1", "true or false is needed, got 3"],
        ),
        ("{range: [0, x], step: z, log: 1, default: 4}", ["got x", "got z", "true or false is needed, got 1"]),
        ("{range: [1, x], step: 1, log: true, default: 4}", ["got x", "a log range cannot have a step"]),
        (
            "{choices: [1, 1], default: 7, extra: 2}",
            ["is given twice", "7 is not among the choices: 1", "unknown key `extra`"],
        ),
    ],
)
def test_every_fault_of_a_domain_is_told_at_once(text: str, problems: list[str]) -> None:
    _, found = param(text)
    assert len(found) == len(problems), found
    assert all(any(part in line for line in found) for part in problems), found
