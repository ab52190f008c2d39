"""A study's row as a record: the keys of its JSON are those of every version."""

from __future__ import annotations

from pathlib import Path

from resbench.store.open import open_store
from resbench.store.records import canonical_json
from resbench.store.results.stored import StoredStudy, stored_study
from resbench.store.results.studies import put_study

ROW = {
    "fixed": {"network": {"use": "resnet_cifar"}, "search": {"use": "tpe"}},
    "units": ["plain", "plain depth=8"],
    "seeds": [0, 1],
    "doc": "",
    "keep": {"runs": "best", "gib": 1.0},
    "budget_runs": 0,
    "looks": [5],
    "plugins": ["ops"],
    "words": {"study": "s"},
    "wrote": {"plain": {"unit": "plain"}},
    "memory_bytes": 2**30,
    "latencies": {"cpu": {"a2_x": {"ms": 1.0}}},
}


def test_a_row_comes_back_with_its_keys() -> None:
    stored = StoredStudy.from_json(ROW)
    assert stored.written == {"plain": {"unit": "plain"}}
    assert stored.search == {"use": "tpe"}
    assert stored.to_json() == ROW


def test_what_is_empty_has_no_key() -> None:
    """A study's digest is of this text."""
    assert StoredStudy().to_json() == {"fixed": {}, "units": [], "seeds": [], "doc": None, "keep": None}


def test_a_row_of_an_older_version_and_a_key_of_a_later_one() -> None:
    stored = StoredStudy.from_json({"fixed": {}, "units": ["plain"], "seeds": [3], "of_later": 1})
    assert stored == StoredStudy(units=("plain",), seeds=(3,))
    assert stored.memory_bytes is None


def test_a_study_that_is_not_there_yet_has_none(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'r.db'}", create=True)
    assert stored_study(engine, "s") is None
    put_study(engine, "s", canonical_json(ROW), "d")
    assert stored_study(engine, "s") == StoredStudy.from_json(ROW)
    engine.dispose()
