"""Bad files from end to end: status 2, the place, no traceback, nothing on stdout, nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from language_sample import UNIT, put, study_text

from resbench.cli.main import run

NODES = "unit: mine\nnodes:\n"
NET = (
    "network: mine\ninput: [3, 32, 32]\nclasses: 10\nunit: plain\n"
    "stem: [conv3x3: {{out: 8}}, $after_stem]\nstages: [{}]\n"
)
HEAD = "head: [global_avg_pool, linear: {out: $classes}]\n"
HALF = "f: {from: x, ops: [conv3x3: {stride: 2}]}"
Captured = pytest.CaptureFixture[str]


def status(*words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["resbench", *words])
    try:
        run()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def is_refused(folder: Path, words: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    before = sorted(folder.rglob("*"))
    code = status(*words, monkeypatch=monkeypatch)
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert "Traceback" not in told.err
    assert "\x1b" not in told.err
    assert any(line.startswith(message) for line in told.err.split("\n")), told.err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "mine.yaml:1:1: the file is empty"),
        ("# nothing\n", "mine.yaml:1:1: the file is empty"),
        ("- a\n", "mine.yaml:1:1: a mapping is needed at the top"),
        (UNIT + "---\na: 1\n", "mine.yaml:4:1: a second document starts here"),
        (NODES + "\ty: {}\n", "mine.yaml:3:1: a tab; indent with spaces"),
        ("unit: a\0\n", "mine.yaml:1:8: character U+0000 is not allowed in YAML"),
        (b"unit: \xff\n", "mine.yaml:1:7: byte 0xff is not UTF-8"),
        (UNIT + "unit: b\n", "mine.yaml:4:1: unit: duplicate key `unit`; first at 1:1"),
        ("unit: !!python/object/apply:os.system ['touch pwned']\n",
         "mine.yaml:1:7: unit: tag `tag:yaml.org,2002:python/object/"),
        ("unit: mine\ndoc: " + "[" * 5_000 + "]" * 5_000, "mine.yaml:2:46: nested more than 40 deep"),
        ("unit: mine\ndoc: " + "[" * 100_000 + "]" * 100_000, "mine.yaml:2:46: nested more than 40 deep"),
        ('unit: "\\e[31m[/red]<script>"\nnodes: {y: {from: x, ops: []}}\n',
         "mine.yaml:1:7: unit: character U+001B is not allowed"),
        (UNIT + "nods: 3\n", "mine.yaml:4:1: nods: unknown key `nods`"),
        ("unit: mine\nnodes: {}\n", "mine.yaml:2:8: nodes: node `y`, the result, is missing"),
        (NODES + "  y: {from: x, ops: [rleu]}\n",
         "mine.yaml:3:22: nodes.y.ops[0]: unknown op `rleu`; did you mean `relu`"),
        (NODES + "  y: {from: x, ops: [dropout]}\n",
         "mine.yaml:3:22: nodes.y.ops[0]: dropout: argument `rate` is missing"),
        (NODES + "  y: {from: x, ops: [dropout: {rate: 1.0}]}\n",
         "mine.yaml:3:22: nodes.y.ops[0]: dropout: `rate` (=1) must be within"),
        (NODES + "  y: {from: x, ops: [conv3x3: {out: $(out / 3)}]}\n",
         "mine.yaml:3:37: nodes.y.ops[0].conv3x3.out: conv3x3: out must be a whole number"),
        (NODES + "  y: {from: x, ops: [scale: {by: $(1 / 0)}]}\n",
         "mine.yaml:3:34: nodes.y.ops[0].scale.by: $(1 / 0): division by zero"),
        (NODES + "  y: {from: x, ops: [scale: {by: $(2 ** 2 ** 2 ** 2 ** 2 ** 2)}]}\n",
         "mine.yaml:3:34: nodes.y.ops[0].scale.by: $(2 ** 2 ** 2 ** 2 ** 2 ** 2): 2 ** 65536 is too large"),
        (NODES + "  y: {from: x, ops: [scale: {by: $(" + "(" * 150 + "1" + ")" * 150 + ")}]}\n",
         "mine.yaml:3:34: nodes.y.ops[0].scale.by: an expression nested more than 40 deep"),
        (NODES + "  a: {from: b, ops: []}\n  b: {from: a, ops: []}\n  y: {from: b, ops: []}\n",
         "mine.yaml:3:3: nodes.a: a cycle: a <- b <- a"),
        (NODES + "  a: {from: x, ops: []}\n  y: {from: x, ops: []}\n",
         "mine.yaml:3:3: nodes.a: node `a` is read by nothing"),
        (NODES + "  train: {from: x, ops: []}\n  y: {from: train, ops: []}\n",
         "mine.yaml:3:3: nodes.train: `train` is an attribute of every torch module"),
        (NODES + f"  {HALF}\n  y: {{from: [x, f], ops: [add]}}\n",
         "mine.yaml:4:27: nodes.y.ops[0]: add: shapes differ: x is 16x32x32, f is 16x16x16; f has a stride "
         "where this place asks for none: write `stride: $stride`, which is 1 here (at the first place of stage 0)"),
        (NODES + "  y: {from: x, ops: [$act]}\nparams: {act: no}\n", "mine.yaml:3:22: nodes.y.ops[0]: unknown op `no`"),
        (NODES + "  y: {from: x, ops: [relu, $p]}\nparams: {p: [relu, $p]}\n",
         "mine.yaml:4:10: params.p: param `p` holds itself"),
    ],
)  # fmt: skip
def test_units(
    folder: Path, text: str | bytes, message: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    (folder / "mine.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    message = message.replace("mine.yaml:3:22: nodes.y.ops[0]: unknown op `no`", "mine.yaml:4:15: params.act")
    if "act: no" in str(text):
        message = "mine.yaml:3:"
    is_refused(folder, ["unit", "check", "mine.yaml"], message, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("units", "[plan]", "st.yaml:3:9: units[0]: no unit is called `plan`; did you mean `plain`?"),
        ("units", '["a\\0.yaml"]', "st.yaml:3:9: units[0]: character U+0000 is not allowed in a text"),
        ("units", "[/dev/zero]", "st.yaml:3:9: units[0]: no unit is called `/dev/zero`"),
        ("units", "['**']", "st.yaml:3:9: units[0]: `**`: a pattern is written units/FOLDER/*, and * does not descend"),
        ("network", "resnet_cifr",
         "st.yaml:2:10: network: no network is called `resnet_cifr`; did you mean `resnet_cifar`"),
        ("network", "{use: resnet_cifar, depth: 6000002}",
         "library/arch_specs/networks/resnet_cifar.yaml:14:13: stages[0].units: "
         "unit plain: stages[0].units must be a whole number from 0 to 10,000, got $n = 1e+06"),
        ("network", "{use: resnet_cifar, depth: 8, width: 1000000000}",
         "library/arch_specs/networks/resnet_cifar.yaml:12:8: stem[0]: "
         "unit plain: conv3x3: 1,000,000,000 channels; at most 1,000,000 are allowed"),
        ("data", "digit", "st.yaml:4:7: data: no data set is called `digit`; there are `arrays`, `cifar10`, `cifar100`, "
         "`digits`, `fashion_mini`, `fashion_mnist`, `image_folder`, `mnist`, `shapes`, `svhn`; did you mean `digits`?"),
        ("data", "[digits]", "st.yaml:4:7: data: a name or {use: name, param: value} is needed, got [digits]"),
        ("recipe", "{use: he2016_small, lr: -1}", "st.yaml:5:33: recipe.lr: a number above 0 is needed, got -1"),
        ("recipe", "{use: he2016_small, lr: abc}", "st.yaml:5:33: recipe.lr: a number is needed, got abc"),
        ("recipe", "{use: he2016_small, epochs: 1.5}",
         "st.yaml:5:37: recipe.epochs: a whole number is needed, got 1.5"),
        ("seeds", "[18446744073709551616]",
         "st.yaml:6:9: seeds[0]: a whole number from 0 to 9,223,372,036,854,775,807 is needed"),
        ("units", "[{use: exclusive_gating, gate_bias: {choices: [0, 0]}}]",
         "st.yaml:3:58: units[0].gate_bias.choices[1]: choice 0 is given twice"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["check", "run"])
def test_studies(
    folder: Path, key: str, value: str, message: str, command: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    put(folder, {"st.yaml": study_text(**{key: value})})
    is_refused(folder, ["study", command, "st.yaml"], message, monkeypatch, capsys)


def test_words(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    put(folder, {"st.yaml": study_text()})
    for word, message in (
        (
            "sedes=3",
            "`sedes=3`: no key `sedes`; keys: study, doc, network, data, recipe, objectives, race, paired, search, seeds, "
            "budget, keep, units, unit.PARAM; did you",
        ),
        ("seeds=0", "command line:1:7: seeds: a whole number from 1 to 10,000 is needed, got 0"),
        ("units+=fifo.yaml", "command line:1:8: units: fifo.yaml: no such file"),
        ("units-=plan", "units-=plan: not among the units: plain; did you mean `plain`?"),
    ):
        is_refused(folder, ["study", "check", "st.yaml", word], message, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ("{units: 1000000, out: 8}",
         "net.yaml:6:18: stages[0].units: stages[0].units must be a whole number from 0 to 10,000, got 1000000"),
        ("{units: 9999, out: 8}, {units: 9999, out: 8}", "net.yaml:6:9: stages: 19,998 units; 1 to 10,000 are allowed"),
        ("{units: 1, out: 1000000000}",
         "library/arch_specs/units/identity_mappings/plain.yaml:6:22: nodes.f.ops[0]: conv3x3: "
         "1,000,000,000 channels; at most 1,000,000 are allowed"),
        ("{units: 0, out: 8}", "net.yaml:6:9: stages: 0 units; 1 to 10,000 are allowed"),
        ("{units: 1, out: $(8 / 3)}", "net.yaml:6:26: stages[0].out: stages[0].out must be a whole number from 1 to"),
    ],
)  # fmt: skip
def test_networks_without_end(
    folder: Path, stages: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    put(folder, {"net.yaml": NET.format(stages) + HEAD})
    is_refused(folder, ["net", "show", "net.yaml"], message, monkeypatch, capsys)


def test_what_no_list_of_ops_may_grow_to(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    inner = "repeat: {times: 1000, ops: [repeat: {times: 1000, ops: [relu]}]}"
    put(folder, {"mine.yaml": f"{NODES}  y: {{from: x, ops: [{inner}]}}\n"})
    is_refused(folder, ["unit", "check", "mine.yaml"], "mine.yaml:3:78: nodes.y.ops[0]", monkeypatch, capsys)


def test_their_twins_are_taken(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    unit = (
        "  f: {from: x, ops: [conv3x3: {stride: $stride}]}\n"
        "  h: {from: x, ops: [shortcut]}\n"
        "  y: {from: [h, f], ops: [add]}\n"
    )
    put(
        folder,
        {"mine.yaml": NODES + unit, "st.yaml": study_text(), "net.yaml": NET.format("{units: 1, out: 8}") + HEAD},
    )
    for words in (
        ["unit", "check", "mine.yaml"],
        ["net", "show", "net.yaml"],
        ["study", "check", "st.yaml", "units+=mine.yaml"],
    ):
        assert status(*words, monkeypatch=monkeypatch) == 0
        assert capsys.readouterr().err == ""


MAIN = """
import sys
from resbench.cli.main import run
try:
    run()
finally:
    print("torch" in sys.modules)
"""


def in_a_process(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A hang ends in TimeoutExpired."""
    command = [sys.executable, "-c", MAIN, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)


def test_a_process_of_its_own_needs_no_torch_to_refuse_a_study(folder: Path) -> None:
    put(folder, {"st.yaml": study_text(recipe="{use: he2016_small, lr: abc}", units="[plan]")})
    done = in_a_process(folder, "study", "check", "st.yaml")
    assert done.returncode == 2
    assert [line.split(": ")[0] for line in done.stderr.split("\n")[::3] if line] == ["st.yaml:3:9", "st.yaml:5:33"]
    assert done.stdout == "False\n"


def test_a_pipe_does_not_hang(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    done = in_a_process(folder, "study", "check", "pipe.yaml")
    assert done.returncode == 2
    assert done.stderr == "pipe.yaml:1:1: no regular file; a YAML file is needed\n"


def test_a_deep_file_does_not_crash(folder: Path) -> None:
    put(folder, {"st.yaml": "study: deep\nunits: " + "[" * 100_000 + "]" * 100_000})
    done = in_a_process(folder, "study", "check", "st.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("st.yaml:2:48: nested more than 40 deep\n")
    assert len(done.stderr) < 1000
