"""Spec files of plugins, and the Python door: functions that return what such a file holds."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from plugins_sample import Use, package, put, unit

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.identity.canonical import canonical
from resbench.errors import BadInput, PluginError, SpecError
from resbench.language.graph.network import Use as Named
from resbench.language.library.library import Library, shown
from resbench.language.yaml.node import Node, from_plain
from resbench.ops.schema import table
from resbench.plugins.plugin import Failure

DOOR = """\
def units():
    return [unit(f"grown{n}", n) for n in (1, 2)]

def unit(name, n):
    layers = [{"conv3x3": {"stride": "$stride"} if i == 0 else {}} for i in range(n)]
    f = {"from": "x", "ops": [*layers, "bn"]}
    y = {"from": ["h", "f"], "ops": ["add", "relu"]}
    return {
        "unit": name, "doc": "costs $5", "params": {"change": "pad"},
        "nodes": {"h": {"from": "x", "ops": [{"shortcut": {"change": "$change"}}]}, "f": f, "y": y},
        "boundary": {"layers": n},
    }
"""
SAME = """\
unit: same
params: {change: pad}
nodes:
  f: {from: x, ops: [conv3x3: {stride: $stride}, conv3x3, bn]}
  h: {from: x, ops: [shortcut: {change: $change}]}
  y: {from: [f, h], ops: [add, relu]}
"""


@pytest.fixture(autouse=True)
def _away_from_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def digest(library: Library, unit: str) -> str:
    network = Named("resnet_cifar", {"depth": from_plain(14)}, Node("resnet_cifar"))
    return canonical(bind_network(Request(network, Named(unit, {}, Node(unit))), library)).digest


def test_a_function_gives_units_that_are_those_of_a_file(tmp_path: Path, use: Use, told: list[Failure]) -> None:
    use(package(tmp_path / "grower", {"door.py": DOOR}, units={"grown": "grower.door:units"}))
    put(tmp_path, {"same.yaml": SAME})
    library = Library(table(), tmp_path)
    assert {"grown1", "grown2"} <= set(library.names("unit"))
    spec = library.unit("grown2")
    assert (spec.name, spec.doc) == ("grown2", "costs $5")
    assert shown(library.find("unit", "grown2")) == "plugin grower 1.5: grower.door:units grown2"
    assert digest(library, "grown2") == digest(library, "same.yaml") != digest(library, "grown1")
    assert not told


def test_a_file_may_extend_what_a_function_gives(tmp_path: Path, use: Use) -> None:
    use(package(tmp_path / "extended", {"door.py": DOOR}, units={"grown": "extended.door:units"}))
    put(tmp_path, {"child.yaml": "unit: child\nextends: grown2\nparams: {change: project}\n"})
    library = Library(table(), tmp_path)
    assert set(library.unit("child").body.nodes) == {"h", "f", "y"}


def test_what_is_wrong_in_it_is_told_like_a_file_s(tmp_path: Path, use: Use) -> None:
    wrong = DOOR.replace('"bn"', '"rleu"').replace('["add", "relu"]', '["add", {"gain": {"per": 3}}]')
    use(package(tmp_path / "wrong", {"door.py": wrong}, units={"grown": "wrong.door:units"}))
    with pytest.raises(SpecError) as error:
        Library(table()).unit("grown1")
    first, second = (str(problem).splitlines() for problem in error.value.problems)
    assert first[0].startswith(
        "plugin wrong 1.5: wrong.door:units:26:5: nodes.f.ops[1]: unknown op `rleu`; did you mean `relu`"
    )
    assert first[1].strip() == '"rleu"'
    assert second[0].startswith("plugin wrong 1.5: wrong.door:units:38:14: nodes.y.ops[1].gain.per: gain: per must be ")


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("return 3", "door{n}.door:units must return a mapping or a list of them, got int"),
        ("return {'block': 'b', 'nodes': {}}", "door{n}.door:units must return units: its first key is `block`"),
        ("return [{'unit': 'same'}] * 2", "door{n}.door:units must return units: `same` is there twice"),
        ("return {'unit': 'forward'}", "door{n}.door:units must return units: `forward` is an attribute of every torch module"),
        ("return {'unit': 'x', 'nodes': {'y': object()}}", "TypeError: Object of type object is not JSON serializable"),
        ("return {'unit': 'x', 'params': {'a': float('nan')}}", "ValueError: Out of range float values are not JSON compliant"),
        ("return 1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)  # fmt: skip
def test_a_function_that_gives_none(body: str, cause: str, tmp_path: Path, use: Use, told: list[Failure]) -> None:
    name = f"door{sha256(body.encode()).hexdigest()[:8]}"  # a module is imported once in a process
    use(package(tmp_path / name, {"door.py": f"def units():\n    {body}\n"}, units={"wanted": f"{name}.door:units"}))
    library = Library(table())
    assert "original" in library.names("unit")
    assert len(told) == 1
    assert str(told[0]).startswith(f"plugin {name} 1.5: units: wanted: {cause.replace('{n}', name[4:])}")
    with pytest.raises(PluginError, match=f"`wanted` cannot be used: plugin {name} 1.5: units: wanted: "):
        library.unit("wanted")


def test_a_module_or_function_that_is_not_there(tmp_path: Path, use: Use, told: list[Failure]) -> None:
    use(
        package(tmp_path / "gone_module", {}, units={"a": "gone_module.door:units"}),
        package(tmp_path / "gone_function", {"door.py": ""}, units={"b": "gone_function.door:units"}),
        package(tmp_path / "gone_files", {}, units={"c": "gone_files"}),
    )
    assert "original" in Library(table()).names("unit")
    assert [failure.cause for failure in told] == [
        "ModuleNotFoundError: No module named 'gone_module.door'",
        "AttributeError: module 'gone_function.door' has no attribute 'units'",
        f"no YAML file of a unit in {tmp_path}/gone_files/src/gone_files",
    ]


def test_the_study_s_folder_and_the_workspace_win(tmp_path: Path, use: Use) -> None:
    for where in ("plug/units", "mine", "arch_specs/units"):
        put(tmp_path, {f"{where}/a.yaml": unit("a"), f"{where}/b.yaml": unit("b"), f"{where}/c.yaml": unit("c")})
    (tmp_path / "mine/b.yaml").unlink()
    (tmp_path / "mine/c.yaml").unlink()
    (tmp_path / "arch_specs/units/c.yaml").unlink()
    use(tmp_path / "plug")
    library = Library(table(), tmp_path / "mine")
    places = {name: library.find("unit", name).relative_to(tmp_path).parts[0] for name in "abc"}
    assert places == {"a": "mine", "b": "arch_specs", "c": "plug"}


def test_a_name_of_the_library_or_of_another_plugin_is_refused_with_both(tmp_path: Path, use: Use) -> None:
    put(tmp_path, {"one/units/original.yaml": unit("original"), "one/units/mine.yaml": unit("mine")})
    put(tmp_path, {"two/units/deep/mine.yaml": unit("mine"), "two/units/fine.yaml": unit("fine")})
    use(tmp_path / "one", tmp_path / "two")
    library = Library(table())
    with pytest.raises(
        BadInput, match=r"^unit `original` is found twice: one/units/original\.yaml, library/arch_specs/units/"
    ):
        library.unit("original")
    with pytest.raises(
        BadInput, match=r"^unit `mine` is found twice: one/units/mine\.yaml, two/units/deep/mine\.yaml$"
    ):
        library.unit("mine")
    assert library.unit("fine").name == "fine"
    assert library.unit("plain").name == "plain"


def test_networks_blocks_and_recipes_too(tmp_path: Path, use: Use) -> None:
    door = (
        "def networks():\n    return {'network': 'tiny', 'input': [1, 8, 8], 'classes': 10, 'unit': 'original',\n"
        "        'stem': [{'thing': {'width': 8}}, '$after_stem'], 'stages': [{'units': 2, 'out': 8}],\n"
        "        'head': ['global_avg_pool', {'linear': {'out': '$classes'}}]}\n"
        "def blocks():\n    return {'block': 'thing', 'params': {'width': 4},\n"
        "        'nodes': {'y': {'from': 'x', 'ops': [{'conv3x3': {'out': '$width'}}]}}}\n"
        "def recipes():\n    return {'recipe': 'brisk', 'extends': 'he2016_small', 'epochs': 2}\n"
    )
    points = {kind: {kind: f"several.door:{kind}"} for kind in ("networks", "blocks", "recipes")}
    use(package(tmp_path / "several", {"door.py": door}, **points))
    library = Library(table())
    bound = bind_network(Request(Named("tiny", {}, Node("tiny"))), library)
    assert bound.stem.output_shape == (8, 8, 8)
    assert library.read("recipe", library.find("recipe", "brisk")).mapping["epochs"].value == 2
