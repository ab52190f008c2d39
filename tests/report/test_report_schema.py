"""JSON Schema of each kind of file: it takes what is shipped, refuses what the language refuses, and describes everything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from report_schema_sample import BAD, GOOD, data_of, refused, schema_of, validator, wrong

from resbench.json_schema.schema import DIALECT, KINDS, make_schema, schema_text
from resbench.language.library.library import Library
from resbench.language.library.lookup import INSTALLED, STUDIES
from resbench.language.yaml.reader import read
from resbench.ops.schema import table

SHIPPED = sorted([*INSTALLED.rglob("*.yaml"), *STUDIES.rglob("*.yaml")])
PLUGINS = INSTALLED.parent / "plugins"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_file_is_valid(path: Path) -> None:
    kind = next(iter(read(path).mapping))
    assert refused(kind, data_of(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_its_first_line_names_the_schema_of_its_kind(path: Path) -> None:
    first, second = path.read_text("utf-8").splitlines()[:2]
    schema = INSTALLED / "schemas" / f"{second.partition(':')[0]}.json"
    assert first == f"# yaml-language-server: $schema={os.path.relpath(schema, path.parent)}"
    assert schema.is_file()


def test_there_are_files() -> None:
    assert len(SHIPPED) > 50


@pytest.fixture(scope="module")
def with_plugins() -> Any:
    """The schema of units with the plugins of the repository; in a process of its own, since a process has one set."""
    words = [word for path in sorted(PLUGINS.glob("*/pyproject.toml")) for word in ("--plugins", path.parent)]
    command = [sys.executable, "-m", "resbench", "schema", "unit", *words]
    done = subprocess.run(command, cwd=INSTALLED.parent, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("path", sorted(PLUGINS.rglob("units/*.yaml")), ids=lambda path: path.stem)
def test_files_of_plugins_are_valid_with_their_ops(path: Path, with_plugins: Any) -> None:
    assert list(Draft202012Validator(with_plugins).iter_errors(data_of(path.read_text("utf-8")))) == []


def test_an_op_of_a_plugin_is_described(with_plugins: Any) -> None:
    op = with_plugins["$defs"]["op_global_response_norm"]
    assert "arXiv:2301.00808" in op["description"]
    assert "number" in op["properties"]["eps"]["description"]
    assert "global_response_norm" not in validator("unit").schema["$defs"]["op"]["then"]["properties"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_twin_of_all_is_right(kind: str, tmp_path: Path) -> None:
    assert wrong(kind, GOOD[kind], tmp_path) == []
    assert refused(kind, data_of(GOOD[kind])) == []


@pytest.mark.parametrize(("kind", "old", "new"), BAD)
def test_a_broken_twin_is_refused_by_both(kind: str, old: str, new: str, tmp_path: Path) -> None:
    assert old in GOOD[kind]
    text = GOOD[kind].replace(old, new, 1)
    assert wrong(kind, text, tmp_path) != []
    assert refused(kind, data_of(text)) != []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("unit", "unit: a\nextends: original\n"),
        ("unit", "unit: a\nextends: plain\nboundary: {layers: 2}\nparams: null\n"),
        ("unit", "unit: a\nnodes:\n  f: {from: x, ops: [relu]}\nwhen:\n- {if: true, nodes: {y: {from: f, ops: []}}}\n"),
        ("unit", "unit: a\nparams: {o: [relu], s: x}\nnodes:\n  y: {from: $s, ops: $o}\n"),
        ("unit", "unit: a\nparams: {o: {conv3x3: {}}}\nnodes:\n  y: {from: [x], ops: [$o]}\n"),
        ("unit", "unit: a\nnodes:\n  y: {from: x, ops: [conv: {kernel: 3, stride: 1.0}, bn: {init: 0, eps: 1}]}\n"),
        (
            "unit",
            "unit: a\nnodes:\n  y: {from: x, ops: [conv3x3: {padding: null, init: null, kernel: [1, $out]}]}\n".replace(
                ", kernel: [1, $out]", ""
            ),
        ),
        ("block", "block: a\nextends: shortcut\n"),
        ("block", "block: a\nparams: {out: 3, stride: 2}\nnodes:\n  y: {from: x, ops: [conv1x1: {stride: $stride}]}\n"),
        ("network", "network: a\nextends: resnet_cifar\nunit: plain\n"),
        (
            "recipe",
            "recipe: a\nextends: he2016\noptimizer: {lr: 1}\nschedule: {step: {at: {epochs: [1]}}}\nwarmup: null\n",
        ),
        ("study", "study: a\nnetwork: resnet_cifar\nunits: [plain]\ndata: digits\n"),
        ("study", "study: a\nextends: quickstart\nseeds: 2\n"),
    ],
)
def test_less_common_ways_to_say_it_are_right(kind: str, text: str, tmp_path: Path) -> None:
    assert wrong(kind, text, tmp_path) == []
    assert refused(kind, data_of(text)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_of_the_dialect(kind: str) -> None:
    schema = schema_of(kind)
    assert schema["$schema"] == DIALECT
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("kind", KINDS)
def test_everything_in_it_is_described(kind: str) -> None:
    schema = schema_of(kind)
    found = dict(described(schema, schema))
    assert len(found) > 20
    assert [path for path, text in found.items() if len(text) < 5] == []


def described(schema: Any, root: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every property with its description, which may stand where it refers to; conditions describe nothing."""
    if isinstance(schema, list):
        for number, item in enumerate(schema):
            yield from described(item, root, f"{path}[{number}]")
    for key, value in schema.items() if isinstance(schema, dict) else ():
        if key == "if":
            continue
        if key == "properties" and path != ".else":  # there `y` is required
            for name, of in (item for item in value.items() if isinstance(item[1], dict)):
                target = root["$defs"][of["$ref"].removeprefix("#/$defs/")] if "$ref" in of else {}
                yield f"{path}.{name}", of.get("description", target.get("description", ""))
        yield from described(value, root, f"{path}.{key}")


@pytest.mark.parametrize("kind", KINDS)
def test_its_keys_are_those_of_the_language(kind: str, tmp_path: Path) -> None:
    """What the language says is allowed where a key is unknown."""
    (problem,) = [line for line in wrong(kind, f"{GOOD[kind]}zzz: 1\n", tmp_path) if "unknown key" in line]
    allowed = re.search(r"allowed: ([a-z_, ]+)", problem)
    assert allowed is not None
    properties = schema_of(kind)
    properties = properties["$defs"]["recipe"] if kind == "recipe" else properties
    assert set(properties["properties"]) | {"extends"} == {*allowed[1].split(", "), "extends"}


def test_every_op_and_block_may_be_named_and_no_other() -> None:
    library = Library(table())
    aliases = {alias for signature in library.ops.values() for alias in signature.aliases}
    known = {*library.ops, *aliases, *library.names("block"), "repeat"}
    offered = validator("unit").schema["$defs"]["op"]["then"]["properties"]
    assert {name for name in offered if not re.fullmatch(r"(dw)?conv\dx\d", name)} == known
    for name, signature in library.ops.items():
        op = validator("unit").schema["$defs"][f"op_{name}"]
        assert set(op["properties"]) == set(signature.arguments)
        assert all(argument["description"].startswith(signature.arguments[key].doc)
                   for key, argument in op["properties"].items())  # fmt: skip


@pytest.mark.parametrize("name", ["out", "groups"])
def test_a_kernel_in_the_name_says_other_arguments_too(name: str) -> None:
    defs = validator("unit").schema["$defs"]
    assert "kernel" in defs["op_conv"]["required"]
    assert "kernel" not in {**defs["convKxK"]["properties"], **defs["dwconvKxK"]["properties"]}
    assert defs["dwconvKxK"]["properties"][name]["examples"] == ["$channels"]
    assert defs["convKxK"]["properties"]["out"]["examples"] == ["$out"]
    assert validator("network").schema["$defs"]["convKxK"]["required"] == ["out"]


def test_a_block_of_the_workspace_is_in_it_and_a_broken_one_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = tmp_path / "arch_specs" / "blocks"
    blocks.mkdir(parents=True)
    (blocks / "own.yaml").write_text(
        "block: own\nparams:\n  by: 2   # the factor\nnodes:\n  y: {from: x, ops: [scale: {by: $by}]}\n"
    )
    (blocks / "torn.yaml").write_text("block: torn\nnodes: {}\n")
    monkeypatch.chdir(tmp_path)
    defs = make_schema("unit", Library(table()))["$defs"]
    assert defs["op_own"]["properties"] == {"by": {"description": "the factor", "default": 2}}
    assert "node `y`, the result, is missing" in defs["op_torn"]["description"]
    assert "own" in defs["op"]["then"]["properties"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_committed_file_is_the_one_that_is_printed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(INSTALLED.parent)
    committed = INSTALLED / "schemas" / f"{kind}.json"
    assert committed.read_text("utf-8") == schema_text(kind, Library(table())), "run `make docs`"
