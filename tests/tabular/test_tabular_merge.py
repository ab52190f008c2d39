"""Frozen files united; one run with two results is a conflict."""

from __future__ import annotations

from pathlib import Path

import pytest
from tabular_sample import study

from resbench.errors import BadInput
from resbench.store.frozen.write import freeze
from resbench.tabular import load, merge


def frozen(
    folder: Path, name: str, change: str = "", *, study_name: str = "small", test: str | None = None, **asked: object
) -> Path:
    """A sample study of its own, changed by SQL, frozen."""
    engine = study(folder / f"{name}_results.db", name=study_name, **asked)  # type: ignore[arg-type]
    if change:
        with engine.begin() as connection:
            connection.exec_driver_sql(change)
    freeze(engine, study_name, folder / f"{name}.db", test_for=test)
    engine.dispose()
    return folder / f"{name}.db"


def test_seeds_of_one_study_from_two_machines(tmp_path: Path) -> None:
    a = frozen(tmp_path, "a", seeds=(0, 1))
    b = frozen(tmp_path, "b", "UPDATE rb_run SET train_s = 7, created_at = 'later'", seeds=(1, 3))
    merge([a, b], tmp_path / "all.db")
    with load(a) as first, load(b) as second, load(tmp_path / "all.db") as both:
        assert both.seeds("plain") == (0, 1, 3)
        assert both.query("plain").missing == 0
        for seed, source in ((0, first), (1, first), (3, second)):
            assert both.query("original", seed=seed) == source.query("original", seed=seed)
        assert (both.units, both.studies, both.count()) == (first.units, ("small",), 9)
        assert len(both.about["environment"]) == 1


def test_two_studies_and_a_name_that_both_have(tmp_path: Path) -> None:
    a = frozen(tmp_path, "a", study_name="one", units={"plain": 9.0})
    b = frozen(tmp_path, "b", study_name="two", units={"plain": 9.0, "original": 5.0})
    merge([a, b], tmp_path / "all.db")
    with load(tmp_path / "all.db") as both:
        assert both.studies == ("one", "two")
        assert both.units == ("plain", "original")
        assert both.query("plain").n == 3, "one training, which two studies use"
    with load(tmp_path / "all.db", study="one") as one:
        assert one.units == ("plain",)
        with pytest.raises(BadInput, match="no unit or digest `original`"):
            one.query("original")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "UPDATE rb_run SET val_error_pct = 9.5 WHERE architecture = 'a2_plain' AND seed = 0",
            r"b\.db: architecture a2_plain, recipe r2_a, data d_a, seed 0: val_error_pct is 9\.0 and 9\.5",
        ),
        (
            "UPDATE rb_run SET status = 'diverged' WHERE architecture = 'a2_plain' AND seed = 0",
            "seed 0: status is complete and diverged",
        ),
        ("UPDATE rb_epoch SET val_loss = 9 WHERE run_id = 1 AND epoch = 2", "the same end, but other epochs before it"),
        (
            "UPDATE rb_study SET spec = replace(spec, '\"depth\":8', '\"depth\":14')",
            "another study has the name small there",
        ),
    ],
)
def test_conflicts_are_told_and_nothing_is_written(change: str, told: str, tmp_path: Path) -> None:
    a, b = frozen(tmp_path, "a"), frozen(tmp_path, "b", change)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BadInput, match=told) as caught:
        merge([a, b], tmp_path / "all.db")
    assert str(caught.value).startswith("1 conflict, nothing was written:")
    assert sorted(tmp_path.iterdir()) == before


def test_many_conflicts_are_counted(tmp_path: Path) -> None:
    a = frozen(tmp_path, "a", seeds=tuple(range(6)))
    b = frozen(tmp_path, "b", "UPDATE rb_run SET val_loss = 3", seeds=tuple(range(6)))
    with pytest.raises(BadInput, match="18 conflicts, nothing was written") as caught:
        merge([a, b], tmp_path / "all.db")
    assert str(caught.value).endswith("\n.. and 8 more")


def test_a_name_that_is_another_network_in_the_other_file(tmp_path: Path) -> None:
    a = frozen(tmp_path, "a")
    b = frozen(tmp_path, "b", "UPDATE rb_trial SET architecture = 'a2_original' WHERE name = 'plain'")
    with pytest.raises(BadInput, match=r"b\.db: `plain` of study small has another network or recipe there"):
        merge([a, b], tmp_path / "all.db")


def test_test_scores_go_along(tmp_path: Path) -> None:
    a, b = frozen(tmp_path, "a", seeds=(0,)), frozen(tmp_path, "b", seeds=(1,), test="ann")
    merge([a, b], tmp_path / "all.db")
    with load(tmp_path / "all.db") as both:
        assert both.test("original").scores == ((1, 8.0),)
    c = frozen(tmp_path, "c", seeds=(0,), test="ann")  # of runs that stand
    merge([a, b, c], tmp_path / "more.db")
    with load(tmp_path / "more.db") as all_three:
        assert all_three.test("original").scores == ((0, 8.0), (1, 8.0))


def test_nothing_to_merge_and_a_name_that_is_taken(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="merge: expected one or more frozen files"):
        merge([], tmp_path / "all.db")
    a = frozen(tmp_path, "a")
    for force in (False, True):
        with pytest.raises(BadInput, match="is one of the files to be merged and was left as it is"):
            merge([a], a, force=force)
    (tmp_path / "all.db").write_text("mine")
    with pytest.raises(BadInput, match=r"all\.db: exists already and was left as it is; give another name, or --force"):
        merge([a], tmp_path / "all.db")
    assert (tmp_path / "all.db").read_text() == "mine"
    merge([a], tmp_path / "all.db", force=True)
    load(tmp_path / "all.db").close()
