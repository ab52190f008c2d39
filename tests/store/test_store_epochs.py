"""Epochs of a study by run, and what its runs ran on."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from store_sample import ENVIRONMENT, Sample, fill

from resbench.errors import BadInput
from resbench.store.results.epochs import environments_of_study, epochs_of_study


@pytest.fixture
def sample(engine: Engine) -> Sample:
    return fill(engine)


def test_epochs_are_those_of_the_studys_runs(sample: Sample) -> None:
    from resbench.store.results.runs import save_run

    mine = [sample.add(sample.record(seed)) for seed in (0, 1)]
    other = save_run(sample.engine, sample.record(2))  # of no study
    found = epochs_of_study(sample.engine, "s")
    assert sorted(found) == mine
    assert other not in found
    assert [(e.epoch, e.val_error_pct) for e in found[mine[0]]] == [(1, 10.0), (2, 5.0)]
    with pytest.raises(BadInput, match="no study 't'"):
        epochs_of_study(sample.engine, "t")


def test_environments_with_their_runs(sample: Sample) -> None:
    assert environments_of_study(sample.engine, "s") == []
    mine = [sample.add(sample.record(seed)) for seed in (0, 1)]
    (one,) = environments_of_study(sample.engine, "s")
    assert (one.environment, one.run_ids) == (ENVIRONMENT, tuple(mine))
    assert one.first <= one.last
