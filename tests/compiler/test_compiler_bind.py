"""Names bound at a place: rules, inserted lists, repeats, blocks, and what is built of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from compiler_sample import bind, folder, net, ops, scales, unit_graph, use, weighted

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import Graph
from resbench.errors import SpecError
from resbench.language.graph.params import Choices, Domain
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node, from_plain
from resbench.ops.schema import table


def out(graph: Graph, path: str) -> int:
    return next(op.shape[0] for op in graph.ops if op.path == path)


def test_channels_is_what_reaches_the_op_and_in_what_enters_the_unit() -> None:
    graph = unit_graph(
        {
            "f": {
                "from": "x",
                "ops": [
                    {"conv1x1": {"out": "$(2 * channels)"}}, {"conv1x1": {"out": "$(channels + 1)"}},
                    {"conv1x1": {"out": "$(in + 1)"}}, "dwconv3x3", "conv1x1",
                ],
            },
            "y": {"from": "f", "ops": []},
        },
        known={"out": 6},
    )  # fmt: skip
    assert [op.shape[0] for op in graph.ops] == [8, 9, 5, 5, 6]


def test_a_later_rule_wins_and_rules_add_nodes() -> None:
    when = [
        {"if": "unit >= 1", "nodes": {"h": {"ops": [{"scale": {"by": 0.1}}]}}},
        {"if": "unit == 2 or unit == 3", "nodes": {"h": {"ops": [{"scale": {"by": 0.2}}]}}},
        {"if": "unit == 3", "nodes": {"a": {"from": "x", "ops": ["bn"]}, "h": {"from": "a"}}},
    ]
    nodes = {"h": {"from": "x", "ops": []}, "y": {"from": "h", "ops": ["relu"]}}
    graphs = [unit_graph(nodes, when=when, known={"unit": unit}) for unit in range(4)]
    assert [ops(graph) for graph in graphs] == [
        ["y.relu1"], ["h.scale1", "y.relu1"], ["h.scale1", "y.relu1"], ["a.bn1", "h.scale1", "y.relu1"],
    ]  # fmt: skip
    assert [scales(graph) for graph in graphs] == [[], [0.1], [0.2], [0.2]]


def test_the_result_may_come_from_a_rule_but_must_be_there() -> None:
    nodes = {"a": {"from": "x", "ops": ["relu"]}}
    when = [{"if": "unit == 1", "nodes": {"y": {"from": "a", "ops": ["bn"]}}}]
    assert ops(unit_graph(nodes, when=when, known={"unit": 1})) == ["a.relu1", "y.bn1"]
    with pytest.raises(SpecError, match=r"when\[0\].nodes.y: `y` is the result, and no rule that gives it holds"):
        unit_graph(nodes, when=when, known={"unit": 0})


def test_nodes_run_in_the_order_written_where_that_is_legal() -> None:
    graph = unit_graph(
        {
            "y": {"from": ["b", "a"], "ops": ["concat"]},
            "b": {"from": "c", "ops": ["tanh"]},
            "a": {"from": "x", "ops": ["relu"]},
            "c": {"from": "x", "ops": ["silu"]},
        }
    )
    assert ops(graph) == ["a.relu1", "c.silu1", "b.tanh1", "y.concat1"]
    assert graph.ops[-1].inputs == (3, 1)


def test_what_nothing_reads_at_a_place_is_not_built_there() -> None:
    nodes = {
        "g": {"from": "x", "ops": ["conv1x1", "sigmoid"]},
        "h": {"from": "x", "ops": []},
        "y": {"from": "h", "ops": ["relu"]},
    }
    when = [{"if": "transition", "nodes": {"h": {"from": ["g", "x"], "ops": ["multiply"]}}}]
    assert ops(unit_graph(nodes, when=when)) == ["y.relu1"]
    assert len(ops(unit_graph(nodes, when=when, known={"transition": True}))) == 4


def test_repeat() -> None:
    ops_ = [{"repeat": {"times": "$n", "ops": ["conv3x3", "bn"]}}, "relu"]
    assert ops(unit_graph({"y": {"from": "x", "ops": ops_}}, params={"n": 2})) == [
        "y.conv1", "y.bn1", "y.conv2", "y.bn2", "y.relu1",
    ]  # fmt: skip
    assert ops(unit_graph({"y": {"from": "x", "ops": ops_}}, params={"n": 0})) == ["y.relu1"]
    with pytest.raises(SpecError, match=r"times must be a whole number from 0 to 1,000, got \$n = 1.5"):
        unit_graph({"y": {"from": "x", "ops": ops_}}, params={"n": 1.5})


def test_an_edge_may_be_a_param() -> None:
    nodes = {
        "a": {"from": "x", "ops": ["bn"]},
        "g": {"from": "x", "ops": ["sigmoid"]},
        "f": {"from": "$source", "ops": ["relu"]},
        "y": {"from": "$sum", "ops": ["add"]},
    }
    params = {
        "source": {"default": "x", "choices": ["x", "a"]},
        "sum": {"default": "two", "cases": {"two": ["x", "f"], "three": ["x", "f", "g"]}},
    }
    assert ops(unit_graph(nodes, params=params)) == ["f.relu1", "y.add1"]
    params["source"]["default"], params["sum"]["default"] = "a", "three"
    graph = unit_graph(nodes, params=params)
    assert ops(graph) == ["a.bn1", "g.sigmoid1", "f.relu1", "y.add1"]
    assert graph.ops[-1].inputs == (0, 3, 2)


GATED = """
unit: gated
params:
  mode: {default: none, choices: [none, gate]}
  gate_bias: {default: -6, choices: [-6, 0]}
  start: $(gate_bias / 2)
nodes:
  g: {from: x, ops: [conv1x1: {bias: true, bias_init: $start}, sigmoid]}
  f: {from: x, ops: [conv3x3]}
  y: {from: [x, f], ops: [add]}
when:
  - {if: mode == 'gate', nodes: {y: {from: [g, f], ops: [multiply]}}}
"""


@pytest.mark.parametrize(("mode", "asked"), [("none", ["unit.mode"]), ("gate", ["unit.mode", "unit.gate_bias"])])
def test_an_idle_param_is_never_asked(tmp_path: Path, mode: str, asked: list[str]) -> None:
    seen: dict[str, Domain] = {}

    def choose(name: str, domain: Domain) -> Node:
        seen.setdefault(name, domain)
        return Node(mode if name == "unit.mode" else 0)

    library = folder(
        tmp_path,
        gated=GATED,
        small="network: small\ninput: [3, 8, 8]\nclasses: 2\nunit: gated\nstem: [conv1x1: {out: 4}]\n"
        "stages: [{units: 2, out: 4}]\nhead: [global_avg_pool, linear: {out: $classes}]",
    )
    request = Request(use("small"), use("gated"), choose=choose, vary=frozenset({"mode", "gate_bias"}))
    bound = bind_network(request, library)
    assert list(seen) == asked
    assert all(isinstance(domain, Choices) for domain in seen.values())
    biases = [dict(op.arguments)["bias_init"] for _, op in bound.ops() if op.path == "g.conv1"]
    assert biases == ([0.0, 0.0] if mode == "gate" else [])


def test_a_domain_outside_a_study_is_refused(tmp_path: Path) -> None:
    library = folder(tmp_path, gated=GATED)
    with pytest.raises(SpecError, match=r"`network.depth` is a domain; a domain is allowed only in a study"):
        bind("resnet_cifar", "gated", depth={"choices": [20, 56]}, library=library)


def test_statistics_over_a_map_of_one_pixel() -> None:
    """BN behind a global pool has more than one value a channel in any batch that trains; binding must not say otherwise."""
    graph = unit_graph({"y": {"from": "x", "ops": ["global_avg_pool", "conv1x1", "bn", "relu"]}})
    assert graph.output_shape == (4, 1, 1)


@pytest.mark.parametrize(
    ("written", "bound"),
    [
        ("ones", 1.0), ("zeros", 0.0), (1, 1.0), (0.5, 0.5), ({"normal": 1}, (("normal", 1.0),)),
        ("$sd", 0.1), ("$word", 1.0),
    ],
)  # fmt: skip
def test_a_start_is_said_in_one_way(written: object, bound: object) -> None:
    params = {name: value for name, value in (("sd", 0.1), ("word", "ones")) if f"${name}" in str(written)}
    graph = unit_graph({"y": {"from": "x", "ops": [{"conv3x3": {"init": written}}]}}, params=params)
    (value,) = [value for name, value in graph.ops[0].arguments if name == "init"]
    assert (value, repr(value)) == (bound, repr(bound))


def test_the_table_of_ops_is_all_that_binding_needs() -> None:
    library = Library(table())
    assert library.signature("conv3x3") is None
    assert library.signature("shortcut") is not None
    assert from_plain("$x").value is not None


def test_no_two_ops_have_one_path() -> None:
    """The sixty-first `relu` and the first `relu6`."""
    graph = unit_graph(
        {"y": {"from": "x", "ops": ["relu6", {"repeat": {"times": 61, "ops": ["bn", "relu"]}}, "relu6"]}}
    )
    paths = ops(graph)
    assert len(set(paths)) == len(paths) == 124
    assert [op.path for op in graph.ops if op.op == "relu6"] == ["y.relu61", "y.relu63"]
    assert float(weighted(net(graph)).stages[0].units[0].y.relu61(torch.tensor(100.0))) == 6


def test_a_block_whose_params_rest_on_each_other_is_refused_whatever_is_read_first(tmp_path: Path) -> None:
    head = "unit: u\nnodes:\n  y: {from: x, ops: [conv1x1: {out: 8}, b]}\nboundary: {layers: 2}\n"
    body = "params: {out: $(mid * 2), mid: $(out / 4)}\nnodes:\n  y: {from: x, ops: ["
    for order in ("conv1x1: {out: $out}, conv1x1: {out: $mid}", "conv1x1: {out: $mid}, conv1x1: {out: $out}"):
        library = folder(tmp_path, b=f"block: b\n{body}{order}]}}\n", u=head)
        with pytest.raises(SpecError, match="depends on itself"):
            bind("resnet_cifar", "u", library=library, depth=14, width=4)


def test_what_a_network_hands_to_its_unit_may_read_the_place(tmp_path: Path) -> None:
    library = folder(
        tmp_path,
        n="network: n\nunit: {use: u, by: $(8 + pos)}\ninput: [3, 8, 8]\nclasses: 10\nstages: [{units: 3}]\n"
        "head: [global_avg_pool, linear: {out: $classes}]\n",
        u="unit: u\nparams: {by: 1}\nnodes: {y: {from: x, ops: [scale: {by: $by}]}}\n",
    )
    bound = bind("n", library=library)
    assert [scales(unit) for unit in bound.stages[0].units] == [[8], [9], [10]]


def test_a_list_of_lists_handed_on_to_a_param_with_choices(tmp_path: Path) -> None:
    library = folder(
        tmp_path,
        n="network: n\nparams: {pp: [[1, 2], [3, 4]]}\nunit: {use: u, p: $pp}\ninput: [3, 8, 8]\nclasses: 10\n"
        "stages: [{units: 1}]\nhead: [global_avg_pool, linear: {out: $classes}]\n",
        u="unit: u\nparams:\n  p: {default: [[1, 2], [3, 4]], choices: [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]}\n"
        'nodes: {y: {from: x, ops: [scale: {by: "$(p[0][1])"}]}}\n',
    )
    assert scales(bind("n", library=library).stages[0].units[0]) == [2]


def test_an_idle_list_behind_the_last_unit_needs_no_place(tmp_path: Path) -> None:
    """`after_last: $tail`, where `tail` stands for nothing."""
    network = "network: n\nunit: u\ninput: [3, 8, 8]\nclasses: 10\nstages: [{units: 1}]\n"
    network += "head: [global_avg_pool, linear: {out: $classes}]\n"
    unit = "unit: u\nparams: {tail: []}\nnodes: {y: {from: x, ops: [bn]}}\nboundary: {after_last: $tail}\n"
    bind("n", library=folder(tmp_path, n=network, u=unit))
    with pytest.raises(SpecError, match=r"network n does not place `\$after_last`, which this unit needs"):
        bind("n", library=folder(tmp_path, n=network, u=unit.replace("[]}", "[relu]}", 1)))
