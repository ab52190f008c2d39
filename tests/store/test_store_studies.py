from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine
from store_sample import ENVIRONMENT, Sample

from resbench.errors import BadInput, DatabaseError
from resbench.store.records import ArchitectureRecord
from resbench.store.results.catalogue import (
    get_architecture,
    get_data,
    get_environment,
    get_recipe,
    put_architecture,
    put_cost,
    put_data,
    put_environment,
)
from resbench.store.results.studies import get_study, put_study, put_trial, study_names, trials_of_study


def test_a_study_is_made_once_and_grows(sample: Sample) -> None:
    made = get_study(sample.engine, "s")
    assert put_study(sample.engine, "s", "{}", "d0") == sample.study_id
    assert get_study(sample.engine, "s") == made
    assert put_study(sample.engine, "s", '{"seeds":5}', "d1") == sample.study_id
    grown = get_study(sample.engine, "s")
    assert (grown.spec, grown.digest, grown.created_at) == ('{"seeds":5}', "d1", made.created_at)


def test_names_come_in_order(sample: Sample) -> None:
    put_study(sample.engine, "b", "{}", "d")
    put_study(sample.engine, "a", "{}", "d")
    assert study_names(sample.engine) == ["a", "b", "s"]


def test_an_unknown_study_is_told_with_those_there_are(sample: Sample) -> None:
    put_study(sample.engine, "identity_mappings", "{}", "d")
    with pytest.raises(
        BadInput, match=r"no study 'identity_mapping' in .*did you mean `identity_mappings`\?; it holds: ident.*, s$"
    ):
        get_study(sample.engine, "identity_mapping")


def test_many_studies_are_not_all_listed(sample: Sample) -> None:
    for n in range(30):
        put_study(sample.engine, f"study_{n:02}", "{}", "d")
    with pytest.raises(BadInput, match="and 11 more"):
        get_study(sample.engine, "zzz")


def test_an_empty_store_says_how_to_fill_it(engine: Engine) -> None:
    with pytest.raises(BadInput, match="holds none yet; `resbench study run`"):
        get_study(engine, "s")


def test_a_trial_is_put_once(sample: Sample) -> None:
    [row] = trials_of_study(sample.engine, sample.study_id)
    assert (row.id, row.trial.params) == (sample.trial_id, {"unit": "pre"})
    assert put_trial(sample.engine, sample.study_id, row.trial) == sample.trial_id
    assert trials_of_study(sample.engine, sample.study_id) == [row]


def test_of_a_trial_that_stands_only_active_changes(sample: Sample) -> None:
    [row] = trials_of_study(sample.engine, sample.study_id)
    put_trial(sample.engine, sample.study_id, replace(row.trial, active=False))
    assert [row.trial.active for row in trials_of_study(sample.engine, sample.study_id)] == [False]
    with pytest.raises(DatabaseError, match="trial 0: expected the stored name 'pre', got 'post'"):
        put_trial(sample.engine, sample.study_id, replace(row.trial, name="post", active=True))
    assert [row.trial.active for row in trials_of_study(sample.engine, sample.study_id)] == [False]


def test_the_same_number_in_another_study_is_another_trial(sample: Sample) -> None:
    [row] = trials_of_study(sample.engine, sample.study_id)
    other = put_study(sample.engine, "other", "{}", "d")
    assert put_trial(sample.engine, other, row.trial) != sample.trial_id


def test_a_trial_of_no_study_is_refused(sample: Sample) -> None:
    [row] = trials_of_study(sample.engine, sample.study_id)
    with pytest.raises(DatabaseError, match="a row was refused"):
        put_trial(sample.engine, 999, row.trial)


def test_the_catalogue_gives_back_what_was_put(sample: Sample) -> None:
    assert get_architecture(sample.engine, "arch") == ArchitectureRecord("arch", "resnet20", "pre", '{"n":1}', 1000, 20)
    assert get_recipe(sample.engine, "rec").name == "paper"
    assert get_data(sample.engine, "dat").n_val == 400
    assert get_environment(sample.engine, sample.environment) == ENVIRONMENT


def test_of_data_the_newest_settings_stand(sample: Sample) -> None:
    put_data(sample.engine, replace(get_data(sample.engine, "dat"), settings={"path": "moved"}))
    assert get_data(sample.engine, "dat").settings == {"path": "moved"}
    assert get_data(sample.engine, "dat").n_val == 400


def test_the_first_to_put_a_digest_stands(sample: Sample) -> None:
    put_architecture(sample.engine, ArchitectureRecord("arch", "x", "y", "{}", 1))
    put_cost(sample.engine, "arch", "1x8x8", 1)
    assert get_architecture(sample.engine, "arch").network == "resnet20"


def test_an_architecture_is_found_by_the_start_of_its_digest(sample: Sample) -> None:
    for digest in ("abc1", "abc2", "abc"):
        put_architecture(sample.engine, ArchitectureRecord(digest, "n", "u", "{}", 1))
    assert get_architecture(sample.engine, "abc1").digest == "abc1"
    assert get_architecture(sample.engine, "abc").digest == "abc"
    for digest, words in [
        ("ab", "several"),
        ("x", "no architecture"),
        ("", "no architecture"),
        ("%", "no architecture"),
    ]:
        with pytest.raises(BadInput, match=words):
            get_architecture(sample.engine, digest)


@pytest.mark.parametrize(
    "change", [{"torch": "2.6"}, {"git_dirty": True}, {"plugins": {"mine": "1.1"}}, {"git_dirty": None}]
)
def test_an_environment_that_differs_has_another_digest(sample: Sample, change: dict[str, object]) -> None:
    other = replace(ENVIRONMENT, **change)
    assert put_environment(sample.engine, other) != sample.environment
    assert get_environment(sample.engine, other.digest) == other
