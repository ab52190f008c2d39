"""A leaderboard -> its sentences: one claim in plain words, and what weakens it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resbench.evidence.leaderboard import Leaderboard, Row
from resbench.evidence.notes import limits, notes
from resbench.statistics.ranking import rank
from resbench.statistics.sample import Sample

GOOD, NEAR = Sample("good", (6.1, 6.3, 6.0, 6.2, 6.1)), Sample("near", (6.2, 6.4, 6.3, 6.1, 6.3))
BAD, WORSE = Sample("bad", (9.1, 9.3, 9.0, 9.2, 9.1)), Sample("worse", (19.1, 19.3, 19.0, 19.2, 19.1))


def board(*samples: Sample, failed: str | None = None, **more: object) -> Leaderboard:
    rows = tuple(
        Row(row, row.name, (), f"digest {row.name}", 100, 1000, None, None, {}, None, failed if row.n == 0 else None)
        for row in rank(samples, n_val=5000)
    )
    return replace(Leaderboard("small", "digits", 5000, rows, None), **more)


@pytest.mark.parametrize(
    ("samples", "claim"),
    [
        ((GOOD, NEAR, BAD, WORSE), "tied: good and near cannot be told apart from the best (95 %); bad and worse are worse."),
        ((GOOD, NEAR, BAD), "tied: good and near cannot be told apart from the best (95 %); bad is worse."),
        ((GOOD, NEAR), "tied: good and near cannot be told apart (95 %)."),
        ((GOOD, BAD), "best: good is better than bad (95 %)."),
        ((GOOD, BAD, WORSE), "best: good is better than bad and worse (95 %)."),
    ],
)  # fmt: skip
def test_the_claim(samples: tuple[Sample, ...], claim: str) -> None:
    assert notes(board(*samples))[0] == claim


def test_one_unit_alone_claims_nothing() -> None:
    [line] = notes(board(GOOD))
    assert line.startswith("Means, sd and 95 % intervals")


def test_many_names_are_counted() -> None:
    many = [replace(GOOD, name=f"u{i:02}") for i in range(12)]
    assert "u00, u01, u02, u03, u04, u05, u06, u07 and 4 more cannot be told apart (95 %)." in notes(board(*many))[0]


def test_on_several_objectives_it_is_a_front() -> None:
    several = board(GOOD, BAD, objectives=("val_error_pct", "params"))
    assert (
        notes(several)[0]
        == "front: good: no other unit is better in all of val_error_pct, params (95 %); bad is not on it."
    )


def test_a_unit_without_a_run_is_a_row_that_says_why() -> None:
    waiting = board(GOOD, BAD, Sample("new", (), missing=5))
    assert [(row.unit, waiting.verdict_on(row)) for row in waiting.rows] == [
        ("good", "tied"),
        ("bad", "worse"),
        ("new", "not run"),
    ]
    assert limits(waiting)[0].startswith("not run: new; the ranking is about the others")
    lost = board(GOOD, BAD, Sample("new", (), missing=5), failed="RuntimeError: plugin raised")
    assert [lost.verdict_on(row) for row in lost.rows] == ["tied", "worse", "failed"]
    assert "failed: new: RuntimeError: plugin raised" in notes(lost)
    assert not limits(lost)


def test_what_weakens_a_claim() -> None:
    weak = board(
        GOOD, BAD, improving=("bad",), unequal=("bad has 34% more params than good",), largest_class_error_pct=9.0
    )  # fmt: skip
    assert limits(weak) == [
        "still improving: bad was, by the training error of the last epochs; the order may turn with more epochs.",
        "unequal: bad has 34% more params than good; a difference between them may be one of size.",
        "no better than the largest class: bad; always naming it has an error of 9.00 %.",
    ]
    assert not set(limits(weak)) - set(notes(weak))
