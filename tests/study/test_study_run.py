"""A small study from its file to rows, trained once, grown, and never trained twice."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest
from command_line import SMALL, Database, Rb
from study_sample import trials

STATUSES = "SELECT status, COUNT(*) FROM rb_cell GROUP BY status"
SCALED = "{use: constant_scaling, shortcut_scale: 1, branch_scale: 1}"


def test_a_study_trains_every_run_once_and_writes_rows_and_trials(rb: Rb, small: Path, database: Database) -> None:
    said = rb("study", "run", "small.yaml")
    assert said.status == 0
    assert said.err.startswith("0 cached, 4 new\n")
    assert [line.split("]")[0] for line in said.err.splitlines()[1:]] == [f"[{i}/4" for i in (1, 2, 3, 4)]
    assert "small: val error in percent on digits, lower is better" in said.out

    assert database.rows("SELECT unit, seed, status, params, macs FROM v_runs ORDER BY trial, seed") == [
        (unit, seed, "complete", 1320, 12752) for unit in ("plain", "original") for seed in (0, 1)
    ]
    assert database.rows("SELECT unit, seed, epoch FROM v_epochs ORDER BY unit DESC, seed") == [
        (unit, seed, 1) for unit in ("plain", "original") for seed in (0, 1)
    ]
    assert database.rows("SELECT study, unit, n, converged FROM v_leaderboard ORDER BY unit") == [
        ("small", "original", 2, 2),
        ("small", "plain", 2, 2),
    ]
    assert database.one("SELECT COUNT(*) FROM rb_test_score") == 4
    assert database.one("SELECT COUNT(*) FROM rb_study_run") == 4
    assert database.rows(STATUSES) == [("done", 2)]
    assert database.rows("SELECT network, unit, params, depth FROM rb_architecture ORDER BY unit") == [
        ("resnet_cifar", "original", 1320, 8),
        ("resnet_cifar", "plain", 1320, 8),
    ]

    means = dict(database.rows("SELECT unit, mean FROM v_leaderboard"))
    found = trials(database.path)
    assert [(t.number, t.state.name, t.user_attrs["unit"]) for t in found] == [
        (0, "COMPLETE", "plain"),
        (1, "COMPLETE", "original"),
    ]
    assert [t.value for t in found] == [pytest.approx(means[t.user_attrs["unit"]], rel=1e-12) for t in found]
    digests = dict(database.rows("SELECT DISTINCT unit, digest FROM v_runs"))
    assert {t.user_attrs["unit"]: t.user_attrs["digest"] for t in found} == digests


def test_what_the_last_epoch_gave_is_the_runs_number(rb: Rb, small: Path, database: Database) -> None:
    assert rb("study", "run", "small.yaml", "recipe.epochs=2", "units=[original]", "seeds=1").status == 0
    assert database.rows("SELECT epochs, val_error_pct, val_loss, train_loss FROM v_runs") == database.rows(
        "SELECT epoch, recomputed_val_error_pct, recomputed_val_loss, train_loss FROM v_epochs WHERE epoch = 2"
    )
    assert database.rows("SELECT epoch FROM v_epochs WHERE recomputed_val_loss IS NULL") == [(1,)]


def test_the_papers_protocol_is_scored_by_running_statistics(rb: Rb, small: Path, database: Database) -> None:
    words = ("recipe.epochs=2", "recipe.statistics=running", "units=[original]", "seeds=1")
    assert rb("study", "run", "small.yaml", *words).status == 0
    assert database.rows("SELECT epochs, val_error_pct, val_loss FROM v_runs") == database.rows(
        "SELECT epoch, val_error_pct, val_loss FROM v_epochs WHERE epoch = 2 AND recomputed_val_loss IS NULL"
    )


@pytest.mark.usefixtures("ran")
def test_the_same_command_again_trains_nothing(rb: Rb, database: Database) -> None:
    before = database.rows("SELECT * FROM v_runs")
    again = rb("study", "run", "small.yaml")
    assert (again.status, again.err) == (0, "4 cached, 0 new\n")
    assert again.out == rb("results", "top", "small").out
    assert len(trials(database.path)) == 2
    assert database.one("SELECT COUNT(*) FROM rb_cell") == 2
    assert database.rows("SELECT * FROM v_runs") == before


@pytest.mark.usefixtures("ran")
def test_a_unit_added_on_the_command_line_is_trained_alone_and_is_of_the_study_while_it_is_named(
    rb: Rb, tmp_path: Path
) -> None:
    text = (Path(__file__).parents[2] / "arch_specs/units/identity_mappings/full_preactivation.yaml").read_text("utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("unit: full_preactivation", "unit: mine"), "utf-8")
    grown = rb("study", "run", "small.yaml", "units+=mine.yaml", "--json")
    assert grown.err.startswith("4 cached, 2 new\n[1/2] mine, seed ")
    assert {row["unit"] for row in grown.json} == {"plain", "original", "mine"}
    without = rb("study", "run", "small.yaml", "--json")
    assert without.err == (
        "mine is not named any more: its runs stay in the database, out of the ranking; named again, it is back\n"
        "4 cached, 0 new\n"
    )
    assert {row["unit"] for row in without.json} == {"plain", "original"}
    again = rb("study", "run", "small.yaml", "units+=mine.yaml", "--json")
    assert (again.err, again.json) == ("6 cached, 0 new\n", grown.json)


@pytest.mark.usefixtures("ran")
def test_a_unit_that_is_taken_out_is_out_of_the_ranking_and_its_runs_stay(rb: Rb, database: Database) -> None:
    said = rb("study", "run", "small.yaml", "units-=plain", "--json")
    assert [row["unit"] for row in said.json] == ["original"]
    assert rb("results", "top", "small", "--json").json == said.json
    assert database.one("SELECT COUNT(*) FROM rb_run") == 4


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    "words",
    [
        ("data={use: digits}",),
        ("network={use: resnet_cifar, width: 2, depth: 8}",),
        ("recipe.label_smoothing=0", "recipe.optimizer.momentum=0.9"),
        ("recipe.statistics=recomputed",),
    ],
)
def test_the_same_said_in_other_words_is_the_same_study(rb: Rb, words: tuple[str, ...]) -> None:
    said = rb("study", "run", "small.yaml", *words)
    assert (said.status, said.err) == (0, "4 cached, 0 new\n")


def test_a_network_file_that_was_edited_is_another_study(rb: Rb, small: Path, database: Database) -> None:
    """The ranking never holds networks of two files."""
    library = Path(__file__).parents[2] / "arch_specs/networks/resnet_cifar.yaml"
    own = library.read_text("utf-8").replace("network: resnet_cifar", "network: mine")
    (small.parent / "mine.yaml").write_text(own, "utf-8")
    words = ("study", "run", "small.yaml", "network={use: mine, depth: 8, width: 2}", "seeds=1", "units=[plain]")
    assert rb(*words).status == 0
    (small.parent / "mine.yaml").write_text("# a comment\n" + own.replace("doc:", "doc: other; #"), "utf-8")
    assert rb(*words).err == "1 cached, 0 new\n"
    (small.parent / "mine.yaml").write_text(
        own.replace("$(2 * width * expansion)", "$(3 * width * expansion)"), "utf-8"
    )
    said = rb(*words, "units=[original]")
    assert said.status == 2
    assert "network.file.stages[1].out was $(2 * width * expansion), now $(3 * width * expansion)" in said.err
    assert "undo it, or --fork NAME makes a study of its own" in said.err
    assert database.rows("SELECT DISTINCT unit FROM v_runs") == [("plain",)]


@pytest.mark.usefixtures("ran")
def test_more_seeds_train_only_the_new_ones(rb: Rb, database: Database) -> None:
    runs = "SELECT unit, seed, run_id, val_error_pct, created_at FROM v_runs WHERE seed < 2 ORDER BY run_id"
    before = database.rows(runs)
    more = rb("study", "run", "small.yaml", "seeds=3", "--json")
    assert more.err.startswith("4 cached, 2 new\n")
    assert database.rows(runs) == before
    assert [(row["n"], row["missing"]) for row in more.json] == [(3, 0), (3, 0)]
    fewer = rb("study", "run", "small.yaml", "seeds=[7]", "--json")
    assert fewer.err.startswith("0 cached, 2 new\n")
    assert [row["n"] for row in fewer.json] == [4, 4]


@pytest.mark.usefixtures("ran")
def test_another_study_uses_the_runs_that_stand(rb: Rb, database: Database) -> None:
    other = rb("study", "run", "small.yaml", "study=other", "units=[original]", "--json")
    assert (other.status, other.err) == (0, "2 cached, 0 new\n")
    assert [row["unit"] for row in other.json] == ["original"]
    assert database.one("SELECT COUNT(*) FROM rb_run") == 4
    assert database.rows("SELECT study, COUNT(*) FROM v_runs GROUP BY study") == [("other", 2), ("small", 4)]
    (trial,) = trials(database.path, "other")
    assert (trial.state.name, trial.value) == ("COMPLETE", pytest.approx(other.json[0]["mean"], rel=1e-12))


def test_equal_nets_are_trained_once_and_shown_as_one(rb: Rb, small: Path, database: Database) -> None:
    said = rb("study", "run", "small.yaml", f"units=[original, {SCALED}]", "--json")
    assert [line.split(",")[0] for line in said.err.splitlines()] == ["0 cached", "[1/2] original", "[2/2] original"]
    (row,) = said.json
    scaled = "constant_scaling shortcut_scale=1 branch_scale=1"
    assert (row["unit"], row["aliases"], row["n"]) == ("original", [scaled], 2)
    assert f"original (= {scaled})" in rb("results", "top", "small").out
    (sealed,) = rb("results", "top", "small", "--test", "--json").json
    assert (sealed["unit"], sealed["aliases"], sealed["n"]) == ("original", [scaled], 2)
    assert database.one("SELECT COUNT(*) FROM rb_run") == 2
    assert [(t.state.name, t.value) for t in trials(database.path)] == [("COMPLETE", row["mean"])] * 2
    assert rb("study", "run", "small.yaml", f"units=[original, {SCALED}]").err == "2 cached, 0 new\n"
    said = rb("results", "compare", "small", "original", scaled)
    assert said.status == 2
    assert f"original and {scaled} are one architecture" in said.err


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("network.depth=14", "network.depth was 8, now 14"),
        ("network.width=3", "network.width was 2, now 3"),
        ("recipe.lr=0.2", "recipe.optimizer.lr was 0.1, now 0.2"),
        ("recipe.epochs=2", "recipe.epochs was 1, now 2"),
        ("data=fashion_mini", "data was digits, now fashion_mini"),
        (
            "network.depth={choices: [8, 14]}",
            "network.depth was 8, now gone; network.depth.choices was not there, now [8, 14]",
        ),
    ],
)
def test_a_study_of_the_same_name_with_other_values_is_refused(
    change: str, told: str, rb: Rb, database: Database
) -> None:
    tables = (
        "rb_run",
        "rb_trial",
        "rb_cell",
        "rb_study",
        "trials",
        "studies",
        "rb_architecture",
        "rb_recipe",
        "rb_data",
    )
    before = [database.rows(f"SELECT * FROM {table}") for table in tables]
    said = rb("study", "run", "small.yaml", change)
    assert said.status == 2
    assert told in said.err
    assert "--fork NAME makes a study of its own" in said.err
    assert said.out == ""
    assert [database.rows(f"SELECT * FROM {table}") for table in tables] == before


@pytest.mark.usefixtures("ran")
def test_a_fork_is_a_study_of_its_own(rb: Rb, database: Database) -> None:
    said = rb("study", "run", "small.yaml", "units=[plain]", "seeds=1", "recipe.epochs=2", "--fork", "longer")
    assert said.status == 0
    assert database.rows("SELECT study, epochs, COUNT(*) FROM v_runs GROUP BY study, epochs") == [
        ("longer", 2, 1),
        ("small", 1, 4),
    ]
    bad = rb("study", "run", "small.yaml", "--fork", "Longer!")
    assert (bad.status, bad.out) == (2, "")
    assert "--fork: `Longer!` is not a legal name" in bad.err


def test_an_edited_unit_retires_the_old_one_with_a_note(rb: Rb, tmp_path: Path, database: Database) -> None:
    (tmp_path / "small.yaml").write_text(
        SMALL.replace("[plain, original]", "[mine.yaml]").replace("seeds: 2", "seeds: 1"), "utf-8"
    )
    library = Path(__file__).parents[2] / "arch_specs/units/identity_mappings"
    for version, origin in enumerate(("original", "full_preactivation", "original")):
        text = (library / f"{origin}.yaml").read_text("utf-8").replace(f"unit: {origin}", "unit: mine")
        (tmp_path / "mine.yaml").write_text(text, "utf-8")
        said = rb("study", "run", "small.yaml", "--json")
        note = "mine has changed: its earlier runs stay in the database, out of the ranking\n"
        counts = ("0 cached, 1 new\n", "0 cached, 1 new\n", "1 cached, 0 new\n")[version]
        assert said.err.startswith((note if version else "") + counts)
        assert [(row["unit"], row["n"]) for row in said.json] == [("mine", 1)]
        tested = rb("results", "top", "small", "--test", "--json").json
        assert [(row["unit"], row["n"], row["digest"]) for row in tested] == [("mine", 1, said.json[0]["digest"])]
    assert database.rows("SELECT name, active FROM rb_trial ORDER BY number") == [("mine", 1), ("mine", 0)]
    assert database.one("SELECT COUNT(*) FROM rb_run") == 2


@pytest.mark.usefixtures("ran")
def test_the_means_are_those_of_the_runs(rb: Rb, database: Database) -> None:
    said = rb("study", "run", "small.yaml", "--json")
    assert len(said.json) == 2
    for row in said.json:
        errors = [e for (e,) in database.rows(f"SELECT val_error_pct FROM v_runs WHERE unit = '{row['unit']}'")]
        assert row["mean"] == pytest.approx(fmean(errors), rel=1e-12)
        assert row["digest"] == database.one(f"SELECT DISTINCT digest FROM v_runs WHERE unit = '{row['unit']}'")
