"""Nodes, their edges and rules: each fault beside a twin without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_sample import told

from resbench.language.graph.body import MAX_NODES
from resbench.language.graph.references import find_cycle
from resbench.language.yaml.problems import MAX_PROBLEMS

F = "f: {from: x, ops: [bn]}"
FORM = "is not a legal name: expected a small letter, then small letters, digits and `_`"


def unit(*nodes: str, more: str = "") -> str:
    return "unit: mine\nnodes:\n" + "".join(f"  {node}\n" for node in nodes) + more


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("y: {from: x, ops: []}", "y: {from: x}", "3:6: nodes.y: key `ops` is missing"),
        ("y: {from: x, ops: []}", "y: {ops: []}", "3:6: nodes.y: key `from` is missing"),
        ("y: {from: x, ops: []}", "y: x", "3:6: nodes.y: a mapping is needed, got x; keys: from, ops"),
        ("y: {from: x, ops: []}", "y: {from: , ops: []}",
         "3:12: nodes.y.from: `from` names a node or a list of nodes, got null"),
        ("y: {from: [x], ops: []}", "y: {from: [], ops: []}",
         "3:13: nodes.y.from: `from` names a node or a list of nodes, got []"),
        ("y: {from: [x], ops: []}", "y: {from: [3], ops: []}",
         "3:14: nodes.y.from[0]: `from` names a node or a list of nodes, got 3"),
        ("y: {from: [x], ops: []}", "y: {from: [[x]], ops: []}",
         "3:14: nodes.y.from[0]: `from` names a node or a list of nodes, got [x]"),
        ("y: {from: x, ops: [relu]}", "y: {from: x, ops: relu}",
         "3:21: nodes.y.ops: a list of ops is needed, got relu; write [relu]"),
        ("y: {from: x, ops: []}", "y: {from: x, ops: }",
         "3:20: nodes.y.ops: a list of ops is needed, got null; `[]` is no op"),
        ("y: {from: x, ops: []}", "y: {from: xx, ops: []}",
         "3:13: nodes.y.from: `xx` is no node; nodes: x, y; did you mean `x`?"),
        ("y: {from: [x, x], ops: []}", "y: {from: [x, zz], ops: []}",
         "3:17: nodes.y.from[1]: `zz` is no node; nodes: x, y"),
        ("y: {from: x, ops: []}", "y: {from: y, ops: []}", "3:3: nodes.y: a cycle: y <- y"),
        ("y: {from: x, ops: []}", "z: {from: x, ops: []}", "3:3: nodes: node `y`, the result, is missing"),
        ('"y": {from: x, ops: []}', "y: {from: x, ops: [], doc: a}",
         "3:25: nodes.y.doc: unknown key `doc`; allowed: from, ops"),
    ],
)  # fmt: skip
def test_one_node(folder: Path, good: str, bad: str, message: str) -> None:
    assert told(folder, unit(good)) == []
    assert told(folder, unit(bad)) == [message]


def test_a_misspelt_key_is_missing_too(folder: Path) -> None:
    assert told(folder, unit("y: {form: x, ops: []}")) == [
        "3:6: nodes.y: key `from` is missing",
        "3:7: nodes.y.form: unknown key `form`; allowed: from, ops; did you mean `from`?",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unit: mine\n", "1:1: key `nodes` is missing"),
        ("unit: mine\nnodes: {}\n", "2:8: nodes: node `y`, the result, is missing"),
        ("unit: mine\nnodes:\n", "2:7: nodes: a mapping from node names to {from, ops} is needed, got null"),
        ("unit: mine\nnodes: [a]\n", "2:8: nodes: a mapping from node names to {from, ops} is needed, got [a]"),
        (unit("y: {from: x, ops: []}", more="parms: {a: 1}\n"),
         "4:1: parms: unknown key `parms`; allowed: unit, nodes, doc, "
         "cite, extends, params, when, boundary; did you mean `params`?"),
        (unit("y: {from: x, ops: []}", more="params: [a]\n"),
         "4:9: params: a mapping from names to values is needed, got [a]"),
        (unit("y: {from: x, ops: []}", more="doc: [a]\n"), "4:6: doc: a text is needed, got [a]"),
        ("unit:\nnodes: {y: {from: x, ops: []}}\n", "1:6: unit: a name is needed, got null"),
        ("unit: ../mine\nnodes: {y: {from: x, ops: []}}\n", f"1:7: unit: `../mine` {FORM}"),
        ("unit: a\\b\nnodes: {y: {from: x, ops: []}}\n", f"1:7: unit: `a\\b` {FORM}"),
        ("unit: '[/red]'\nnodes: {y: {from: x, ops: []}}\n", f"1:7: unit: `[/red]` {FORM}"),
        ("unit: <script>\nnodes: {y: {from: x, ops: []}}\n", f"1:7: unit: `<script>` {FORM}"),
        ('unit: "a\\nb"\nnodes: {y: {from: x, ops: []}}\n', f"1:7: unit: `a\\x0ab` {FORM}"),
    ],
)  # fmt: skip
def test_the_file_s_own_keys(folder: Path, text: str, message: str) -> None:
    assert told(folder, text) == [message]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("forward", "`forward` is an attribute of every torch module"),
        ("train", "`train` is an attribute of every torch module"),
        ("class", "`class` is a word of Python"),
        ("true", "`true` is a value, not a name"),
        ("Conv", f"`Conv` {FORM}"),
        ('"a.b"', f"`a.b` {FORM}"),
        ('"[/red]"', f"`[/red]` {FORM}"),
    ],
)
def test_names_of_nodes(folder: Path, name: str, reason: str) -> None:
    nodes = [f"{name}: {{from: x, ops: []}}", f"y: {{from: {name}, ops: []}}"]
    assert told(folder, unit(*nodes))[0] == f"3:3: nodes.{name.strip(chr(34))}: {reason}"
    assert told(folder, unit(*(node.replace(name, "good") for node in nodes))) == []


def test_a_control_character_in_a_name_is_told_and_never_printed(folder: Path) -> None:
    messages = told(folder, unit('"\\e[31mred": {from: x, ops: []}', 'y: {from: "\\e[31mred", ops: []}'))
    assert messages[0] == "3:3: nodes: character U+001B is not allowed in a text"
    assert messages[1] == f"3:3: nodes.\\x1b[31mred: `\\x1b[31mred` {FORM}"
    assert not any("\x1b" in message for message in messages)


def test_the_input_is_no_node(folder: Path) -> None:
    assert told(folder, unit("x: {from: x, ops: []}", "y: {from: x, ops: []}")) == [
        "3:3: nodes.x: `x` is an input; a node needs another name"
    ]


def test_a_cycle_is_told_with_its_path(folder: Path) -> None:
    ring = ["a: {from: c, ops: []}", "b: {from: a, ops: []}", "c: {from: b, ops: []}", "y: {from: c, ops: []}"]
    assert told(folder, unit(*ring)) == ["3:3: nodes.a: a cycle: a <- c <- b <- a"]
    assert told(folder, unit(ring[0].replace("c", "x"), *ring[1:])) == []


def test_a_cycle_of_many_is_found_without_recursion() -> None:
    ring = {str(i): [str(i + 1)] for i in range(5_000)}
    assert find_cycle(ring) is None
    assert find_cycle({**ring, "5000": ["0"]}) == [*map(str, range(5_001)), "0"]


@pytest.mark.parametrize(
    ("nodes", "unread"),
    [
        (["a: {from: x, ops: []}", "y: {from: x, ops: []}"], "3:3: nodes.a: node `a` is read by nothing"),
        (["y: {from: x, ops: []}", "a: {from: y, ops: []}"], "4:3: nodes.a: node `a` is read by nothing"),
    ],
)
def test_a_node_that_nothing_reads(folder: Path, nodes: list[str], unread: str) -> None:
    assert told(folder, unit(*nodes)) == [unread]


def test_a_chain_that_leads_nowhere_is_told_whole(folder: Path) -> None:
    chain = ["a: {from: x, ops: []}", "b: {from: a, ops: []}", "y: {from: x, ops: []}"]
    assert told(folder, unit(*chain)) == [
        "3:3: nodes.a: node `a` is read by nothing",
        "4:3: nodes.b: node `b` is read by nothing",
    ]


@pytest.mark.parametrize(
    "edges",
    [
        "params: {source: {default: x, choices: [x, f]}}\n",
        "params: {source: {default: none, cases: {none: x, some: [f]}}}\n",
        "params: {source: $('f' if first else 'x')}\n",
    ],
)
def test_an_edge_may_be_a_param(folder: Path, edges: str) -> None:
    assert told(folder, unit(F, "y: {from: $source, ops: []}", more=edges)) == []
    other = edges.replace("f]", "x, z]").replace("[x, x, z]", "[x, z]").replace("'f'", "'z'")
    assert told(folder, unit(F, "y: {from: $source, ops: []}", more=other)) == [
        "3:3: nodes.f: node `f` is read by nothing"
    ]


def test_an_edge_may_be_an_expression(folder: Path) -> None:
    assert told(folder, unit(F, "y: {from: $('f' if first else 'x'), ops: []}")) == []


def test_too_many_nodes(folder: Path) -> None:
    chain = ["n0: {from: x, ops: []}", *(f"n{i}: {{from: n{i - 1}, ops: []}}" for i in range(1, MAX_NODES - 1))]
    assert told(folder, unit(*chain, f"y: {{from: n{MAX_NODES - 2}, ops: []}}")) == []
    assert told(folder, unit(*chain, "a: {from: x, ops: []}", "y: {from: x, ops: []}"))[0].endswith(
        f"nodes: {MAX_NODES + 1} nodes; at most {MAX_NODES} are allowed"
    )


def test_every_problem_is_told_at_once_by_line(folder: Path) -> None:
    text = """unit: Mine
params: {p: 1, q: {default: 3, range: [0, 2]}}
nodes:
  a: {from: x, ops: [rleu]}
  b: {from: a, ops: [conv3x3: {strid: 2}]}
  y: {from: [b, zz], ops: [add], ops: []}
when:
  - {if: frist, nodes: {b: {from: x}}}
"""
    assert [message.split(": ", 2)[:2] for message in told(folder, text)] == [
        ["1:7", "unit"],
        ["2:10", "params.p"],
        ["2:16", "params.q"],
        ["2:29", "params.q.default"],
        ["4:22", "nodes.a.ops[0]"],
        ["5:32", "nodes.b.ops[0].conv3x3.strid"],
        ["6:17", "nodes.y.from[1]"],
        ["6:34", "nodes.y.ops"],
        ["8:10", "when[0].if"],
    ]


def test_no_more_problems_than_anybody_reads(folder: Path) -> None:
    ops = ", ".join(f"rleu{i}" for i in range(900))
    messages = told(folder, unit(f"y: {{from: x, ops: [{ops}]}}"))
    assert messages[0] == f"{MAX_PROBLEMS} problems, and there may be more:"
    assert len(messages) == MAX_PROBLEMS + 1


def test_constants_of_a_repeat_and_of_the_boundary_are_told_beside_values_of_ops(folder: Path) -> None:
    text = unit("y: {from: x, ops: [repeat: {times: x, ops: [conv3x3: {stride: q, out: [1]}]}]}")
    problems = told(folder, f"{text}boundary: {{layers: two, expansion: 0.5, after_stem: [rleu]}}\n")
    parts = ["stride must be", "out must be", "repeat: times must be a whole number, got x"]
    parts += [
        "layers must be a whole number, got two",
        "expansion must be a whole number, got 0.5",
        "unknown op `rleu`",
    ]
    assert len(problems) == len(parts), problems
    assert all(any(part in line for line in problems) for part in parts), problems
