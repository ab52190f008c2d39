"""Tables for LaTeX are compiled by LaTeX, without a box that is too wide.  Debian's texlive-latex-base is enough."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from command_line import say
from report_study_sample import LONG, Made, made, store

pytestmark = pytest.mark.long
NAMES = [
    "full_preactivation",
    "original",
    "constant_scaling shortcut_scale=0.5",
    "explodes",
    "plain",
    "a" * 70,
    LONG[6],
]
BOOKTABS = "".join(
    rf"\newcommand{{\{name}rule}}{{\hline}}" for name in ("top", "mid", "bottom")
)  # it is another package


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Databases of a study `s` with names of every length, with few runs, and with several objectives."""
    folder = tmp_path_factory.mktemp("latex")
    store(folder / "many.db", made(NAMES, seeds=4, diverging={3: 4, 1: 1})).dispose()
    store(folder / "few.db", [Made("one", (5.0,)), Made("two_of_100", (100.0, 100.0))]).dispose()
    objectives = ["val_error_pct", "val_loss", "params"]
    store(folder / "several.db", made(NAMES, seeds=4), objectives=objectives).dispose()
    return folder


@pytest.mark.parametrize("of", ["many", "few", "several"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", ()),
        ("11pt", ("--booktabs",)),
        ("", ("--columns", "rank,unit,error,sd,interval,n,params")),
        ("", ("--columns", "n,error,median,train_s,macs,unit")),
        ("twocolumn", ("--columns", "unit,error,sd,n")),
    ],
)
def test_a_table_fits_its_column(of: str, options: str, words: tuple[str, ...], folder: Path, tmp_path: Path) -> None:
    said = say(["results", "export", "s", "-o", tmp_path / "table.tex", "--db", folder / f"{of}.db", *words], folder)
    assert (said.status, "too wide" in said.err) == (0, False), said.err
    compiler = shutil.which("pdflatex")
    assert compiler, "LaTeX is needed to test: `apt-get install texlive-latex-base`"
    text = rf"\documentclass[{options}]{{article}}{BOOKTABS}\begin{{document}}Table~\ref{{tab:s}}.\input{{table}}\end{{document}}"
    (tmp_path / "paper.tex").write_text(text, "utf-8")
    for _ in range(2):  # the second time, the reference is known
        command = [compiler, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    wrong = [
        line for line in done.stdout.splitlines() if line.startswith(("Overfull", "Underfull", "LaTeX Warning", "!"))
    ]
    assert wrong == [], (tmp_path / "table.tex").read_text()
