"""The worked examples: installed by pip they are found by their entry points, and each keeps what it owes; folders too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from command_line import Said
from plugins_sample import Use, resbench

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.modules.network import build, random_ops
from resbench.language.graph.network import Use as Named
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node, from_plain
from resbench.ops.schema import table

pytestmark = pytest.mark.long

PLUGINS = Path(__file__).parent.parent.parent / "plugins"
NAMES = sorted(path.name for path in PLUGINS.iterdir() if path.is_dir())
GIVES = {
    "clocks": {"datasets": ["clocks"]},
    "global_response_norm": {"ops": ["global_response_norm"], "units": ["convnext_v2"]},
    "glorot": {"initialisers": ["glorot"]},
    "stochastic_depth": {"units": ["stochastic_depth", "stochastic_depth_preactivation"]},
    "stripes": {"datasets": ["stripes"]},
}
RUN = [
    "study",
    "run",
    "quickstart",
    "network.depth=20",
    "recipe.epochs=1",
    "seeds=1",
    "recipe.init=glorot",
    "data=stripes",
]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[Said]:
    """All of them, installed into a folder that stands before every installed package, without network."""
    target, away = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("away")
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", target]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, *(PLUGINS / name for name in NAMES)],
        check=True, capture_output=True, timeout=900, env={"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    commands = [
        ["plugins", "list", "--json"], ["plugins", "check"], ["data", "--json"], ["ops", "--json"],
        ["data", "clocks", "--json"], [*RUN, "units=[stochastic_depth, convnext_v2]", "--json"],
    ]  # fmt: skip
    return resbench(away, *commands, path=target)


def test_they_are_found_by_their_entry_points(said: list[Said]) -> None:
    found = {item["name"]: item for item in said[0].json}
    assert {name: found[name]["gives"] for name in NAMES} == GIVES
    assert {(found[name]["version"], found[name]["from"], found[name]["state"]) for name in NAMES} == {
        ("0.1.0", "installed", "ok")
    }
    assert {"stripes", "clocks"} <= {item["name"] for item in said[2].json}
    assert "global_response_norm" in {item["name"] for item in said[3].json}


def test_they_keep_what_they_owe(said: list[Said]) -> None:
    assert said[1].status == 0
    lines = said[1].out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("plugin ")] == NAMES
    assert sum(line.startswith("  ok   ") for line in lines) == 7
    assert "FAIL" not in said[1].out


def test_a_data_set_of_torchvision_s_kind_is_read_and_split(said: list[Said]) -> None:
    found = said[4].json
    assert {(one["train"], one["val"], one["test"]) for one in found["classes"]} == {(72, 8, 20)}
    assert found["notes"] == []


def test_a_study_trains_with_all_of_them(said: list[Said]) -> None:
    assert said[5].status == 0, said[5].err
    assert {row["unit"] for row in said[5].json} == {"stochastic_depth", "convnext_v2"}


def test_the_folder_itself_will_do(tmp_path: Path) -> None:
    folder = PLUGINS / "global_response_norm"
    shown, listed = resbench(
        tmp_path, ["net", "show", "convnext", "unit=convnext_v2", "--json", "--plugins", folder],
        ["plugins", "list", "--json", "--plugins", folder],
    )  # fmt: skip
    assert shown.json["params"] == 28_635_496, "ConvNeXt V2-T of the paper's code"
    (item,) = [item for item in listed.json if item["name"] == "global_response_norm"]
    assert item["from"] == str(folder)


@pytest.mark.parametrize("scale", ["eval", "train"])
def test_stochastic_depth_is_left_out_more_often_the_deeper_it_stands(scale: str, use: Use) -> None:
    use(PLUGINS / "stochastic_depth")
    network = Named("resnet_cifar", {"depth": from_plain(20)}, Node("resnet_cifar"))
    unit = Named("stochastic_depth", {"p_last": from_plain(0.4), "scale": from_plain(scale)}, Node("stochastic_depth"))
    drawing = random_ops(build(bind_network(Request(network, unit), Library(table()))))
    rates = [op.rate for op in drawing.values()]
    torch.testing.assert_close(rates, [(unit + 1) / 9 * 0.6 for unit in range(9)])
    assert {op.scale for op in drawing.values()} == {scale}
    assert all(op.ops is not None for op in drawing.values()), "F is inside, so that it is not computed when left out"


def test_they_are_as_small_as_promised() -> None:
    lines = (PLUGINS / "global_response_norm/src/global_response_norm/op.py").read_text().splitlines()
    assert len(lines) <= 20
    assert not list((PLUGINS / "stochastic_depth").rglob("*.py"))
    assert json.dumps(NAMES) == json.dumps(sorted(GIVES))
