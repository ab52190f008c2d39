"""Files that lean on others: `extends`, blocks, kinds."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_sample import lines, put, told

from resbench.errors import BadInput, SpecError
from resbench.language.library.library import MAX_CHAIN, Library
from resbench.language.yaml.node import plain
from resbench.ops.schema import table

PARENT = """unit: par
doc: the parent
params: {s: 2, t: {default: 1, range: [0, 3]}}
nodes:
  f: {from: x, ops: [conv3x3, bn]}
  y: {from: f, ops: [relu, scale: {by: $s}, scale: {by: $t}]}
"""


@pytest.fixture
def parent(folder: Path) -> Path:
    put(folder, {"arch_specs/units/par.yaml": PARENT})
    return folder


def read(folder: Path, text: str) -> object:
    put(folder, {"child.yaml": text})
    return plain(Library(table(), folder).read("unit", folder / "child.yaml"))


def test_mappings_merge_and_all_else_replaces(parent: Path) -> None:
    assert read(
        parent, "unit: child\nextends: par\nparams: {s: 3}\nnodes: {y: {ops: [scale: {by: $s}]}, f: {ops: [bn]}}\n"
    ) == {
        "unit": "child",
        "doc": "the parent",
        "params": {"s": 3, "t": {"default": 1, "range": [0, 3]}},
        "nodes": {"f": {"from": "x", "ops": ["bn"]}, "y": {"from": "f", "ops": [{"scale": {"by": "$s"}}]}},
    }


def test_a_child_may_leave_what_it_cannot_take_away(parent: Path) -> None:
    assert told(parent, "unit: mine\nextends: par\nnodes: {y: {from: x, ops: [relu]}}\n") == []
    assert told(parent, "unit: mine\nextends: par\nparams: {own: 1}\n") == [
        "3:10: params.own: param `own` is read by nothing"
    ]


def test_problems_stand_where_they_are_written(parent: Path) -> None:
    assert told(parent, "unit: mine\nextends: par\nnodes: {y: {ops: [rleu]}}\n") == [
        "3:19: nodes.y.ops[0]: unknown op `rleu`; did you mean `relu` or `relu6`?"
    ]
    put(parent, {"arch_specs/units/par.yaml": PARENT.replace("bn]", "bnn]")})
    assert told(parent, "unit: mine\nextends: par\nnods: 3\n") == [
        "arch_specs/units/par.yaml:5:31: nodes.f.ops[1]: unknown op `bnn`; did you mean `bn`?",
        "3:1: nods: unknown key `nods`; allowed: unit, nodes, doc, cite, extends, params, when, boundary; did you mean `nodes`?",
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("parr", "2:10: extends: no unit is called `parr`; did you mean `par`? (units: "),
        ("[par]", "2:10: extends: a name is needed, got [par]"),
        ("3", "2:10: extends: a name is needed, got 3"),
        ("null", "2:10: extends: a name is needed, got null"),
        ("$par", "2:10: extends: a name is needed, got $par"),
        ("none.yaml", "2:10: extends: none.yaml: no such file"),
        ("mine.yaml", "2:10: extends: extends itself: mine <- mine"),
        ("shortcut", "2:10: extends: `shortcut` is a block; a unit is needed"),
    ],
)
def test_extends_names_one_file(parent: Path, name: str, message: str) -> None:
    assert told(parent, "unit: mine\nextends: par\n") == []
    assert told(parent, f"unit: mine\nextends: {name}\n")[0].startswith(message)


def test_a_circle_of_parents_is_told_with_its_path(folder: Path) -> None:
    put(
        folder, {"arch_specs/units/a.yaml": "unit: a\nextends: b\n", "arch_specs/units/b.yaml": "unit: b\nextends: a\n"}
    )
    assert told(folder, "unit: mine\nextends: a\n") == [
        "arch_specs/units/b.yaml:2:10: extends: extends itself: mine <- a <- b <- a"
    ]


def test_a_chain_of_parents_ends(folder: Path) -> None:
    put(folder, {f"arch_specs/units/c{i}.yaml": f"unit: c{i}\nextends: c{i + 1}\n" for i in range(1200)})
    put(folder, {"arch_specs/units/c1200.yaml": "unit: c1200\nnodes: {y: {from: x, ops: []}}\n"})
    assert told(folder, f"unit: mine\nextends: c{1200 - MAX_CHAIN + 1}\n") == []
    assert told(folder, "unit: mine\nextends: c0\n")[0].endswith(
        f"extends: more than {MAX_CHAIN} files extend each other"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("block: mine\nnodes: {y: {from: x, ops: []}}\n",
         "1:1: block: a file whose first key is `unit:` is needed, this one has a block"),
        ("unti: mine\n", "1:1: unti: a file whose first key is `unit:` is needed, this one has `unti` first"),
        ("doc: a\nunit: mine\n", "1:1: doc: a file whose first key is `unit:` is needed, this one has `doc` first"),
    ],
)  # fmt: skip
def test_the_first_key_says_what_a_file_is(folder: Path, text: str, message: str) -> None:
    assert told(folder, text) == [message]


def test_a_file_is_loaded_once(folder: Path) -> None:
    put(folder, {"mine.yaml": "unit: mine\nnodes: {y: {from: x, ops: []}}\n"})
    library = Library(table(), folder)
    first = library.unit("mine.yaml")
    put(folder, {"mine.yaml": "broken"})
    assert library.unit("mine.yaml") is first
    with pytest.raises(SpecError):
        Library(table(), folder).unit("mine.yaml")


def test_every_file_of_the_library_loads() -> None:
    library = Library(table())
    for name in library.names("unit"):
        assert library.unit(name).body.nodes
    for name in library.names("network"):
        assert library.network(name).stages


def test_a_name_in_yaml_cannot_break_the_search(folder: Path) -> None:
    for name in ('"a\\0.yaml"', "loop.yaml", '"' + "x" * 5000 + '.yaml"', "/proc/self/mem.yaml"):
        (folder / "loop.yaml").unlink(missing_ok=True)
        (folder / "loop.yaml").symlink_to("loop.yaml")
        assert told(folder, f"unit: mine\nextends: {name}\n")[-1].endswith(": no such file")


def test_merging_keeps_the_place_of_every_key(parent: Path) -> None:
    put(parent, {"child.yaml": "unit: child\nextends: par\nparams: {s: 3}\n"})
    params = Library(table(), parent).read("unit", parent / "child.yaml").mapping["params"]
    assert {key: str(place) for key, place in params.keys.items()} == {
        "s": "child.yaml:3:10",
        "t": "arch_specs/units/par.yaml:3:16",
    }


def test_recipes_choose_where_units_merge(folder: Path) -> None:
    put(folder, {"arch_specs/recipes/small.yaml": "recipe: small\nextends: he2016\nwarmup: {for: {epochs: 1}}\n"})
    node = Library(table(), folder).read("recipe", folder / "arch_specs/recipes/small.yaml")
    assert plain(node.mapping["warmup"]) == {"lr": 0.01, "for": {"epochs": 1}}


def test_a_missing_file_is_bad_input(folder: Path) -> None:
    with pytest.raises(BadInput) as caught:
        Library(table(), folder).unit("none.yaml")
    assert lines(caught.value) == ["none.yaml: no such file"]
