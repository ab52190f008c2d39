"""Plugins that a study or a project names, and what a run keeps of them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import SMALL, Database
from plugins_sample import op, put, resbench, unit

from resbench.errors import BadInput, SpecError
from resbench.language.library.project import project_plugins
from resbench.language.study.plugins import plugin_folders
from resbench.language.yaml.node import from_plain

GLOROT = """\
from resbench.ops.initialisers import initialiser

@initialiser("mine")
def mine(weight, start, generator):
    weight.normal_(0.0, 0.1, generator=generator)
"""
FAILING = """\
from resbench.ops.initialisers import initialiser

@initialiser("failing")
def failing(weight, start, generator):
    weight.nothing_of_the_kind()
"""
STUDY = (
    SMALL.replace("[plain, original]", "[plain, twiced]")
    .replace("lr: 0.1", "lr: 0.1, init: mine")
    .replace("seeds: 2", "seeds: 1")
)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A study with its plugin beside it, and a plugin outside of the workspace."""
    put(tmp_path / "outside", {"other.py": op("other")})
    put(tmp_path / "space", {
        "studies/small.yaml": STUDY + "plugins: [plugs/mine]\n", "studies/elsewhere.yaml": STUDY + "plugins: [../../outside]\n",
        "studies/plugs/mine/twice.py": op("twice"), "studies/plugs/mine/init.py": GLOROT,
        "studies/plugs/mine/units/twiced.yaml": unit("twiced", "twice"), "beside/units/another.yaml": unit("another"),
        "arch_specs/units/ours.yaml": unit("ours"),
    })  # fmt: skip
    return tmp_path / "space"


@pytest.mark.long
def test_a_study_runs_with_the_plugins_that_it_names(work: Path) -> None:
    first, again, other, units = resbench(
        work, ["study", "run", "studies/small.yaml", "--json"], ["study", "run", "studies/small.yaml"],
        ["study", "check", "studies/small.yaml", "units=[ours]", "--json"], ["unit", "list", "--json"],
    )  # fmt: skip
    assert first.status == 0, first.err
    assert {row["unit"] for row in first.json} == {"plain", "twiced"}
    assert "2 cached, 0 new" in again.err.splitlines()
    plugins = json.loads(Database(work / "resbench.db").one("SELECT plugins FROM rb_environment"))
    assert list(plugins) == ["mine"]
    assert plugins["mine"].startswith("folder+")
    assert len(plugins["mine"]) == len("folder+12345678")
    assert [row["unit"] for row in other.json] == ["ours"]
    assert "twiced" not in {row["name"] for row in units.json}, "another command does not use the study's plugins"


def test_a_folder_elsewhere_is_for_who_runs_it_to_allow(work: Path) -> None:
    refused, allowed = resbench(
        work, ["study", "check", "studies/elsewhere.yaml"],
        ["study", "check", "studies/elsewhere.yaml", "units=[plain]", "recipe.init=he_normal", "--plugins", "../outside"],
    )  # fmt: skip
    assert refused.status == 2
    assert refused.err.splitlines()[0] == (
        f"studies/elsewhere.yaml:9:11: plugins[0]: `../../outside` lies outside of studies and of .: a study may not "
        f"run code from elsewhere; who runs it may, with `--plugins {work.parent}/outside`"
    )
    assert allowed.status == 0, allowed.err


def test_what_a_study_may_name(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work)
    folder = work / "studies"

    def named(*folders: object) -> list[Path]:
        return plugin_folders(from_plain({"study": "s", "plugins": list(folders)}), folder)  # type: ignore[arg-type]

    assert named("plugs/mine", "../beside") == [folder / "plugs/mine", work / "beside"]
    assert plugin_folders(from_plain({"study": "s"}), folder) == []
    (folder / "link").symlink_to(work.parent / "outside")
    for bad, words in (
        ("link", "`link` lies outside of studies and of "),
        (str(work.parent), "lies outside of"),
        ("gone", "`gone` is not a folder beside the study"),
        (3, "a folder is needed, got 3"),
        ("", "a folder is needed"),
    ):
        with pytest.raises(SpecError) as error:
            named(bad)
        assert words in str(error.value)
    with pytest.raises(SpecError, match="a list of folders is needed, got plugs"):
        plugin_folders(from_plain({"study": "s", "plugins": "plugs"}), folder)


def test_the_project_names_plugins_for_every_command_below_it(work: Path) -> None:
    put(work, {"pyproject.toml": '[tool.resbench]\nplugins = ["studies/plugs/mine"]\n', "below/x.txt": ""})
    below, ops = resbench(work / "below", ["unit", "list", "--json"], ["ops", "--json"])
    assert "twiced" in {row["name"] for row in below.json}
    assert "twice" in {row["name"] for row in ops.json}


@pytest.mark.long
def test_whatever_reads_a_network_uses_the_plugins_that_its_study_ran_with(work: Path) -> None:
    """Those in the workspace by themselves, others where who runs it names them; the row says which."""
    put(work.parent / "outside", {"units/othered.yaml": unit("othered", "other")})
    put(work, {"studies/out.yaml": SMALL.replace("small", "out", 1).replace("original", "othered")})
    outside = ["--plugins", "../outside"]
    run, out, *said = resbench(
        work, ["study", "run", "studies/small.yaml", "seeds=2"], ["study", "run", "studies/out.yaml", *outside],
        ["results", "repeat", 3], ["study", "proxies", "small", "--images", 8], ["results", "plot", "small"],
        ["study", "status", "small", *outside], ["report", "small"], ["results", "repeat", 8, *outside],
        ["results", "plot", "out", *outside, "-o", "out.svg"], ["results", "repeat", 8],
    )  # fmt: skip
    assert (run.status, out.status) == (0, 0), run.err + out.err
    *good, refused = said
    assert [one.status for one in good] == [0] * len(good), [one.err for one in good]
    assert good[0].out.endswith("the same in every epoch, bit for bit\n")
    assert ">twice<" in (work / "report.html").read_text("utf-8"), "its unit is drawn"
    assert refused.status == 3
    assert refused.err.startswith("op `other`: expected an op of resbench or of a plugin in use, got an unknown one")
    assert "the study was run with --plugins ../outside" in refused.err
    specs = [
        json.loads(spec) for (spec,) in Database(work / "resbench.db").rows("SELECT spec FROM rb_study ORDER BY id")
    ]
    assert [spec["plugins"] for spec in specs] == [["studies/plugs/mine"], ["../outside"]]


@pytest.mark.long
def test_a_row_names_no_folder_outside_of_the_workspace(work: Path) -> None:
    """A database may have come from somebody else: what it names is run only where a study's file could name it."""
    put(work.parent / "outside", {"units/othered.yaml": unit("othered", "other")})
    put(work, {"studies/out.yaml": SMALL.replace("small", "out", 1).replace("original", "othered")})
    (done,) = resbench(work, ["study", "run", "studies/out.yaml", "--plugins", "../outside"])
    assert done.status == 0, done.err
    (work / "link").symlink_to(work.parent / "outside")
    with sqlite3.connect(work / "resbench.db") as database:
        named = json.dumps(["link", "/", "a\x00b", "gone"])
        database.execute("UPDATE rb_study SET spec = json_set(spec, '$.plugins', json(?))", (named,))
    (said,) = resbench(work, ["results", "repeat", 3])
    assert said.status == 3
    assert said.err.startswith("op `other`: expected an op of resbench")


@pytest.mark.long
def test_the_project_names_plugins_for_every_function_and_command(work: Path) -> None:
    put(work, {"pyproject.toml": '[tool.resbench]\nplugins = ["studies/plugs/mine"]\n'})
    diff, verified = resbench(
        work, ["unit", "diff", "twiced", "plain"],
        ["net", "verify", "resnet_cifar", "depth=8", "unit=twiced", "--against", "torch_resnet:gone"],
    )  # fmt: skip
    assert diff.status == 1, diff.err
    assert "twice" in diff.out
    assert "twiced" not in verified.err, "the unit is found; the reference is not"
    drawn = "import resbench; print(resbench.draw('twiced', 'width=8').text)"
    done = subprocess.run(
        [sys.executable, "-c", drawn], cwd=work, text=True, capture_output=True, check=True, timeout=900
    )
    assert "twice" in done.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('plugins = ["gone"]', "{work}/gone is no folder"),
        ('plugins = "studies"', "a list of folders is needed, got 'studies'"),
        ("plugins = [1]", "a list of folders is needed, got [1]"),
    ],
)
def test_what_a_project_may_name(text: str, words: str, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(work, {"pyproject.toml": f"[tool.resbench]\n{text}\n"})
    monkeypatch.chdir(work)
    with pytest.raises(BadInput) as error:
        project_plugins()
    assert str(error.value) == f"{work}/pyproject.toml: [tool.resbench] plugins: {words.replace('{work}', str(work))}"


@pytest.mark.long
def test_a_run_that_a_plugin_breaks_names_it_and_the_others_are_saved(work: Path) -> None:
    put(
        work / "studies/plugs/mine",
        {"init.py": FAILING, "twice.py": op("twice", "x + self.by.gone if self.training else x")},
    )
    words = ["study", "run", "studies/small.yaml", "recipe.init=he_normal"]
    broken, unknown, failing = resbench(
        work, words, [*words[:3], "--db", "b.db"], [*words[:3], "recipe.init=failing", "--db", "c.db"]
    )
    assert broken.status == 1
    assert "twiced" in broken.err
    assert "plugin mine (a folder): AttributeError: 'float' object has no attribute 'gone'" in broken.err
    assert Database(work / "resbench.db").one("SELECT COUNT(*) FROM rb_run") == 1
    assert unknown.status == 2
    assert "no initialiser is called `mine`; initialisers: he_normal, " in unknown.err
    assert failing.status == 1
    assert (
        "plugin mine (a folder): AttributeError: 'Tensor' object has no attribute 'nothing_of_the_kind'" in failing.err
    )


@pytest.mark.long
def test_a_plugin_that_fails_one_cell_after_another_stops_the_study(work: Path) -> None:
    put(work / "studies/plugs/mine", {"twice.py": op("twice", "x + self.by.gone if self.training else x")})
    (said,) = resbench(
        work, ["study", "run", "studies/small.yaml", "units=[twiced]", "seeds=9", "recipe.plan={workers: 2, width: 1}"]
    )
    assert said.status == 3
    assert "plugin mine (a folder): AttributeError: 'float' object has no attribute 'gone'" in said.err
    assert "(5 cells in a row; the study stops)" in said.err
    assert "Traceback" not in said.err
    database = Database(work / "resbench.db")
    assert database.one("SELECT COUNT(*) FROM rb_attempt WHERE kind = 'plugin'") == 5
    assert database.rows("SELECT id FROM rb_cell WHERE status = 'running'") == []
