"""Rules of `when`, and what a network may read of its unit: each fault beside a twin without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_sample import told

F = "f: {from: x, ops: [bn]}"
KNOWN = (
    "in, out, stride, unit, units, pos, len, stage, stages, since, first, last, stage_first, stage_last, "
    "transition, channels"
)


def unit(*nodes: str, more: str = "") -> str:
    return "unit: mine\nnodes:\n" + "".join(f"  {node}\n" for node in nodes) + more


@pytest.mark.parametrize(
    ("rule", "messages"),
    [
        ("{if: first, nodes: {f: {from: x}}}", []),
        ("{if: true, nodes: {f: {ops: []}}}", []),
        ("{if: not first and (pos > 0 or stage == 1), nodes: {f: {ops: []}}}", []),
        ("{if: first, nodes: {g: {from: x, ops: []}, y: {from: g}}}", []),
        ("{if: frist, nodes: {f: {from: x}}}",
         [f"6:10: when[0].if: `frist` stands for nothing here; known: {KNOWN}; did you mean `first`?"]),
        ("{if: $first, nodes: {f: {from: x}}}",
         ["6:10: when[0].if: an expression without `$( )` is needed, as in `first or transition`, got $first"]),
        ("{if: 3, nodes: {f: {from: x}}}",
         ["6:10: when[0].if: an expression without `$( )` is needed, as in `first or transition`, got 3"]),
        ("{if: first or, nodes: {f: {from: x}}}", ["6:10: when[0].if: a value is missing at the end of `first or`"]),
        ("{iff: first, nodes: {f: {from: x}}}",
         ["6:5: when[0]: key `if` is missing",
         "6:6: when[0].iff: unknown key `iff`; allowed: if, nodes; did you mean `if`?"]),
        ("{if: first}", ["6:5: when[0]: key `nodes` is missing"]),
        ("first", ["6:5: when[0]: a mapping is needed, got first; keys: if, nodes"]),
        ("{if: first, nodes: {f: {}}}", ["6:28: when[0].nodes.f: `from` or `ops` is needed: what the rule changes"]),
        ("{if: first, nodes: {f: x}}", ["6:28: when[0].nodes.f: a mapping is needed, got x; keys: from, ops"]),
        ("{if: first, nodes: {y: {from: z}}}", ["6:35: when[0].nodes.y.from: `z` is no node; nodes: x, y, f"]),
        ("{if: first, nodes: {g: {from: x}, y: {from: g}}}", ["6:28: when[0].nodes.g: key `ops` is missing"]),
        ("{if: first, nodes: {g: {from: x, ops: []}}}", ["6:25: when[0].nodes.g: node `g` is read by nothing"]),
        ("{if: first, nodes: {f: {ops: [rleu]}}}",
         ["6:35: when[0].nodes.f.ops[0]: unknown op `rleu`; did you mean `relu` or `relu6`?"]),
    ],
)  # fmt: skip
def test_rules(folder: Path, rule: str, messages: list[str]) -> None:
    assert told(folder, unit(F, "y: {from: f, ops: []}", more=f"when:\n  - {rule}\n")) == messages


def test_rules_are_a_list(folder: Path) -> None:
    assert told(folder, unit("y: {from: x, ops: []}", more="when: {if: first, nodes: {}}\n")) == [
        "4:7: when: a list of rules {if, nodes} is needed, got {if: first, nodes: {}}"
    ]


@pytest.mark.parametrize(
    ("boundary", "message"),
    [
        ("{layers: 1, expansion: 4, after_stem: [bn, relu], after_last: []}", None),
        ("{layers: $n}", None),
        ("{layer: 1}",
         "5:12: boundary.layer: unknown key `layer`; allowed: layers, expansion, after_stem, after_last; did "
         "you mean `layers`?"),
        ("[1]", "5:11: boundary: a mapping is needed, got [1]; keys: layers, expansion, after_stem, after_last"),
        ("{after_last: relu}", "5:24: boundary.after_last: a list of ops is needed, got relu; write [relu]"),
        ("{after_last: [rleu]}", "5:25: boundary.after_last[0]: unknown op `rleu`; did you mean `relu` or `relu6`?"),
        ("{expansion: $(out / in)}",
         "5:23: boundary.expansion: `out` is of a place; a boundary knows only the unit's params"),
    ],
)  # fmt: skip
def test_boundary(folder: Path, boundary: str, message: str | None) -> None:
    text = unit("y: {from: x, ops: [scale: {by: $n}]}", more=f"params: {{n: 2}}\nboundary: {boundary}\n")
    assert told(folder, text)[:1] == ([] if message is None else [message])
