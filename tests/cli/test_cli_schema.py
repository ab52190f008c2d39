"""`resbench schema`: what it prints, where it writes, and what it says to a kind that is none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Rb
from jsonschema import Draft202012Validator


@pytest.mark.parametrize("kind", ["unit", "block", "network", "recipe", "study"])
def test_it_prints_a_schema(rb: Rb, kind: str) -> None:
    said = rb("schema", kind)
    assert (said.status, said.err) == (0, "")
    Draft202012Validator.check_schema(said.json)
    assert said.json["title"] == f"resbench {kind}"


def test_it_writes_a_file(rb: Rb, tmp_path: Path) -> None:
    said = rb("schema", "unit", "-o", "unit.json")
    assert (said.status, said.out, said.err) == (0, "", "unit.json: written\n")
    assert json.loads((tmp_path / "unit.json").read_text("utf-8")) == rb("schema", "unit").json


def test_a_file_that_cannot_be_written(rb: Rb) -> None:
    said = rb("schema", "unit", "-o", "gone/unit.json")
    assert (said.status, said.err) == (2, "gone/unit.json: there is no folder gone\n")


def test_a_kind_that_is_none(rb: Rb) -> None:
    said = rb("schema", "unti")
    assert (said.status, said.out) == (2, "")
    assert said.err == ("KIND: expected unit, block, network, recipe, study, got `unti`; did you mean `unit`?\n")


def test_the_folder_it_is_run_in_counts(rb: Rb, tmp_path: Path) -> None:
    blocks = tmp_path / "arch_specs" / "blocks"
    blocks.mkdir(parents=True)
    (blocks / "own.yaml").write_text("block: own\nnodes:\n  y: {from: x, ops: [relu]}\n", "utf-8")
    assert "own" in rb("schema", "unit").json["$defs"]["op"]["then"]["properties"]


def test_no_torch_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['resbench', 'schema', 'study']\n"
        "from resbench.cli.main import app\n"
        "app(standalone_mode=False)\n"
        "print([name for name in ('torch', 'sqlalchemy', 'optuna') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
