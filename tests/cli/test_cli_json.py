"""Every reading command with --json: it parses, has the keys that are promised, and is all of stdout."""

from __future__ import annotations

import pytest
from command_line import Rb

TOP = {
    "rank", "unit", "digest", "n", "converged", "diverged", "median", "mean", "std", "ci_low", "ci_high", "tied_with_best",
    "params", "macs", "train_s",
}  # fmt: skip
V_RUNS = {"study", "unit", "digest", "seed", "status", "val_error_pct", "params", "macs", "train_s"}
UNITS = {"plain", "original", "full_preactivation"}


def test_results_top(read: Rb) -> None:
    rows = read("results", "top", "small", "--json").json
    assert all(set(row) >= TOP for row in rows)
    assert {row["unit"] for row in rows} == UNITS
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert [row["mean"] for row in rows] == sorted(row["mean"] for row in rows)
    for row in rows:
        assert (row["n"], row["converged"], row["diverged"], row["params"], row["macs"]) == (3, 3, 0, 1320, 12752)
        assert row["ci_low"] < row["mean"] < row["ci_high"]
        assert row["std"] > 0
        assert row["train_s"] > 0
    assert rows[0]["tied_with_best"] is True


def test_top_and_the_view_agree(read: Rb) -> None:
    view = {row["unit"]: row for row in read("query", "SELECT * FROM v_leaderboard", "--json").json}
    for row in read("results", "top", "small", "--json").json:
        same = view[row["unit"]]
        for key in ("digest", "n", "converged", "diverged", "params", "macs"):
            assert row[key] == same[key]
        for key in ("mean", "std", "median", "train_s"):
            assert row[key] == pytest.approx(same[key], rel=1e-9)


def test_v_runs(read: Rb) -> None:
    rows = read("query", "SELECT * FROM v_runs", "--json").json
    assert len(rows) == 9
    assert all(set(row) >= V_RUNS for row in rows)
    assert {row["status"] for row in rows} == {"complete"}
    assert read("query", "SELECT unit FROM v_runs WHERE seed > 99", "--json").json == []


def test_results_compare(read: Rb) -> None:
    (row,) = read("results", "compare", "small", "plain", "original", "--json").json
    tops = {r["unit"]: r["mean"] for r in read("results", "top", "small", "--json").json}
    assert (row["a"], row["b"], row["method"], row["n_a"], row["n_b"]) == ("plain", "original", "welch", 3, 3)
    assert row["difference"] == pytest.approx(tops["plain"] - tops["original"])
    assert row["ci_low"] < row["difference"] < row["ci_high"]
    assert 0 <= row["p"] <= row["p_holm"] <= 1
    assert row["claim"] in (True, False)
    assert len(read("results", "compare", "small", *UNITS, "--json").json) == 3


def test_results_compare_exact(read: Rb) -> None:
    (row,) = read("results", "compare", "small", "plain", "original", "--exact", "--json").json
    assert row["method"] == "exact"
    assert row["smallest_p"] == pytest.approx(0.1)
    assert row["p"] >= 0.1 - 1e-12
    assert row["claim"] is False


def test_results_show(read: Rb) -> None:
    run = read("query", "SELECT * FROM v_runs WHERE run_id = 2", "--json").json[0]
    shown = read("results", "show", 2, "--json").json
    for key in ("seed", "status", "val_error_pct", "train_s", "epochs"):
        assert shown["run"][key] == run[key]
    assert shown["studies"] == [["small", run["unit"]]]
    assert shown["macs"] == run["macs"]
    assert shown["architecture"]["digest"] == run["digest"]
    assert shown["recipe"]["spec"]["optimizer"]["lr"] == 0.1
    assert [epoch["epoch"] for epoch in shown["epochs"]] == [1]
    assert shown["environment"]["device"]
    assert shown["repeat"] == "resbench results repeat 2 --db resbench.db"


def test_results_list(read: Rb) -> None:
    (row,) = read("results", "list", "--json").json
    assert (row["study"], row["runs"]) == ("small", 9)


def test_results_repeat_is_bit_for_bit(read: Rb) -> None:
    said = read("results", "repeat", 4, "--json")
    (run,) = read("query", "SELECT val_error_pct FROM v_runs WHERE run_id = 4", "--json").json
    assert said.status == 0
    error = run["val_error_pct"]
    assert said.json == {"run": 4, "same": True, "val_error_pct": error, "again": error, "differs": {}}


def test_study_check(read: Rb) -> None:
    rows = read("study", "check", "small.yaml", "--json").json
    assert [row["name"] for row in rows] == ["plain", "original"]
    assert {"name", "unit", "labels", "digest", "params", "macs"} <= set(rows[0])
    digests = {row["unit"]: row["digest"] for row in read("results", "top", "small", "--json").json}
    assert all(digests[row["name"]] == row["digest"] for row in rows)


def test_net_show_of_the_papers_net(read: Rb) -> None:
    net = read("net", "show", "resnet_cifar", "unit=full_preactivation", "depth=110", "--json").json
    assert net["params"] == 1_727_962
    assert (net["network"], net["unit"], net["input"], net["classes"]) == (
        "resnet_cifar",
        "full_preactivation",
        "3x32x32",
        10,
    )
    assert net["digest"].startswith("a2_")
    assert net["unpriced"] == []
    units = [part for part in net["trace"] if ".units." in part["path"]]
    assert len(units) == 54
    assert [part["shape"] for part in units if part["path"].endswith("units.0")] == [
        "16x32x32 -> 16x32x32",
        "16x32x32 -> 32x16x16",
        "32x16x16 -> 64x8x8",
    ]
    assert sum(part["params"] for part in net["trace"]) == net["params"]
    assert sum(part["macs"] for part in net["trace"]) == net["macs"]


def test_net_show_takes_data_and_params_of_the_unit(read: Rb) -> None:
    words = ("net", "show", "resnet_cifar", "unit=exclusive_gating", "depth=8", "width=2", "data=digits", "--json")
    zero, six = (read(*words, f"unit.gate_bias={bias}").json for bias in (0, -6))
    assert (zero["input"], zero["classes"], zero["params"]) == ("1x8x8", 10, six["params"])
    assert zero["digest"] != six["digest"]


def test_unit_check(read: Rb) -> None:
    said = read("unit", "check", "original", "--json").json
    assert (said["unit"], said["network"]) == ("original", "resnet_cifar")
    assert [place["place"] for place in said["places"]] == ["first", "inner", "transition"]
    assert said["places"][2]["shape"] == "16x32x32 -> 32x16x16"
    assert said["notes"] == []


def test_unit_list_ops_and_data(read: Rb) -> None:
    units = {row["name"]: row for row in read("unit", "list", "--json").json}
    assert "gate_bias" in units["exclusive_gating"]["params"]
    assert units["original"]["cite"] == "arXiv:1603.05027"
    ops = {row["name"]: row for row in read("ops", "--json").json}
    assert (ops["conv"]["kind"], ops["shortcut"]["kind"]) == ("op", "block")
    assert ops["dropout"]["arguments"]["rate"]["required"] is True
    assert ops["dropout"]["arguments"]["inverted"] == {"allowed": "true or false", "required": False, "default": True}
    data = {row["name"]: row for row in read("data", "--json").json}
    assert data["digits"]["input_shape"] == [1, 8, 8]
    assert (data["fashion_mini"]["n_train"], data["fashion_mini"]["n_val"]) == (3000, 1000)


def test_values_for_which_json_has_no_word(read: Rb) -> None:
    assert read("query", "SELECT x'00ff' AS bytes, 9e999 AS endless, NULL AS empty", "--json").json == [
        {"bytes": "00ff", "endless": None, "empty": None}
    ]


def test_columns_of_one_name_are_not_lost_in_silence(read: Rb) -> None:
    said = read("query", "SELECT 1 AS a, 2 AS a, 3 AS b", "--json")
    assert (said.status, said.out) == (2, "")
    assert "column names must differ, got a several times; rename them with AS" in said.err
    assert read("query", "SELECT 1 AS a, 2 AS a").status == 0
