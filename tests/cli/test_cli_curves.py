"""`study run --live`: curves on a terminal, plain lines elsewhere."""

from __future__ import annotations

import re
from contextlib import redirect_stderr
from io import StringIO

import pytest
from hostile import TEXT, forged, unprintable

from resbench.cli.progress import StudyProgress
from resbench.figures.terminal_curves import SHOWN, Curves


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def curves(units: dict[str, list[list[float]]], of: int = 4) -> Curves:
    found = Curves()
    for unit, seeds in units.items():
        for seed, errors in enumerate(seeds):
            for epoch, error in enumerate(errors, start=1):
                found.add(unit, seed, of, epoch, error)
    return found


def test_the_mean_is_in_a_band_from_the_lowest_to_the_highest() -> None:
    text = curves({"a": [[60.0, 40.0, 20.0], [70.0, 50.0, 30.0]]}).drawn(40, 11).plain
    *rows, axis, line, rest = text.split("\n")
    assert (len(rows), rest) == (11, "")
    assert [row[:6].strip() for row in (rows[0], rows[-1])] == ["70.0", "20.0"]
    assert "".join(row[8] for row in rows) == "░●░        "
    assert "".join(row[28] for row in rows) == "        ░●░"
    assert axis.split() == ["epoch", "1", "4"]
    assert line == "● a: 25.0 % (20.0 to 30.0) at epoch 3, n = 2"
    assert all(row[8:].rstrip() == row[8:].rstrip()[:22] for row in rows)  # epoch 4 is not there yet


def test_runs_that_diverged_are_in_no_mean_and_are_counted_beside() -> None:
    found = curves({"a": [[60.0, 40.0], [90.0, 90.0, 90.0], [80.0]], "b": [[70.0]], "c": [[50.0]]})
    found.add("a", 2, 4, 2, None)  # its error is not finite
    found.end("a", 1, None)  # its errors are, and it has learned nothing
    found.add("b", 0, 4, 2, None)
    found.add("b", 1, 4, 1, None)
    text = found.drawn(60, 5).plain
    assert "░" not in text
    assert [row[:6].strip() for row in text.splitlines()[:5:4]] == ["60.0", "40.0"]
    assert text.splitlines()[-3:] == [
        "● a: 40.0 % at epoch 2, n = 1; 2 diverged",
        "● c: 50.0 % at epoch 1, n = 1",
        "every run diverged: b (2)",
    ]


def test_n_counts_the_seeds_that_came_to_the_epoch_and_a_run_that_is_trained_again_counts_again() -> None:
    found = curves({"a": [[60.0, 40.0], [50.0]]})
    assert found.drawn(40, 5).plain.splitlines()[-1] == "● a: 40.0 % at epoch 2, n = 1"
    found.add("a", 1, 4, 2, None)
    found.add("a", 1, 4, 2, 30.0)
    assert found.drawn(40, 5).plain.splitlines()[-1] == "● a: 35.0 % (30.0 to 40.0) at epoch 2, n = 2"


def test_the_best_units_are_drawn_and_the_rest_is_counted() -> None:
    text = curves({f"u{i}": [[50.0 + i]] for i in range(SHOWN + 3)}, of=1).drawn(60, 8, ascii_only=True).plain
    assert [line.split()[1] for line in text.splitlines() if line[:1].isdigit()] == [f"u{i}:" for i in range(SHOWN)]
    assert text.endswith("and 3 more, which are worse so far\n")
    assert text.isascii()


def test_nothing_is_drawn_before_the_first_epoch() -> None:
    assert Curves().drawn(40, 6).plain == ""
    assert curves({"a": [[50.0, 50.0]]}).drawn(20, 4).plain.count("●") > 2  # a level line


@pytest.mark.parametrize("terminal", [True, False])
def test_a_study_draws_on_a_terminal_alone(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LINES", "50")
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal() if terminal else StringIO()
    with redirect_stderr(out), StudyProgress(curves=True) as progress:
        progress.planned(0, 1)
        progress.epoch(TEXT, 0, 2, 1, 50.0)
        progress.epoch(TEXT, 0, 2, 2, 25.0)
        progress.picture.refresh()
        progress.saved(TEXT, 0, 2, 2, 25.0)
        progress.epoch("b", 0, 1, 1, 90.0)
        progress.saved("b", 0, 1, 1, None)
        progress.picture.refresh()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue()).replace("\r", "")
    assert unprintable(text) == ""
    assert forged(text) == []
    assert ("at epoch 2, n = 1" in text) is ("every run diverged: b (1)" in text) is terminal
    assert "[1/1]" in text
