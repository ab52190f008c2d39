"""Folders and installed packages -> plugins, their ops known by name, with nothing imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from plugins_sample import Use, op, package, put, unit

from resbench.errors import BadInput, Reason
from resbench.language.library.library import Library
from resbench.ops.schema import table
from resbench.plugins.folder import read_folder
from resbench.plugins.locate import folder_of, source_of
from resbench.plugins.plugin import Failure, Gift


def test_a_plain_folder(tmp_path: Path, use: Use, told: list[Failure]) -> None:
    put(
        tmp_path / "mine",
        {"twice.py": op("twice"), "helper.py": "x = 1\n", "units/doubled.yaml": unit("doubled", "twice")},
    )
    before = {*sys.modules}
    state = use(tmp_path / "mine")
    assert [(p.name, p.version, p.label) for p in state.plugins] == [("mine", "", "plugin mine (a folder)")]
    assert [(gift.group, gift.name) for gift in state.plugins[0].gives] == [("ops", "twice"), ("units", "units")]
    signature = table()["twice"]
    assert signature.arguments["by"].default == 2.0
    assert signature.origin == f"plugin mine (a folder), {tmp_path}/mine/twice.py"
    library = Library(table())
    assert library.unit("doubled").name == "doubled"
    assert library.find("unit", "doubled") == tmp_path / "mine/units/doubled.yaml"
    assert "twice" in library.op_names()
    assert not told
    assert not [name for name in {*sys.modules} - before if name.startswith("resbench_plugin_")]


def test_a_package_by_the_entry_points_of_its_project_file(tmp_path: Path, use: Use, told: list[Failure]) -> None:
    files = {"deep/ops.py": op("twice") + op("treble").partition("import op\n")[2],
             "units/doubled.yaml": unit("doubled", "twice")}  # fmt: skip
    folder = package(tmp_path / "two_ops", files, ops={"twice": "two_ops.deep.ops"}, units={"all": "two_ops"})
    state = use(folder)
    assert [plugin.label for plugin in state.plugins] == ["plugin two_ops 1.5"]
    assert {"twice", "treble"} <= set(table()), "one entry point may name a module of several ops"
    assert Library(table()).find("unit", "doubled") == folder / "src/two_ops/units/doubled.yaml"
    assert "two_ops" not in sys.modules
    assert not told


def test_nothing_is_used_that_nobody_names(tmp_path: Path, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"plugins/twice.py": op("twice"), "twice.py": op("twice")})
    monkeypatch.chdir(tmp_path)
    assert use().plugins == ()
    assert "twice" not in table()


def test_an_installed_package(tmp_path: Path, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {
        "tripler/__init__.py": "raise RuntimeError('imported')\n", "tripler/op.py": op("triple"),
        "tripler-2.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tripler\nVersion: 2.0\n",
        "tripler-2.0.dist-info/entry_points.txt": "[resbench.ops]\ntriple = tripler.op\n",
    })  # fmt: skip
    monkeypatch.syspath_prepend(str(tmp_path))
    (plugin,) = use().plugins
    assert (plugin.label, plugin.installed) == ("plugin tripler 2.0", True)
    assert "triple" in table(), "read from its source: importing it would raise"


def test_a_named_folder_stands_in_for_what_is_installed_under_its_name(
    tmp_path: Path, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "site", {
        "quad/__init__.py": "", "quad/op.py": op("quad"),
        "quad-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: quad\nVersion: 1.0\n",
        "quad-1.0.dist-info/entry_points.txt": "[resbench.ops]\nquad = quad.op\n",
    })  # fmt: skip
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    folder = package(tmp_path / "quad", {"op.py": op("quad")}, ops={"quad": "quad.op"})
    assert [plugin.version for plugin in use(folder).plugins] == ["1.5"]
    assert str(folder) in table()["quad"].origin


def test_folders_that_are_no_plugin(tmp_path: Path, use: Use) -> None:
    with pytest.raises(BadInput, match=r"^plugins: .*/gone is not a folder$"):
        use(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        BadInput, match=r"provides nothing: it has no pyproject\.toml with entry points `resbench\.ops`, "
    ):
        use(tmp_path / "empty")
    put(tmp_path / "torn", {"pyproject.toml": "[project\n", "twice.py": op("twice")})
    with pytest.raises(BadInput, match=r"torn/pyproject\.toml: cannot be read: "):
        use(tmp_path / "torn")
    for name in ("a/same", "b/same"):
        put(tmp_path / name, {"twice.py": op("twice")})
    with pytest.raises(BadInput, match=r"^plugins: two are called `same`: .*/a/same and .*/b/same$"):
        use(tmp_path / "a/same", tmp_path / "b/same")
    assert len(use(tmp_path / "a/same", tmp_path / "a/same").plugins) == 1


def test_names_of_what_a_plain_folder_registers_by_a_constant(tmp_path: Path) -> None:
    text = (
        'INFO = DatasetInfo(name="spots", n=1)\n@dataset(INFO)\ndef load(): ...\n@metric("depth")\ndef depth(b, n): ...\n'
        '@dataset(made())\ndef other(): ...\n@initialiser("flat")\ndef flat(w, s, g): ...\n'
    )
    put(tmp_path / "mine", {"file.py": text})
    gives = [(gift.group, gift.name) for gift in read_folder(tmp_path / "mine").gives]
    assert gives == [("datasets", "spots"), ("metrics", "depth"), ("datasets", "file"), ("initialisers", "flat")]


def test_modules_are_found_without_importing_their_parents(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"a/__init__.py": "raise RuntimeError\n", "a/b/__init__.py": "", "a/b/c.py": "", "one.py": "", "d/x.yaml": ""},
    )
    assert source_of("a.b.c", tmp_path) == tmp_path / "a/b/c.py"
    assert source_of("a.b", tmp_path) == tmp_path / "a/b/__init__.py"
    assert source_of("one", tmp_path) == tmp_path / "one.py"
    assert folder_of("d", tmp_path) == tmp_path / "d", "a folder of files needs no __init__.py"
    for name, words in (
        ("a.c", "no module `a.c` in"),
        ("gone.x", "no package `gone` in"),
        ("one.x", "no module `one.x`"),
    ):
        with pytest.raises(Reason, match=words):
            source_of(name, tmp_path)
    with pytest.raises(Reason, match=r"no package folder `a\.gone`"):
        folder_of("a.gone", tmp_path)
    assert source_of("resbench.ops.activations.relu").name == "relu.py"


def test_an_entry_point_says_module_and_function() -> None:
    from resbench.plugins.plugin import parse_entry

    assert parse_entry("resbench.units", "all", "a.b:units [extra]") == Gift("units", "all", "a.b", "units")
    assert parse_entry("resbench.ops", "x", " a.b ").target == "a.b"
