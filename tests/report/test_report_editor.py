"""The schemas in a real editor's server: what it completes, what it says of files, what it shows; and what strict readers say."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from language_server import CURSOR, Item, LanguageServer
from report_schema_sample import GOOD, wrong

from resbench.data.registry import names as data_names
from resbench.json_schema.editor import EDITOR_WORDS
from resbench.json_schema.schema import KINDS
from resbench.language.library.library import Library
from resbench.language.library.lookup import INSTALLED, STUDIES
from resbench.ops.schema import table

pytestmark = pytest.mark.long

SCHEMAS = INSTALLED / "schemas"
SHIPPED = sorted([*INSTALLED.rglob("*.yaml"), *STUDIES.rglob("*.yaml")])
LIBRARY = Library(table())
UNITS, NETWORKS, RECIPES = (set(LIBRARY.names(kind)) for kind in ("unit", "network", "recipe"))
WITH_ARGUMENTS = sorted(name for name, op in LIBRARY.ops.items() if op.arguments)
OPS = {*LIBRARY.ops, *LIBRARY.names("block"), "repeat", "conv3x3", "dwconv3x3"}
SEARCHES = {"grid", "random", "tpe", "cma_es", "gp", "nsga2", "nsga3", "evolution", "halving", "hyperband"}
LIST = "unit: mine\nnodes:\n  y: {from: x, ops: [%s]}\n"
BLOCK = "unit: mine\nnodes:\n  y:\n    from: x\n    ops:\n      - %s\n"
PLACES = [  # a kind, a text, what is offered there at least
    ("study", "study: a\ndata: ¦\n", set(data_names())),
    ("study", "study: a\ndata: di¦\n", set(data_names())),
    ("study", "study: a\nnetwork: ¦\n", NETWORKS),
    ("study", "study: a\nnetwork: res¦\n", NETWORKS),
    ("study", "study: a\nnetwork:\n  use: ¦\n", NETWORKS),
    ("study", "study: a\nrecipe: ¦\n", RECIPES),
    ("study", "study: a\nrecipe: he¦\n", RECIPES),
    ("study", "study: a\nsearch: ¦\n", SEARCHES),
    ("study", "study: a\nsearch: t¦\n", SEARCHES),
    ("study", "study: a\nunits: [¦]\n", UNITS),
    ("study", "study: a\nunits: [ ¦ ]\n", UNITS),
    ("study", "study: a\nunits: [pl¦]\n", UNITS),
    ("study", "study: a\nunits: [plain, ¦]\n", UNITS),
    ("study", "study: a\nunits: [plain, or¦]\n", UNITS),
    ("study", "study: a\nunits: [{use: constant_scaling, branch_scale: 1}, or¦]\n", UNITS),
    ("study", "study: a\nunits:\n  - ¦\n", UNITS),
    ("study", "study: a\nunits:\n  - plain\n  - or¦\n", UNITS),
    ("study", "study: a\nunits: [{use: ¦}]\n", UNITS),
    ("study", "study: a\nunits: [{mutate: {unit: ¦}}]\n", UNITS),
    ("study", "study: a\nrecipe: {use: he2016, schedule: ¦}\n", {"cosine", "linear", "null"}),
    ("study", "study: a\nrecipe: {use: he2016, precision: ¦}\n", {"float32", "tf32", "bfloat16"}),
    ("study", "study: a\nunits: [{use: constant_scaling_bottleneck, stride_in: ¦}]\n", {"first", "middle"}),
    ("network", "network: a\nunit: ¦\n", UNITS),
    ("network", "network: a\nunit: or¦\n", UNITS),
    ("network", "network: a\nstages: [{units: 2, unit: ¦}]\n", UNITS),
    ("network", "network: a\nhead: [¦]\n", OPS),
    ("recipe", "recipe: a\nschedule: ¦\n", {"cosine", "linear", "null"}),
    ("recipe", "recipe: a\nschedule: co¦\n", {"cosine", "linear", "null"}),
    ("recipe", "recipe: a\naugment: [¦]\n", {"flip", "pad_crop", "cutout", "random_resized_crop"}),
    ("recipe", "recipe: a\naugment: [flip, cut¦]\n", {"flip", "pad_crop", "cutout", "random_resized_crop"}),
    ("unit", "unit: a\nextends: ¦\n", UNITS),
    ("unit", LIST % "¦", OPS),
    ("unit", LIST % "bn, ¦", OPS),
    ("unit", LIST % "conv3x3: {stride: 2}, ¦", OPS),
    ("unit", LIST % "re¦", OPS),
    ("unit", LIST % "bn, norm¦", OPS),
    ("unit", BLOCK % "¦", OPS),
    ("unit", BLOCK % "norm¦", OPS),
    ("unit", LIST % "shortcut: {change: ¦}", {"pad", "pool_pad", "project", "pool_project"}),
    ("unit", LIST % "conv3x3: {weight: ¦}", {"plain", "standardized", "scaled_standardized", "spectral"}),
    ("block", "block: a\nnodes: {y: {from: x, ops: [bn, ¦]}}\n", OPS),
]  # fmt: skip


def labels(items: Sequence[Item]) -> set[str]:
    return {item.label for item in items}


@pytest.mark.parametrize(("kind", "text", "names"), PLACES, ids=[f"{kind}-{text}" for kind, text, _ in PLACES])
def test_names_are_completed(editor: LanguageServer, kind: str, text: str, names: set[str]) -> None:
    items = editor.complete(text, SCHEMAS / f"{kind}.json")
    assert names <= labels(items)
    assert len(labels(items)) == len(items), "no name is offered twice"
    assert [item.label for item in items if "(" in item.label or re.search("[A-Z]", item.label)] == []
    for item in (item for item in items if item.label in names):
        first = item.inserted.strip()
        assert first in (item.label, f"{item.label}:")
        assert isinstance(yaml.safe_load(item.text), dict)  # it is YAML still, whatever stood around the cursor


@pytest.mark.parametrize("name", WITH_ARGUMENTS)
def test_arguments_of_each_op_are_completed(editor: LanguageServer, name: str) -> None:
    arguments = set(LIBRARY.ops[name].arguments)
    skeleton = {name} if any(argument.required for argument in LIBRARY.ops[name].arguments.values()) else set()
    below = editor.complete(BLOCK % f"{name}:\n          ¦", SCHEMAS / "unit.json")
    assert labels(below) - skeleton == arguments
    assert [item.label for item in below if not re.match(rf"{item.label}:|\w+:", item.inserted)] == []
    assert [item.label for item in below if not item.documentation] == []
    beside = editor.complete(LIST % f"{name}: {{{min(arguments)[0]}¦}}", SCHEMAS / "unit.json")
    assert labels(beside) - skeleton == arguments


@pytest.mark.parametrize(
    "text", ["units:\n  - use: %s\n    ¦", "units: [{use: %s, s¦}]", "network:\n  use: resnet_cifar\n  ¦"]
)
@pytest.mark.parametrize("unit", ["constant_scaling", "constant_scaling_bottleneck", "original"])
def test_params_of_the_unit_that_is_used_and_no_others(editor: LanguageServer, unit: str, text: str) -> None:
    items = editor.complete(f"study: a\n{text % unit if '%' in text else text}\n", SCHEMAS / "study.json")
    params = LIBRARY.unit(unit).body.params if "units" in text else LIBRARY.network("resnet_cifar").params
    assert labels(items) - {"vary"} == set(params)


ACCEPTED = [  # a kind, a text that ends where a key may be written, under keys for which others may be needed
    ("unit", "unit: mine\n¦"),
    ("unit", "unit: mine\nnodes:\n  y:\n    ¦"),
    *(("unit", BLOCK % f"{name}:\n          ¦") for name in WITH_ARGUMENTS),
    ("unit", "unit: mine\nnodes: {y: {from: x, ops: [relu]}}\nboundary:\n  ¦"),
    ("unit", "unit: mine\nnodes: {y: {from: x, ops: [relu]}}\nparams:\n  a:\n    ¦"),
    ("block", "block: mine\n¦"),
    ("network", "network: mine\n¦"),
    ("network", "network: mine\nunit: original\nhead: [global_avg_pool]\nstages:\n  - ¦"),
    ("network", "network: mine\nunit:\n  use: constant_scaling\n  ¦"),
    ("recipe", "recipe: mine\n¦"),
    ("recipe", "recipe: mine\noptimizer: {use: sgd, lr: 0.1}\nbatch: 8\nepochs: 1\nplan:\n  ¦"),
    ("recipe", "recipe: mine\nbatch: 8\nepochs: 1\noptimizer:\n  ¦"),
    ("recipe", "recipe: mine\noptimizer: {use: sgd, lr: 0.1}\nbatch: 8\nepochs: 1\nwarmup:\n  ¦"),
    ("recipe", "recipe: mine\noptimizer: {use: sgd, lr: 0.1}\nbatch: 8\nepochs: 1\nschedule:\n  step:\n    ¦"),
    ("study", "study: mine\n¦"),
    ("study", "study: mine\nnetwork: resnet_cifar\nunits: [plain]\ndata: digits\nrecipe:\n  use: he2016_small\n  ¦"),
    ("study", "study: mine\nnetwork: resnet_cifar\nunits: [plain]\ndata: digits\nbudget:\n  ¦"),
    ("study", "study: mine\nnetwork: resnet_cifar\nunits: [plain]\ndata: digits\nsearch:\n  use: tpe\n  ¦"),
    ("study", "study: mine\nnetwork: resnet_cifar\nunits: [plain]\ndata: digits\nobjectives:\n  val_error_pct: minimize\n  ¦"),
    ("study", "study: mine\nnetwork: resnet_cifar\ndata: digits\nunits:\n  - use: constant_scaling_bottleneck\n    ¦"),
    ("study", "study: mine\nunits: [plain]\ndata: digits\nnetwork:\n  use: resnet_cifar\n  ¦"),
    ("study", "study: mine\nnetwork: resnet_cifar\nunits: [plain]\ndata:\n  use: shapes\n  ¦"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), ACCEPTED, ids=[f"{kind}-{text}" for kind, text in ACCEPTED])
def test_what_is_inserted_is_not_refused(editor: LanguageServer, kind: str, text: str, tmp_path: Path) -> None:
    """Neither by the language nor by the schema: where a value is inserted, nothing new is wrong in the file."""
    before = problems(kind, text.replace(CURSOR, ""), tmp_path)
    items = editor.complete(text, SCHEMAS / f"{kind}.json")
    assert items
    assert [item.label for item in items if ":" not in item.inserted.split("\n")[0]] == []
    found = {item.inserted: problems(kind, item.text, tmp_path) - before for item in items}
    left = {text: {problem for problem in new if not _TO_BE_TYPED.search(problem)} for text, new in found.items()}
    assert {text: new for text, new in left.items() if new} == {}


_TO_BE_TYPED = re.compile("got null|is missing|is needed with a default")  # what the person who types has yet to write


def problems(kind: str, text: str, folder: Path) -> set[str]:
    """What the language says of a text, without the places."""
    lines = wrong(kind, text, folder)
    return {re.sub(r"^\S+:\d+(:\d+)?: ", "", line) for line in lines if line.startswith(str(folder))}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_have_no_diagnostics(editor: LanguageServer, path: Path) -> None:
    kind = re.findall(r"^\w+", path.read_text("utf-8"), re.MULTILINE)[0]
    assert editor.diagnose(path.read_text("utf-8"), SCHEMAS / f"{kind}.json") == []


@pytest.mark.parametrize(
    ("kind", "old", "new", "message"),
    [
        ("unit", "stride: $stride", "strides: 2", "Property strides is not allowed."),
        ("unit", "stride: $stride", "stride: two", "a whole number or two whole numbers [height, width], or an expression,"),
        ("unit", "bn, $act", "dropout: 0.1", "Incorrect type. Expected one of object, null."),
        ("unit", "bn, $act", "bn, rleu", 'Value is not accepted. Valid values: "add", "bias", "bn",'),
        ("study", "search: grid", "search: gird", 'Value is not accepted. Valid values: "grid",'),
        ("study", "gate_bias: {range", "gate_bais: {range", "Property gate_bais is not allowed."),
        ("recipe", "batch: 64", "batch: 1", "Value is below the minimum of 2."),
        ("recipe", "flip", "flop", 'Value must be "flip" |'),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_words_about_what_was_meant(
    editor: LanguageServer, kind: str, old: str, new: str, message: str
) -> None:
    schema = SCHEMAS / f"{kind}.json"
    assert editor.diagnose(GOOD[kind], schema) == []
    (found,) = editor.diagnose(GOOD[kind].replace(old, new, 1), schema)
    assert found.startswith(message)


HOVERED = [  # a kind, a text, what is shown of the word at the cursor
    ("unit", LIST % "re¦lu", ["Rectifier, max(x, 0), `BCHW -> BCHW`.", "Hinton 2010"]),
    ("unit", LIST % "gro¦up_norm: {groups: 2}", ["Group normalisation, `BCHW -> BCHW`.", "Wu &amp; He 2018, arXiv:1803.08494"]),
    ("unit", LIST % "con¦v3x3: {stride: 2}", ["Convolution, `BCHW -> B out H' W'`.", "`dwconv3x3`"]),
    ("unit", LIST % "conv3x3: {str¦ide: 2}", ["how far the window moves, in pixels"]),
    ("unit", LIST % "conv3x3: {wei¦ght: plain}", ["normalised at every step", "* `spectral`"]),
    ("study", "study: a\nda¦ta: digits\n", ["The data set; `resbench data` lists"]),
    ("study", "study: a\nnet¦work: resnet_cifar\n", ["The CIFAR net of He et al."]),
    ("study", "study: a\nnetwork: {use: resnet_cifar, dep¦th: 8}\n", ["weight layers in all"]),
    ("study", "study: a\nunits: [{use: constant_scaling, short¦cut_scale: 1}]\n", ["the constant on the shortcut"]),
    ("study", "study: a\nunits: [pla¦in]\n", ["No shortcut"]),
    ("study", "study: a\nrecipe: {use: he2016, l¦r: 0.1}\n", ["The full learning rate"]),
    ("recipe", "recipe: a\nopti¦mizer: {use: sgd, lr: 0.1}\n", ["The optimizer and its constants."]),
    ("recipe", "recipe: a\naugment: [fl¦ip]\n", ["Mirrored left to right"]),
    ("network", "network: a\nstages: [{units: 2, un¦it: {change: pad}}]\n", ["Params of the network's unit"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "words"), HOVERED, ids=[f"{kind}-{text}" for kind, text, _ in HOVERED])
def test_hover_shows_markdown(editor: LanguageServer, kind: str, text: str, words: list[str]) -> None:
    shown = editor.hover(text, SCHEMAS / f"{kind}.json")
    assert [word for word in words if word not in shown] == []
    assert "||" not in shown  # so the server joins what it takes for alternatives
    assert r"\`" not in shown


STRICT = """
const Ajv = require("ajv/dist/2020").default
const [words, ...paths] = process.argv.slice(1)
for (const path of paths) new Ajv({strict: true, allowUnionTypes: true, keywords: words.split(",")}).compile(require(path))
"""


def test_ajv_takes_them_in_strict_mode(node_packages: Path) -> None:
    """With the words that are an editor's own made known, and types in lists allowed, which JSON Schema allows."""
    paths = [str(SCHEMAS / f"{kind}.json") for kind in KINDS]
    command = ["node", "-e", STRICT, "--", ",".join(EDITOR_WORDS), *paths]
    done = subprocess.run(command, cwd=node_packages, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
