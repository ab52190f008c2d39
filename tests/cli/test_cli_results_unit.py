"""An entry of a ranking leaves the database as files, and what they say is trained to the same numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import SMALL, Database, Rb

from resbench.study.companions import is_stamped, stamped

SEARCH = """\
study: searched
network: {use: resnet_cifar, depth: {choices: [8, 14]}, width: 2}
units:
  - {use: constant_scaling, shortcut_scale: {choices: [0.5, 1]}}
data: digits
recipe: {use: he2016_small, epochs: 1, batch: 64, warmup: null, lr: {range: [0.01, 0.1], log: true}, plan: {workers: 0}}
seeds: 1
search: {use: random, finalists: 1}
budget: {trials: 1}
"""
HALF = """\
from torch import Tensor, nn

from resbench.ops.registry import op


@op("halve", pure=True)
class Halve(nn.Module):
    \"\"\"Half of what comes in.\"\"\"

    def forward(self, x: Tensor) -> Tensor:
        return x / 2
"""
ERRORS = "SELECT DISTINCT val_error_pct FROM v_runs WHERE judges"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "words", [["units=[{use: constant_scaling, shortcut_scale: 0.5}]"], []], ids=["param", "plain"]
)
def test_an_entry_is_repeated_from_its_files(words: list[str], rb: Rb, database: Database, tmp_path: Path) -> None:
    assert rb("study", "run", "small.yaml", "seeds=1", *words).status == 0
    written = rb("results", "unit", "small", "1", "-o", "best.yaml")
    assert written.status == 0, written.err
    assert sorted(path.name for path in tmp_path.glob("best.*")) == ["best.study.yaml", "best.yaml"]
    _repeats(rb, written.err, database, tmp_path)


def test_so_is_what_a_search_found(rb: Rb, database: Database, tmp_path: Path) -> None:
    (tmp_path / "searched.yaml").write_text(SEARCH, "utf-8")
    assert rb("study", "run", "searched.yaml").status == 0
    written = rb("results", "unit", "searched", "1", "-o", "best.yaml")
    assert written.status == 0, written.err
    names = [f"best{end}.yaml" for end in (".network", ".recipe", ".study", "")]
    assert sorted(path.name for path in tmp_path.glob("best.*")) == names
    _repeats(rb, written.err, database, tmp_path)
    (tmp_path / "best.yaml").unlink()
    again = rb("results", "unit", "searched", "1", "-o", "best.yaml")  # the others are there, and the same
    assert again.status == 0, again.err
    (tmp_path / "best.recipe.yaml").write_text("recipe: mine\n", "utf-8")
    (tmp_path / "best.yaml").unlink()
    refused = rb("results", "unit", "searched", "1", "-o", "best.yaml")
    assert refused.status == 2
    assert not (tmp_path / "best.yaml").exists()
    assert (tmp_path / "best.recipe.yaml").read_text("utf-8") == "recipe: mine\n"


def _repeats(rb: Rb, said: str, database: Database, folder: Path) -> None:
    """The command that was printed gives the same error to the last bit."""
    command = said.split("to train it again, run: resbench ")[1].split()
    assert command[-2:] == ["--db", "best.db"]
    assert "resbench.db has its runs, so nothing would be trained there; to train it again, run: " in said
    ran = rb(*command, "recipe.plan={workers: 0}", "seeds=1")
    assert ran.status == 0, ran.err
    assert "0 cached, 1 new" in ran.err
    assert Database(folder / "best.db").rows(ERRORS)[0] in database.rows(ERRORS)


@pytest.mark.usefixtures("ran")
def test_the_database_of_the_printed_command_is_a_new_one(rb: Rb, tmp_path: Path) -> None:
    (tmp_path / "best.db").write_bytes(b"")
    (tmp_path / "best-2.db").symlink_to("nowhere")
    said = rb("results", "unit", "small", "plain", "-o", "best.yaml", "--db", "resbench.db")
    assert said.err.endswith(" study run best.study.yaml --db best-3.db\n")


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    ("name", "got"), [("best.yml", ".yml"), ("best", "none"), ("best.YAML", ".YAML"), (".", "none")]
)
def test_another_ending_is_refused_with_the_one_that_is_needed(name: str, got: str, rb: Rb, tmp_path: Path) -> None:
    said = rb("results", "unit", "small", "plain", "-o", name)
    assert said.status == 2
    assert f"-o {name}: expected a name that ends in .yaml, got {got}; give best.yaml" in said.err
    assert [*tmp_path.glob("best*")] == []


@pytest.mark.usefixtures("ran")
def test_files_of_an_earlier_write_go_if_nobody_changed_them(rb: Rb, tmp_path: Path) -> None:
    write = ("results", "unit", "small", "plain", "-o", "best.yaml")
    assert rb(*write).status == 0
    stale = tmp_path / "best.network.yaml"
    stale.write_bytes(stamped("network: old\n"))
    refused = rb(*write)
    assert refused.status == 2
    assert (
        "best.network.yaml: is of an earlier write and no part of this one; give another name, or --force"
        in refused.err
    )
    said = rb(*write, "--force")
    assert said.status == 0, said.err
    assert "removed from an earlier write: best.network.yaml\n" in said.err
    assert sorted(path.name for path in tmp_path.glob("best*")) == ["best.study.yaml", "best.yaml"]
    other = rb("results", "unit", "small", "original", "-o", "best.yaml", "--force")  # both replaced
    assert other.status == 0, other.err
    assert all(is_stamped(path) for path in tmp_path.glob("best*"))


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize("name", ["best.network.yaml", "best.study.yaml"])
@pytest.mark.parametrize(
    "content", [b"mine: 1\n", stamped("study: old\n") + b"# mine\n", None], ids=["own", "changed", "link"]
)
def test_a_file_that_resbench_did_not_write_stays(name: str, content: bytes | None, rb: Rb, tmp_path: Path) -> None:
    place = tmp_path / name
    if content is None:
        place.symlink_to("target.yaml")
        (tmp_path / "target.yaml").write_bytes(stamped("study: old\n"))
    else:
        place.write_bytes(content)
    for words in ((), ("--force",)):
        said = rb("results", "unit", "small", "plain", "-o", "best.yaml", *words)
        assert said.status == 2
        assert f"{name}: expected no file, or one as `results unit` wrote it, got another" in said.err
        assert sorted(path.name for path in tmp_path.glob("best*")) == [name]
    assert place.is_symlink() if content is None else place.read_bytes() == content


@pytest.mark.usefixtures("ran")
def test_a_file_that_has_changed_since_is_told(rb: Rb, tmp_path: Path) -> None:
    unit = "unit: mine\nnodes:\n  f: {from: x, ops: [conv3x3: {stride: $stride}, bn]}\n  h: {from: x, ops: [shortcut]}\n" \
        "  y: {from: [h, f], ops: [add, relu]}\n"  # fmt: skip
    (tmp_path / "mine.yaml").write_text(unit, "utf-8")
    assert rb("study", "run", "small.yaml", "units=[mine]").status == 0
    (tmp_path / "mine.yaml").write_text(unit.replace("bn]", "bn, bn]"), "utf-8")
    said = rb("results", "unit", "small", "mine", "-o", "best.yaml")
    assert said.status == 2
    assert "expected the network that was trained, " in said.err
    assert [path.name for path in tmp_path.glob("best*")] == []


def test_the_printed_command_works_with_a_plugin_in_a_process_of_its_own(rb: Rb, tmp_path: Path) -> None:
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "half.py").write_text(HALF, "utf-8")
    unit = "unit: halved\nnodes:\n  f: {from: x, ops: [conv3x3: {stride: $stride}, bn, halve]}\n" \
        "  h: {from: x, ops: [shortcut]}\n  y: {from: [h, f], ops: [add, relu]}\n"  # fmt: skip
    (tmp_path / "halved.yaml").write_text(unit, "utf-8")
    (tmp_path / "odd.yaml").write_text(f"{SMALL.replace('study: small', 'study: odd')}plugins: [ops]\n", "utf-8")
    assert rb("study", "run", "odd.yaml", "units=[halved]", "seeds=1").status == 0
    written = rb("results", "unit", "odd", "1", "-o", "best.yaml")
    assert written.status == 0, written.err
    command = written.err.split("to train it again, run: resbench ")[1].split()
    check = [sys.executable, "-m", "resbench", "study", "check", command[2]]
    done = subprocess.run(check, cwd=tmp_path, text=True, capture_output=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
