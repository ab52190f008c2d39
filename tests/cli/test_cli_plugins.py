"""`plugins new` writes what installs, is found and passes `plugins check`; `list` and `check` tell what is broken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Rb, Said
from plugins_sample import op, package, put, resbench, unit

from resbench.errors import BadInput
from resbench.plugins.new import FILES, write_package

ODD = '@op("odd")\nclass Odd(:\n'
CONSTANT = """\
from resbench.ops.initialisers import initialiser
from resbench.measure.registry import metric

@initialiser("lazy")
def lazy(weight, start, generator):
    weight[0] = 1.0

@metric("depth_m")
def depth_m(bound, network):
    return "deep"

@metric("n_stages")
def n_stages(bound, network):
    return len(bound.stages)
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    assert write_package("leaky_gain", folder) == folder / "leaky_gain"
    return folder / "leaky_gain"


def test_new_twice_names_the_folder(rb: Rb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m resbench` finds a folder of where it is run as a package without a file."""
    monkeypatch.syspath_prepend("")
    assert rb("plugins", "new", "leaky_gain").status == 0
    again = rb("plugins", "new", "leaky_gain")
    assert (again.status, again.err) == (2, "leaky_gain: exists already and was left as it is; give another name\n")
    assert rb("plugins", "new", "leaky_gain", "--dir", "other").status == 0
    taken = rb("plugins", "new", "yaml")
    assert "`yaml` is the name of a Python package that is installed" in taken.err


def test_new_writes_a_package_with_an_op_a_unit_and_a_test(rb: Rb, tmp_path: Path) -> None:
    said = rb("plugins", "new", "leaky_gain")
    assert said.out == "leaky_gain: written. Next: resbench plugins check leaky_gain\n"
    written = tmp_path / "leaky_gain"
    files = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    assert files == {name.replace("NAME", "leaky_gain") for name in FILES}
    lines = (written / "src/leaky_gain/op.py").read_text().splitlines()
    head = next(line for line in lines if line.startswith("@op("))
    assert head.startswith('@op("leaky_gain", role="gate", effect="learned", factor=')
    assert "class LeakyGain(Parametric):" in lines
    assert len(lines) <= 20
    assert not [
        name for name in files if "NAME" in (written / name).read_text() or "CLASS" in (written / name).read_text()
    ]
    assert rb("plugins", "new", "leaky_gain").status == 2


@pytest.mark.long
def test_it_installs_is_found_and_passes_its_check_and_its_own_test(written: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", site]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, written], check=True, capture_output=True, timeout=120
    )
    words = [["plugins", "check", "leaky_gain"], ["unit", "check", "leaky_gain_unit"]]
    found, unit = resbench(tmp_path, *words, path=site)
    assert found.status == 0, found.err
    first, second, third = found.out.splitlines()
    assert first == "plugin leaky_gain 0.1.0, from installed"
    assert second == (
        "  ok   op leaky_gain: leaky_gain(init=1.0) of 8x6x5 -> 8x6x5: 8 checks, claims effect, "
        "role gate, effect learned, 0 MACs, stacked: side by side"
    )
    places = "first 16x32x32 -> 16x32x32; inner 16x32x32 -> 16x32x32; transition 16x32x32 -> 32x16x16"
    assert third == f"  ok   unit leaky_gain_unit: {places}"
    assert unit.out.endswith("leaky_gain_unit: ok in resnet_cifar\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tested = subprocess.run(command, cwd=written, text=True, capture_output=True, timeout=900, check=False)
    assert tested.returncode == 0, tested.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(BadInput, match=r"^.*/mine: exists already and was left as it is; give another name$"):
        write_package("mine", tmp_path)
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("relu", "`relu` is the name of an op, a block or a unit already"),
        ("shortcut", "`shortcut` is the name of an op, a block or a unit already"),
        ("plain", "`plain` is the name of an op, a block or a unit already"),
        ("json", "`json` is the name of a Python package that is installed"),
        ("Gain", "`Gain` is not a legal name: expected a small letter, then small letters, digits and `_`"),
        ("../up", "`../up` is not a legal name"),
        ("class", "`class` is a word of Python"),
        ("x" * 58, f"`{'x' * 20}...` has 63 characters; at most 60 are allowed"),
    ],
)
def test_names_that_are_refused(name: str, reason: str, rb: Rb, tmp_path: Path) -> None:
    said = rb("plugins", "new", name)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(f"plugins new: {reason}")
    assert said.err.endswith("; choose another name\n")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[Said]:
    """A folder of which one file is no Python, one metric no number and one initialiser lazy."""
    folder = put(tmp_path_factory.mktemp("broken"), {"bad/odd.py": ODD, "bad/lazy.py": CONSTANT})
    use = ["--plugins", "bad"]
    return resbench(
        folder, ["plugins", "list", *use], ["plugins", "list", "--trace", *use], ["plugins", "list", "--json", *use],
        ["plugins", "check", "bad"], ["net", "show", "resnet_cifar", "depth=8", *use],
        ["plugins", "list"], ["plugins", "check"], ["plugins", "check", "gone"], ["plugins", "check", "bda", *use],
    )  # fmt: skip


def test_list_tells_what_is_broken_and_lists_the_rest(said: list[Said]) -> None:
    plain, traced, json = said[:3]
    assert plain.status == 0
    row = plain.out.splitlines()[3]
    assert row.split()[:3] == ["bad", "–", "bad"]
    assert "initialisers: lazy; metrics: depth_m, n_stages" in row
    assert row.split()[-1] == "broken"
    assert plain.err == "plugin bad (a folder): odd.py: SyntaxError: invalid syntax (odd.py, line 2)\n"
    assert traced.err.startswith(f"{plain.err}Traceback (most recent call last):\n")
    assert '/bad/odd.py", line 2\n    class Odd(:\n' in traced.err
    (item,) = json.json
    assert (item["name"], item["version"], item["state"]) == ("bad", None, "broken")
    assert item["gives"] == {"initialisers": ["lazy"], "metrics": ["depth_m", "n_stages"]}
    assert item["problems"][0]["what"] == "odd.py"
    assert item["problems"][0]["trace"].startswith("Traceback")


def test_check_tries_everything_and_ends_with_3(said: list[Said]) -> None:
    assert said[3].status == 3
    assert said[3].out.splitlines() == [
        "plugin bad (a folder), from bad",
        "  FAIL odd.py: SyntaxError: invalid syntax (odd.py, line 2)",
        "  FAIL initialiser lazy: not every value of a conv's weight is drawn and finite",
        "  FAIL metric depth_m: metric `depth_m` of plugin bad (a folder): expected a finite number, got 'deep'",
        "  ok   metric n_stages: 3 for resnet_cifar of original",
    ]
    assert '/bad/odd.py", line 2' in said[3].err


def test_a_metric_of_a_plugin_stands_in_net_show_and_one_that_fails_is_a_note(said: list[Said]) -> None:
    assert said[4].status == 0
    assert "\nn_stages 3\n" in said[4].out
    note = "note: metric `depth_m` of plugin bad (a folder): expected a finite number, got 'deep'\n"
    assert said[4].out.endswith(note)


def test_no_plugins_and_unknown_ones(said: list[Said]) -> None:
    none, nothing, gone, near = said[5:]
    told = "no plugins are active here; `resbench plugins new NAME` writes one\n"
    assert (none.status, none.out, none.err) == (0, "", told)
    assert (nothing.status, nothing.out) == (0, "no plugins\n")
    assert (gone.status, gone.err) == (2, "no plugin is called `gone`; plugins: none; or give its folder\n")
    assert near.err == "no plugin is called `bda`; did you mean `bad`?; plugins: bad; or give its folder\n"


FAULTS: dict[str, tuple[Callable[[str], str], str, str]] = {
    "unclosed": (lambda text: text.replace("(self, x", "[self, x"),
        "module unclosed.op: SyntaxError: ", 'unclosed/op.py", line 14'),
    "importing": (lambda text: text.replace("import op\n", "import op\nimport not_there\n"),
        "module importing.op: ModuleNotFoundError: No module named 'not_there'", "import not_there\n"),
    "taking": (lambda text: text.replace('@op("taking"', '@op("relu"'),
        "module taking.op: an op cannot be called `relu`: it is the name of a built-in op (resbench.ops, relu.py)", ""),
    "building": (lambda text: text.replace("self.by = by", "self.by = gone"),
        "op building: op building(by=2.0) of 8x6x5: starts: it raises NameError: name 'gone' is not defined",
        "    self.by = gone\n"),
    "forwarding": (lambda text: text.replace("x * self.by", "x * self.gone"),
        "op forwarding: op forwarding(by=2.0) of 8x6x5: shapes: it raises AttributeError: 'Twice' object has no attribute 'gone'",
        "    return x * self.gone\n"),
    "impure": (lambda text: text.replace("x * self.by", "x * self.by if self.training else x"),
        "op impure: op impure(by=2.0) of 8x6x5: pure: training and evaluation differ, so it is not pure: ", ""),
}  # fmt: skip


@pytest.mark.long
def test_each_fault_has_name_version_and_cause_and_stops_nobody_else(tmp_path: Path) -> None:
    for name, (spoil, _, _) in FAULTS.items():
        package(tmp_path / name, {"op.py": spoil(op(name))}, ops={name: f"{name}.op"})
    put(tmp_path, {"one/same.py": op("same"), "two/same.py": op("same"), "two/fine.py": op("fine")})
    put(tmp_path, {f"{name}.yaml": unit(name, name) for name in (*FAULTS, "same", "fine")})
    use = [word for name in (*FAULTS, "one", "two") for word in ("--plugins", name)]
    checked, *units, fine, other, same = resbench(
        tmp_path, ["plugins", "check", *use], *(["unit", "check", f"{name}.yaml", *use] for name in FAULTS),
        ["unit", "check", "fine.yaml", *use], ["unit", "check", "original", *use], ["unit", "check", "same.yaml", *use],
    )  # fmt: skip
    assert checked.status == 3
    lines = checked.out.splitlines()
    for (name, (_, cause, traced)), said in zip(FAULTS.items(), units, strict=True):
        at = lines.index(f"plugin {name} 1.5, from {name}")
        assert lines[at + 1].startswith(f"  FAIL {cause}")
        assert traced in checked.err
        if name == "impure":
            continue  # a unit of it is checked, as the claim is not
        assert said.status == 3, said.err
        assert f"{name}.yaml:2:56: nodes.f.ops[1]: " in said.err
        assert f"plugin {name} 1.5: " in said.err
    twice = f"by plugin one (a folder) ({tmp_path}/one/same.py) and plugin two (a folder) ({tmp_path}/two/same.py)"
    for name in ("one", "two"):
        at = lines.index(f"plugin {name} (a folder), from {name}")
        assert lines[at + 1] == f"  FAIL ops: `same`: is provided twice: {twice}; remove one"
    assert lines[-1].startswith("  ok   op fine: fine(by=2.0) of 8x6x5 -> 8x6x5: ")
    assert (fine.status, other.status, same.status) == (0, 0, 3)
    assert f"same.yaml:2:56: nodes.f.ops[1]: ops: `same` is provided twice: {twice}; remove one" in same.err
