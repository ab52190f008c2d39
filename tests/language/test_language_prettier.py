"""Files that Prettier has formatted, as an editor does on saving: they mean the same, and params keep their descriptions."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from resbench.language.graph.body import parse_params
from resbench.language.library.lookup import INSTALLED, STUDIES
from resbench.language.yaml.node import plain
from resbench.language.yaml.problems import Problems
from resbench.language.yaml.reader import read

pytestmark = pytest.mark.long

ROOT = INSTALLED.parent
SHIPPED = sorted([*INSTALLED.rglob("*.yaml"), *STUDIES.rglob("*.yaml")])


def prettier(packages: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    script = packages / "node_modules" / "prettier" / "bin" / "prettier.cjs"
    return subprocess.run(["node", script, *words], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "settings", [["--no-config"], ["--config", str(ROOT / ".prettierrc")]], ids=["defaults", "ours"]
)
def test_meaning_and_descriptions_stay(node_packages: Path, settings: list[str], tmp_path: Path) -> None:
    for path in SHIPPED:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    done = prettier(node_packages, tmp_path, *settings, "--write", "--list-different", "**/*.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    changed = [tmp_path / line for line in done.stdout.splitlines()]
    assert len(changed) > 30
    for copy in changed:
        before, after = read(ROOT / copy.relative_to(tmp_path)), read(copy)
        assert plain(after) == plain(before)
        params = [parse_params(top.mapping.get("params"), ("out", "stride"), Problems()) for top in (before, after)]
        docs = [{name: param.doc for name, param in each.items()} for each in params]
        assert docs[1] == docs[0]


def test_our_files_stay_as_they_are(node_packages: Path) -> None:
    """Those that Prettier would change are named in .prettierignore."""
    done = prettier(node_packages, ROOT, "--check", ".")
    assert (done.returncode, done.stderr) == (0, "")


def test_lines_of_nodes_stay_lines(node_packages: Path, tmp_path: Path) -> None:
    """With our settings, for a file of a user's own."""
    text = (
        "unit: mine\nnodes:\n  f: {from: x, ops: [bn, relu, conv3x3: {stride: $stride}, bn, relu, conv3x3]}\n"
        "  y: {from: [f, x], ops: [add]}\n"
    )
    (tmp_path / "mine.yaml").write_text(text, "utf-8")
    done = prettier(node_packages, tmp_path, "--config", str(ROOT / ".prettierrc"), "mine.yaml")
    assert (done.stdout, done.stderr) == (text, "")
