"""Two databases become one: every run once, nothing lost, nothing doubled, and where they do not agree it is told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from store_sample import Sample

from resbench.errors import BadInput, DatabaseError
from resbench.store.connection.transaction import reading, writing
from resbench.store.maintenance.check import refuse_unsound
from resbench.store.merge import databases as merging
from resbench.store.merge.conflicts import Conflict, MergeReport
from resbench.store.merge.databases import merge, merge_to_new
from resbench.store.queue.cells import enqueue_cell
from resbench.store.records import EpochRecord, RunRecord, TestScore, TrialRecord, canonical_json
from resbench.store.results import reading as rows
from resbench.store.results.catalogue import put_cost
from resbench.store.results.runs import link_run, save_run
from resbench.store.results.studies import get_study, put_study, put_trial
from resbench.store.schema.metadata import metadata

Another = Callable[[str], Sample]


@pytest.fixture
def other_db(tmp_path: Path) -> str:
    return str(tmp_path / "other.db")


@pytest.fixture
def other(another: Another, other_db: str) -> Sample:
    return another(other_db)


def dump(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with reading(engine) as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
            for table in metadata.sorted_tables
        }


def spec(data: str, units: list[str], seeds: list[int]) -> str:
    return canonical_json({"fixed": {"data": data, "recipe": {"lr": 0.1}}, "units": units, "seeds": seeds, "doc": data})


def seeds(engine: Engine, study: str = "s") -> list[tuple[str, int, float | None]]:
    return [(run.unit, run.seed, run.val_error_pct) for run in rows.runs_of_study(engine, study)]


def test_runs_of_both_are_there_once(sample: Sample, db: str, other: Sample, other_db: str) -> None:
    for seed in (0, 1):
        sample.add(sample.record(seed, val_error_pct=5.0 + seed))
    for seed in (1, 2):
        other.add(other.record(seed, val_error_pct=5.0 + seed))
    (merged,) = merge(db, [other_db])
    assert (merged.runs_added, merged.runs_there, merged.conflicts) == (1, 1, [])
    assert (merged.studies_added, merged.studies_joined) == ([], ["s"])
    assert seeds(sample.engine) == [("pre", 0, 5.0), ("pre", 1, 6.0), ("pre", 2, 7.0)]
    detail = rows.run_detail(sample.engine, 3)
    assert [epoch.val_error_pct for epoch in detail.epochs] == [10.0, 5.0]
    assert [score.test_error_pct for score in rows.test_scores(sample.engine, "s", "ann")] == [6.0, 7.0, 8.0]
    refuse_unsound(db, transaction_s=60)


def test_merging_again_changes_nothing(sample: Sample, db: str, other: Sample, other_db: str) -> None:
    full_of_everything(other)
    merge(db, [other_db])
    before = dump(sample.engine)
    (again,) = merge(db, [other_db])
    assert (again.runs_added, again.runs_replaced) == (0, 0)
    assert dump(sample.engine) == before


def test_nothing_is_lost_on_the_way_to_an_empty_study(engine: Engine, db: str, other: Sample, other_db: str) -> None:
    """Ids may be others; everything else is as it was, but for work under way."""
    full_of_everything(other)
    before = dump(other.engine)
    merge(db, [other_db])
    after = dump(engine)
    under_way = {"rb_cell", "rb_cell_plan", "rb_checkpoint"}
    assert {name: len(of) for name, of in after.items() if name not in under_way} == {
        name: len(of) for name, of in before.items() if name not in under_way
    }
    for name in ("rb_architecture", "rb_cost", "rb_data", "rb_environment", "rb_recipe", "rb_study", "rb_run", "rb_epoch",
                 "rb_test_score", "rb_run_plan", "rb_trial", "rb_study_run", "rb_reveal"):  # fmt: skip
        assert after[name] == before[name]
    assert [after[name] for name in sorted(under_way)] == [[], [], []]
    with writing(engine) as connection:  # numbers go on behind what was merged
        connection.execute(text("INSERT INTO rb_reveal (study_id, revealed_at, revealed_by) VALUES (1, 't', 'x')"))


def full_of_everything(sample: Sample) -> None:
    for seed in range(3):
        sample.add(sample.record(seed))
    sample.add(replace(sample.record(7, status="failed", val_error_pct=None), error="killed", test_score=None))
    sample.add(replace(sample.record(8), plan={"width": 4}))
    twin = sample.trial(1, "mine")
    sample.trial(3, "left", "b", active=False)
    sample.add(sample.record(0), twin)
    enqueue_cell(sample.engine, twin, [9], {"width": 1})
    rows.test_scores(sample.engine, "s", "ann")
    rows.test_scores(sample.engine, "s", "ann")
    study = put_study(sample.engine, "t", "{}", "d0")
    trial = TrialRecord(5, "pre", "pre", "resnet20", {}, "arch", "rec", "dat")
    link_run(sample.engine, study, put_trial(sample.engine, study, trial), 1)


def test_units_and_seeds_are_united_and_trials_renumbered(
    sample: Sample, db: str, other: Sample, other_db: str
) -> None:
    put_study(sample.engine, "s", spec("d", ["pre", "a"], [0, 1]), "d1")
    put_study(other.engine, "s", spec("d", ["b", "pre"], [1, 4]), "d2")
    sample.trial(1, "a", "arch_a")
    other.trial(1, "b", "arch_b")
    other.trial(2, "b", "arch_b")  # one point drawn twice
    other.trial(7, "c", "arch_c")
    other.add(other.record(3, architecture="arch_b"), 2)
    merge(db, [other_db])
    study = get_study(sample.engine, "s")
    assert json.loads(study.spec)["units"] == ["pre", "a", "b"]
    assert json.loads(study.spec)["seeds"] == [0, 1, 4]
    with reading(sample.engine) as connection:
        found = connection.execute(text("SELECT number, name FROM rb_trial ORDER BY number")).all()
    assert [tuple(row) for row in found] == [(0, "pre"), (1, "a"), (2, "b"), (3, "b"), (7, "c")]
    assert seeds(sample.engine) == [("b", 3, 5.0)]
    before = dump(sample.engine)
    merge(db, [other_db])
    assert dump(sample.engine) == before


def test_seeds_keep_their_order_and_added_ones_count_as_a_look(
    sample: Sample, db: str, other: Sample, other_db: str
) -> None:
    """A race looks at the first so many seeds; what comes by a merge was planned by nobody."""
    put_study(sample.engine, "s", spec("d", ["pre"], [9, 3, 7]), "d1")
    put_study(other.engine, "s", spec("d", ["pre"], [5, 3, 4, 6]), "d2")
    merge(db, [other_db])
    found = json.loads(get_study(sample.engine, "s").spec)
    assert (found["seeds"], found["looks"]) == ([9, 3, 7, 5, 4, 6], [3, 4])
    merge(db, [other_db])
    assert json.loads(get_study(sample.engine, "s").spec) == found


def test_the_first_stands_where_numbers_differ(sample: Sample, db: str, other: Sample, other_db: str) -> None:
    sample.add(sample.record(0, val_error_pct=5.0))
    other.add(replace(other.record(0, val_error_pct=5.5), train_s=9.0))
    (merged,) = merge(db, [other_db])
    assert merged.conflicts == [Conflict("run arch rec dat seed 0", "val_error_pct", 5.0, 5.5)]
    assert seeds(sample.engine) == [("pre", 0, 5.0)]


CHANGES: list[tuple[dict[str, object], list[Conflict]]] = [
    ({"train_s": 9.0, "wall_s": 10.0}, []),
    ({"history": tuple(EpochRecord(n, lr=0.1 / n, val_error_pct=10.0 / n, train_s=7.0) for n in (1, 2))}, []),
    ({"status": "diverged"}, [Conflict("run arch rec dat seed 0", "status", "complete", "diverged")]),
    ({"history": ()}, [Conflict("run arch rec dat seed 0", "rows of epochs", 2, 0)]),
    ({"test_score": TestScore(1.25, 0.5)}, [Conflict("run arch rec dat seed 0", "test score", None, None)]),
    ({"test_score": None}, []),
]


@pytest.mark.parametrize(("change", "conflicts"), CHANGES)
def test_what_counts_as_another_number(
    change: dict[str, object], conflicts: list[Conflict], sample: Sample, db: str, other: Sample, other_db: str
) -> None:
    """Not seconds, which differ between machines; a test score, but its values stay sealed."""
    sample.add(sample.record(0))
    other.add(replace(other.record(0), **change))  # type: ignore[arg-type]
    before = dump(sample.engine)
    (merged,) = merge(db, [other_db])
    assert merged.conflicts == conflicts
    assert "1.25" not in str(merged)
    assert dump(sample.engine) == before


def test_the_epoch_is_told_where_only_that_differs(sample: Sample, db: str, other: Sample, other_db: str) -> None:
    record = sample.record(0)
    sample.add(record)
    other.add(replace(record, history=(record.history[0], replace(record.history[1], lr=0.25))))
    (merged,) = merge(db, [other_db])
    assert merged.conflicts == [Conflict("run arch rec dat seed 0", "lr of epoch 2", 0.05, 0.25)]


def test_a_failed_run_gives_way_and_never_the_other_way(sample: Sample, db: str, other: Sample, other_db: str) -> None:
    def failed(of: Sample, seed: int) -> RunRecord:
        return replace(
            of.record(seed, status="failed", val_error_pct=None), error="killed", test_score=None, history=()
        )

    sample.add(failed(sample, 0))
    sample.add(sample.record(1))
    other.add(other.record(0))
    other.add(failed(other, 1))
    (merged,) = merge(db, [other_db])
    assert (merged.runs_replaced, merged.runs_there, merged.conflicts) == (1, 1, [])
    assert [run.status for run in rows.runs_of_study(sample.engine, "s")] == ["complete", "complete"]
    detail = rows.run_detail(sample.engine, 1)
    assert (detail.run.error, len(detail.epochs)) == (None, 2)


def test_another_study_of_the_same_name(sample: Sample, db: str, other: Sample, other_db: str) -> None:
    put_study(sample.engine, "s", spec("digits", ["pre"], [0]), "d1")
    put_study(other.engine, "s", spec("shapes", ["pre"], [0]), "d2")
    other.add(other.record(4))
    before = dump(sample.engine)
    with pytest.raises(BadInput, match=r"s: data is digits in the first, shapes here\. --rename adds it") as caught:
        merge(db, [other_db])
    assert caught.value.exit_status == 2
    assert dump(sample.engine) == before
    (merged,) = merge(db, [other_db], rename=True)
    assert (merged.studies_renamed, merged.studies_added) == ({"s": "s_2"}, ["s_2"])
    assert (seeds(sample.engine), seeds(sample.engine, "s_2")) == ([], [("pre", 4, 5.0)])
    after = dump(sample.engine)
    (again,) = merge(db, [other_db], rename=True)
    assert (again.studies_renamed, again.studies_joined) == ({"s": "s_2"}, ["s_2"])
    assert dump(sample.engine) == after


def test_a_unit_whose_file_was_edited_in_one_is_told_and_kept_out(
    sample: Sample, db: str, other: Sample, other_db: str
) -> None:
    sample.trial(1, "mine", "first")
    other.trial(1, "mine", "second")
    other.add(other.record(0, architecture="second"), 2)
    for _ in range(2):
        (merged,) = merge(db, [other_db])
        assert merged.conflicts == [Conflict("study s, unit mine", "network", "first", "second")]
    with reading(sample.engine) as connection:
        found = connection.execute(
            text("SELECT architecture, active FROM rb_trial WHERE name = 'mine' ORDER BY number")
        )
        assert [tuple(row) for row in found] == [("first", True), ("second", False)]


def test_the_catalogue_is_filled_and_compared(sample: Sample, db: str, other: Sample, other_db: str) -> None:
    put_cost(sample.engine, "arch", "2x8x8", 7)
    put_cost(other.engine, "arch", "2x8x8", 8, 0.5)
    with writing(sample.engine) as connection:
        connection.execute(text("UPDATE rb_architecture SET depth = NULL"))
    (merged,) = merge(db, [other_db])
    assert merged.conflicts == [Conflict("cost arch 2x8x8", "macs", 7, 8)]
    with reading(sample.engine) as connection:
        assert connection.execute(text("SELECT depth FROM rb_architecture")).scalar() == 20
        assert connection.execute(text("SELECT macs, memory_mib FROM rb_cost WHERE input_shape = '2x8x8'")).one() == (
            7,
            0.5,
        )


def test_looks_at_the_test_set_are_kept_each_once(sample: Sample, db: str, other: Sample, other_db: str) -> None:
    other.add(other.record(0))
    for who in ("ann", "ann", "bob"):
        rows.test_scores(other.engine, "s", who)
    with writing(other.engine) as connection:
        connection.execute(text("UPDATE rb_reveal SET revealed_at = '2026-11-27T08:00:00Z'"))
    for _ in range(2):
        merge(db, [other_db])
        assert [reveal.revealed_by for reveal in rows.reveals(sample.engine, "s")] == ["ann", "ann", "bob"]


def test_many_runs_go_in_pieces(
    sample: Sample, db: str, other: Sample, other_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resbench.store.merge import catalogue as merge_catalogue
    from resbench.store.merge import runs as merge_runs

    monkeypatch.setattr(merge_runs, "CHUNK", 3)
    monkeypatch.setattr(merge_catalogue, "CHUNK", 1)
    for seed in range(0, 10, 2):
        sample.add(sample.record(seed, val_error_pct=float(seed)))
    for seed in range(8):
        other.add(other.record(seed, val_error_pct=float(seed)))
    (merged,) = merge(db, [other_db])
    assert (merged.runs_added, merged.runs_there, merged.conflicts) == (4, 4, [])
    assert seeds(sample.engine) == [("pre", seed, float(seed)) for seed in (*range(9),)]
    with reading(sample.engine) as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM rb_epoch")).scalar() == 18


def test_everything_or_nothing(
    sample: Sample, db: str, other: Sample, other_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.add(other.record(0))
    before = dump(sample.engine)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(merging, "merge_studies", fail)
    with pytest.raises(RuntimeError):
        merge(db, [other_db])
    assert dump(sample.engine) == before


@pytest.mark.sqlite
def test_what_is_damaged_foreign_older_or_missing_is_refused_first(
    sample: Sample, db: str, other: Sample, other_db: str, tmp_path: Path
) -> None:
    other.add(other.record(0))
    foreign, old, broken = (str(tmp_path / name) for name in ("photos.db", "old.db", "broken.db"))
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE photos (id)")
    merge_to_new(old, [db, other_db])
    merge_to_new(broken, [db, other_db])
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("UPDATE rb_alembic_version SET version_num = '0003_v0.1.0'")
    with Path(broken).open("r+b") as file:
        file.truncate(Path(broken).stat().st_size - 4096)
    before = dump(sample.engine)
    for bad, words in (
        (foreign, "another program"),
        (old, "older schema"),
        (broken, "damaged"),
        ("gone.db", "no such"),
    ):
        with pytest.raises(DatabaseError, match=words):
            merge(db, [other_db, bad])
        with pytest.raises(DatabaseError, match=words):
            merge_to_new(str(tmp_path / "out.db"), [db, bad])
    assert dump(sample.engine) == before
    assert not [path for path in tmp_path.iterdir() if "out" in path.name or path.name.startswith(".")]


@pytest.mark.sqlite
def test_a_new_file_holds_all_and_the_others_are_only_read(
    sample: Sample, db: str, other: Sample, other_db: str, tmp_path: Path
) -> None:
    sample.add(sample.record(0))
    other.add(other.record(1))
    before = dump(sample.engine)
    out = tmp_path / "out.db"
    merged = merge_to_new(str(out), [f"sqlite:///{db}?mode=ro", other_db])
    assert [one.runs_added for one in merged] == [1, 1]
    assert dump(sample.engine) == before
    with closing(sqlite3.connect(out)) as connection:
        assert connection.execute("SELECT seed FROM rb_run ORDER BY seed").fetchall() == [(0,), (1,)]
    for bad, words in (
        (lambda: merge_to_new(str(out), [db, other_db]), "exists already and was left as it is"),
        (lambda: merge_to_new(other_db, [db, other_db], force=True), "is one of the files to be merged"),
        (lambda: merge(db, [db]), "is given twice"),
        (lambda: merge(db, [f"sqlite:///{db}"]), "is given twice"),
        (lambda: merge_to_new("postgresql://ann:secret@h/x", [db, other_db]), "-o expects a file"),
    ):
        with pytest.raises(BadInput, match=words):
            bad()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    merge_to_new(str(out), [db], force=True)
    with closing(sqlite3.connect(out)) as connection:
        assert connection.execute("SELECT seed FROM rb_run").fetchall() == [(0,)]


def test_from_a_server_to_a_file(sample: Sample, db: str, other: Sample, other_db: str, tmp_path: Path) -> None:
    """Whatever `db` is: into a new file, and all of it is there."""
    full_of_everything(sample)
    out = str(tmp_path / "out.db")
    assert isinstance(merge_to_new(out, [db, other_db])[0], MergeReport)
    with closing(sqlite3.connect(out)) as connection:
        assert connection.execute("SELECT COUNT(*), SUM(active) FROM rb_trial").fetchone() == (4, 3)
        assert connection.execute("SELECT COUNT(*) FROM rb_run").fetchone() == (5,)


def test_a_study_of_another_file_is_not_touched(sample: Sample, db: str, other: Sample, other_db: str) -> None:
    study = put_study(sample.engine, "only_here", "{}", "d0")
    trial = TrialRecord(0, "pre", "pre", "resnet20", {}, "arch", "rec", "dat")
    link_run(sample.engine, study, put_trial(sample.engine, study, trial), save_run(sample.engine, sample.record(0)))
    before = get_study(sample.engine, "only_here")
    other.add(other.record(0))
    merge(db, [other_db])
    assert get_study(sample.engine, "only_here") == before
    assert seeds(sample.engine, "only_here") == seeds(sample.engine) == [("pre", 0, 5.0)]
