"""What reading commands print for people, and what they refuse."""

from __future__ import annotations

import pytest
from command_line import Database, Rb

from resbench import __version__
from resbench.results.ranking_table import COLUMNS
from resbench.store.results.seal import unseal


def test_the_table_of_a_ranking(read: Rb) -> None:
    said = read("results", "top", "small")
    assert (said.status, said.err) == (0, "")
    title, _, head, *_ = said.out.splitlines()
    assert title.rstrip() == "small: val error in percent on digits, lower is better"
    assert head.split() == [word for column in COLUMNS for word in column.head.split()]
    assert "they are about new seeds on this split and data set." in said.out


def test_few_seeds_give_numbers_and_no_claim(rb: Rb, ran: None) -> None:
    said = rb("results", "top", "small")
    assert "?: fewer than 3 converged runs; numbers, but no interval and no claim." in said.out
    assert [row["tied_with_best"] for row in rb("results", "top", "small", "--json").json] == [None, None]


def test_missing_runs_stand_beside_n(rb: Rb, ran: None, database: Database) -> None:
    for table in ("rb_study_run", "rb_epoch", "rb_test_score"):
        database.change(f"DELETE FROM {table} WHERE run_id = 1")
    said = rb("results", "top", "small")
    assert "1 (-1)" in said.out
    assert "n shows missing runs as (-k)" in said.out


def test_a_comparison(read: Rb) -> None:
    said = read("results", "compare", "small", "plain", "original")
    assert said.status == 0
    assert "below 0: a is better" in said.out
    assert "Welch's t, variances moderated over the study; Holm over the 1 shown" in said.out
    exact = read("results", "compare", "small", "plain", "original", "--exact")
    assert "exact unpaired permutation test" in exact.out
    assert "not shown" in exact.out


def test_units_are_named_by_their_place_their_digest_or_what_they_begin_with(read: Rb) -> None:
    rows = read("results", "top", "small", "--json").json
    names = [row["unit"] for row in rows]
    expected = read("results", "compare", "small", *names, "--json").json
    places, digests = [str(row["rank"]) for row in rows], [row["digest"] for row in rows]
    for said in (places, digests, [digest[:12] for digest in digests], [name[:3] for name in names]):
        assert read("results", "compare", "small", *said, "--json").json == expected


@pytest.mark.parametrize(
    ("units", "told"),
    [
        (("1", "4"), "number in the ranking: expected 1 to 3, got 4"),
        (
            ("plain", "orignal"),
            "no unit of the study is called `orignal`; did you mean `original`?; units: plain, original",
        ),
        (("plain", "plain"), "compare: expected two or more different units, got plain, plain"),
        (("plain",), "compare: expected two or more different units, got plain"),
        (("plain", "original", "plain"), "compare: expected two or more different units, got plain, original, plain"),
    ],
)
def test_a_comparison_that_is_none(units: tuple[str, ...], told: str, read: Rb) -> None:
    said = read("results", "compare", "small", *units)
    assert (said.status, said.out) == (2, "")
    assert told in said.err


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("results", "top", "smal"), 2, "no study 'smal' in "),
        (("results", "show", 99), 2, "no run 99 in "),
        (("results", "repeat", 99), 2, "no run 99 in "),
        (
            ("results", "top", "small", "--db", "gone.db"),
            4,
            "gone.db: no such database; `resbench study run STUDY --db gone.db`",
        ),
        (("query", "SELECT 1", "--db", "gone.db"), 4, "gone.db: no such database"),
        (("query", "SELECT nonsense"), 2, "SQL: no such column: nonsense"),
        (("query", "DELETE FROM rb_run"), 2, "not allowed"),
        (("net", "show", "resnet_cifer"), 2, "no network is called `resnet_cifer`; did you mean `resnet_cifar`"),
        (
            ("net", "show", "resnet_cifar", "dpth=8"),
            2,
            "`dpth=8`: no `dpth` here; names: unit, unit.PARAM, data, depth",
        ),
        (("net", "show", "resnet_cifar", "depth"), 2, "expected NAME=VALUE, got `depth`"),
        (("net", "show", "resnet_cifar", "depth=9"), 2, "depth = 8 or 14 would do"),
        (("unit", "check", "orignal"), 2, "no unit is called `orignal`; did you mean `original`"),
        (("study", "check", "smll"), 2, "smll: no such study file"),
        (("results",), 2, "Usage:"),
        (("nonsense",), 2, "No such command 'nonsense'."),
    ],
)
def test_a_message_and_a_status_and_no_data(words: tuple[object, ...], status: int, told: str, read: Rb) -> None:
    said = read(*words)
    assert said.status == status
    assert told in said.err + (said.out if words == ("results",) else "")
    assert "Traceback" not in said.err
    assert said.out == "" or words == ("results",)


def test_test_scores_are_shown_by_one_command_that_writes_it_down(rb: Rb, ran: None, database: Database) -> None:
    assert database.one("SELECT COUNT(*) FROM rb_reveal") == 0
    said = rb("results", "top", "small", "--test", "--json")
    assert said.status == 0
    scores = {
        unit: database.rows(
            "SELECT sealed FROM rb_test_score s JOIN v_runs r ON r.run_id = s.run_id "
            f"WHERE unit = '{unit}' ORDER BY seed"
        )
        for unit in ("original", "plain")
    }
    for row in said.json:
        a, b = (float(unseal(score)[0]) for (score,) in scores[row["unit"]])
        assert row["n"] == 2
        assert row["mean"] == pytest.approx((a + b) / 2, rel=1e-12)
        assert row["std"] == pytest.approx(abs(a - b) / 2**0.5, rel=1e-9)
        assert (row["params"], row["macs"]) == (1320, 12752)
    assert [row["unit"] for row in said.json] == ["original", "plain"]
    assert "the test set of small has been looked at 1 time(s)" in said.err
    ((study, when, who),) = database.rows("SELECT study_id, revealed_at, revealed_by FROM rb_reveal")
    assert (study, when[-1]) == (1, "Z")
    assert who.endswith(": resbench results top --test")
    again = rb("results", "top", "small", "--test")
    assert "test error %" in again.out
    assert "2 time(s)" in again.err


@pytest.mark.parametrize("sql", ["SELECT * FROM rb_test_score", "SELECT sealed FROM rb_run JOIN rb_test_score"])
def test_a_query_for_test_scores_is_refused(sql: str, read: Rb) -> None:
    said = read("query", sql)
    assert (said.status, said.out) == (2, "")
    assert "`resbench results top STUDY --test` shows them" in said.err


def test_no_view_and_no_reading_command_shows_a_test_score(read: Rb) -> None:
    for view in ("v_runs", "v_epochs", "v_leaderboard"):
        columns = read("query", f"SELECT * FROM {view} LIMIT 1", "--json").json[0]
        assert not any("test" in column for column in columns)
    for words in (
        ("results", "top", "small"),
        ("results", "show", 1),
        ("results", "compare", "small", "plain", "original"),
    ):
        assert "test_" not in read(*words, "--json").out


def test_more_rows_than_asked_for_are_told_of(read: Rb) -> None:
    said = read("query", "SELECT seed FROM v_runs", "--max-rows", 2, "--json")
    assert len(said.json) == 2
    assert said.err == "more than 2 rows: the rest is left out; --max-rows raises the limit\n"


def test_a_run_for_people(read: Rb) -> None:
    said = read("results", "show", 1)
    for told in (
        "complete",
        "small (plain)",
        "he2016_small",
        "digits",
        "1.32k, 12.8k",
        "resbench results repeat 1 --db resbench.db",
    ):
        assert told in said.out
    assert "the same in every epoch, bit for bit" in read("results", "repeat", 1).out


def test_the_command_that_repeats_hides_a_password_and_quotes_a_path(rb: Rb, ran: None, database: Database) -> None:
    database.path.rename(database.path.with_name("my results.db"))
    shown = rb("results", "show", 1, "--db", "my results.db", "--json").json
    assert shown["repeat"] == "resbench results repeat 1 --db 'my results.db'"


def test_a_run_that_another_machine_cannot_repeat_is_told_and_is_status_one(
    rb: Rb, ran: None, database: Database
) -> None:
    database.change("UPDATE rb_epoch SET val_loss = val_loss + 1e-9 WHERE run_id = 1")
    said = rb("results", "repeat", 1, "--json")
    assert (said.status, said.json["same"], said.json["differs"]) == (1, False, {})
    assert "epoch 1: val error" in said.err
    assert "not the same; nothing of its provenance differs here" in rb("results", "repeat", 1).out
    database.change("UPDATE rb_environment SET processor = 'a CPU, torch with SSE', torch = '1.0'")
    there = rb("results", "repeat", 1)
    assert "not the same; torch was 1.0, now " in there.out
    assert "; processor was a CPU, torch with SSE, now " in there.out


def test_version_lists_and_checks_for_people(read: Rb) -> None:
    assert read("--version").out == f"resbench {__version__}\n"
    assert "conv" in read("ops").out
    assert "exclusive_gating" in read("unit", "list").out
    assert "fashion_mini" in read("data").out
    assert "small" in read("results", "list").out
    assert "1,727,962 parameters" in read("net", "show", "resnet_cifar", "unit=full_preactivation", "depth=110").out
    check = read("study", "check", "small.yaml", "budget.runs=3").out
    assert "2 points, 2 different networks, 2 seeds: 4 runs, of which the budget allows 3" in check
