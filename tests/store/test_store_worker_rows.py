"""Rows of workers are checked when they are read, as those of cells are."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from store_sample import Sample

from resbench.errors import DatabaseError
from resbench.store.connection.transaction import writing
from resbench.store.queue.workers import put_worker, workers_of
from resbench.store.records import WorkerRecord


@pytest.mark.parametrize("tags", ['["gpu", []]', "[3]", '{"gpu": 1}', "gpu"])
def test_tags_that_are_no_texts_are_refused(sample: Sample, tags: str) -> None:
    put_worker(sample.engine, WorkerRecord("w1", "s", "host", "boot", 1, "born", "cpu", 1))
    assert workers_of(sample.engine, "s")[0].worker.tags == []
    with writing(sample.engine) as connection:
        connection.execute(text("UPDATE rb_worker SET tags = :tags"), {"tags": tags})
    with pytest.raises(DatabaseError, match="tags: expected a JSON list of texts"):
        workers_of(sample.engine, "s")
