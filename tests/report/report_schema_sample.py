"""A text of each kind of file that is right, and changes that make it wrong; how a schema and the language judge a text."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from resbench.errors import BadInput
from resbench.json_schema.schema import make_schema
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import parse_recipe
from resbench.language.study.study import parse_study
from resbench.language.yaml.node import plain
from resbench.language.yaml.problems import Problems
from resbench.language.yaml.reader import read_text
from resbench.ops.schema import table

GOOD = {
    "unit": """\
unit: mine
doc: A unit with something of everything
cite: arXiv:1603.05027
params:
  act: {default: relu, choices: [relu, silu]}
  bias: {default: -6, range: [-10, 0], step: 1}
  gate: {default: none, cases: {none: [h, f], gated: [h, g]}}
  width: {by: $act, cases: {relu: 8, silu: 16}}
  norm: [bn]
nodes:
  a: {from: x, ops: [bn, $act]}
  f:
    from: a
    ops:
      - conv3x3: {stride: $stride, out: $width, init: {normal: 0.1}, padding: [1, 1]}
      - repeat: {times: 2, ops: [$norm, $act]}
      - conv1x1: {bias: true, bias_init: $bias}
      - drop_branch: {rate: "$(min(0.5, unit / 10))", ops: [conv3x3, bn: {init: zeros}]}
      - dwconv3x3:
  g: {from: f, ops: [sigmoid, scale: {by: 0.5}, pad_channels: {out: $out, side: both}]}
  h: {from: x, ops: [shortcut: {change: project, norm: $norm}]}
  y: {from: $gate, ops: [add]}
when:
  - {if: first or transition, nodes: {h: {from: a}}}
boundary: {layers: 2, expansion: 1, after_stem: [], after_last: [bn, relu]}
""",
    "block": """\
block: mine
inputs: [a, b]
params:
  norm: []        # what stands behind the sum
  out: $out       # channels out
nodes:
  y: {from: [a, b], ops: [add, $norm, conv1x1]}
""",
    "network": """\
network: mine
input: [3, 32, 32]
classes: 10
params:
  depth: 8
  counts: {by: $depth, cases: {8: [1, 1], 14: [2, 2]}}
unit: {use: original, change: pad}
stem: [conv3x3: {out: 16}, bn, $after_stem]
stages:
  - {units: "$(counts[0])", out: 16}
  - {units: 2, out: $(16 + 4 * unit), stride: 2, before: [relu], unit: {change: project}}
  - {units: 1, out: 32, unit: {use: constant_scaling, shortcut_scale: 1}}
head: [$after_last, global_avg_pool, linear: {out: $classes}]
""",
    "recipe": """\
recipe: mine
optimizer: {use: sgd, lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 1e-4, decay: [conv, linear]}
batch: 64
epochs: 4
warmup: {lr: 0.01, for: {iterations: 40}}
schedule: {step: {at: [0.5, 0.75], by: 0.1}}
augment: [flip, pad_crop: {pad: 4}]
init: he_normal
fail_above: null
""",
    "study": """\
study: mine
doc: Which gate is best?
network: {use: resnet_cifar, depth: {choices: [8, 14]}, width: 4}
units:
  - units/identity_mappings/*
  - original
  - {use: exclusive_gating, gate_bias: {range: [-6, 0], step: 3}}
  - {use: constant_scaling, vary: [shortcut_scale], shortcut_scale: 0.5}
  - {use: shortcut_only_gating, vary: all}
data: digits
recipe: {use: he2016_small, lr: {range: [0.01, 1.0], log: true}, epochs: 2, optimizer.momentum: 0.8}
seeds: [0, 3]
objectives: {val_error_pct: minimize}
search: grid
budget: {params: 2M, macs: 300_000, runs: 10}
""",
}
BAD = [  # a kind, what is written there, what is written instead
    ("unit", "bn, $act", "bn, rleu"),
    ("unit", "bn, $act", "bm: {}, $act"),
    ("unit", "bn, $act", "bn, relu: 3"),
    ("unit", "bn, $act", "{bn: {}, relu: {}}"),
    ("unit", "bn, $act", "bn, slice"),
    ("unit", "bn, $act", "bn, conv0x3"),
    ("unit", "[bn, $act]", "bn"),
    ("unit", "boundary:", "bundary:"),
    ("unit", "layers: 2", "layer: 2"),
    ("unit", "after_last: [bn", "after_last: [nb"),
    ("unit", "  y: {", "  z: {"),
    ("unit", "unit: mine", "unit: Mine"),
    ("unit", "unit: mine", "unit: forward"),
    ("unit", "  a: {from: x", "  lambda: {from: x"),
    ("unit", "  a: {from: x", "  A: {from: x"),
    ("unit", "  a: {from: x,", "  a: {form: x,"),
    ("unit", "  a: {from: x", "  a: {from: 3"),
    ("unit", "  a: {from: x", "  a: {from: []"),
    ("unit", "stride: $stride", "strides: $stride"),
    ("unit", "stride: $stride", "stride: two"),
    ("unit", "stride: $stride", "stride: 1.5"),
    ("unit", "padding: [1, 1]", "padding: [1]"),
    ("unit", "padding: [1, 1]", "kernel: 3"),
    ("unit", "{normal: 0.1}", "{norm: 0.1}"),
    ("unit", "{normal: 0.1}", "zeroes"),
    ("unit", "bias: true", "bias: 1"),
    ("unit", "times: 2, ", ""),
    ("unit", "ops: [$norm, $act]", "ops: [$norm, atc]"),
    ("unit", "ops: [conv3x3, bn: ", "ops: [conv3x3, nb: "),
    ("unit", "side: both", "side: booth"),
    ("unit", "scale: {by: 0.5}", "scale: {by: true}"),
    ("unit", "scale: {by: 0.5}", "scale: {}"),
    ("unit", "change: project", "chang: project"),
    ("unit", "if: first or transition, ", ""),
    ("unit", "{h: {from: a}}", "{h: {form: a}}"),
    ("unit", "choices: [relu, silu]", "choice: [relu, silu]"),
    ("unit", "choices: [relu, silu]", "choices: relu"),
    ("unit", "range: [-10, 0]", "range: [-10]"),
    ("unit", "range: [-10, 0]", "range: [-10, 0], choices: [1]"),
    ("unit", "{by: $act, cases:", "{by: $act, case:"),
    ("unit", "  norm: [bn]", "  stride: 1\n  norm: [bn]"),
    ("unit", "doc: A unit", "doc: [A unit]\nd: A unit"),
    ("block", "inputs: [a, b]", "inputs: [a, y]"),
    ("block", "inputs: [a, b]", "inputs: []"),
    ("block", "params:", "boundary: {layers: 1}\nparams:"),
    ("block", "  y: {", "  z: {"),
    ("network", "[3, 32, 32]", "[3, 32]"),
    ("network", "classes: 10", "classes: ten"),
    ("network", "head: [", "heads: ["),
    ("network", "unit: {use: original", "unit: {uses: original"),
    ("network", "stride: 2", "strid: 2"),
    ("network", "before: [relu]", "before: relu"),
    ("network", "units: 1, ", ""),
    ("network", "conv3x3: {out: 16}", "conv3x3: {ot: 16}"),
    ("network", "conv3x3: {out: 16}", "conv3x3: {out: 16, groups: x}"),
    ("recipe", "lr: 0.1, m", "lr: high, m"),
    ("recipe", "use: sgd", "use: adam"),
    ("recipe", "use: sgd, ", ""),
    ("recipe", "batch: 64", "batch: 1"),
    ("recipe", "batch: 64\n", ""),
    ("recipe", "epochs: 4\n", ""),
    ("recipe", "epochs: 4", "epochs: 4\niterations: 5"),
    ("recipe", "{iterations: 40}", "{iterations: 40, epochs: 1}"),
    ("recipe", "{iterations: 40}", "{}"),
    ("recipe", "[0.5, 0.75]", "[0.5, 1.5]"),
    ("recipe", "[0.5, 0.75]", "{epoch: [3]}"),
    ("recipe", "[flip, ", "[flap, "),
    ("recipe", "[flip, ", "[pad_crop, "),
    ("recipe", "[conv, linear]", "[convs]"),
    ("recipe", "init:", "inits:"),
    ("study", "depth: {choices: [8, 14]}", "depth: {choices: []}"),
    ("study", "depth: {choices: [8, 14]}", "dept: {choices: [8, 14]}"),
    ("study", "gate_bias: {range", "gate_bais: {range"),
    ("study", "vary: all", "vary: some"),
    ("study", "  - original", "  - 3"),
    ("study", "data: digits\n", ""),
    ("study", "lr: {range", "lrr: {range"),
    ("study", "epochs: 2", "epochs: many"),
    ("study", "seeds: [0, 3]", "seeds: [0, 0]"),
    ("study", "seeds: [0, 3]", "seeds: 0"),
    ("study", "search: grid", "search: all"),
    ("study", "params: 2M", "params: 2X"),
    ("study", "macs:", "mac:"),
    ("study", "val_error_pct: minimize", "val_error_pct: maximize"),
]  # fmt: skip


@cache
def schema_of(kind: str) -> dict[str, Any]:
    """Return the schema where there is no workspace; to be read only."""
    return make_schema(kind, Library(table()))


@cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(kind))


def refused(kind: str, data: Any) -> list[str]:
    """What the schema says of a file's data."""
    return [f"{'.'.join(map(str, error.path))}: {error.message[:200]}" for error in validator(kind).iter_errors(data)]


def data_of(text: str) -> Any:
    return plain(read_text(text, "mine.yaml"))


def wrong(kind: str, text: str, folder: Path) -> list[str]:
    """What the language says of a text."""
    (folder / "mine.yaml").write_text(text, "utf-8")
    library, check = Library(table(), folder), Problems()
    try:
        if kind == "recipe":
            parse_recipe(library.read(kind, folder / "mine.yaml", check))
        elif kind == "study":
            parse_study(library.read(kind, folder / "mine.yaml", check), library, check)
        else:
            {"unit": library.unit, "block": library.block, "network": library.network}[kind]("mine.yaml")
        check.done()
    except BadInput as error:
        return str(error).splitlines()
    return []
