"""Length of a run and the learning rate of each of its iterations."""

from __future__ import annotations

import pytest
from train_sample import recipe

from resbench.errors import BadInput
from resbench.language.yaml.node import Plain
from resbench.train.schedule import Length, learning_rates, length

NO_STEPS: dict[str, Plain] = {"schedule": None, "warmup": None}


def rates(changes: dict[str, Plain], n_train: int) -> list[float]:
    spec = recipe(changes)
    return learning_rates(spec, length(spec, n_train))


def test_an_epoch_is_whole_batches() -> None:
    assert length(recipe({"epochs": 3, "batch": 64}), 1117) == Length(epochs=3, per_epoch=17)
    assert length(recipe({"epochs": 3, "batch": 64}), 64) == Length(epochs=3, per_epoch=1)
    assert Length(3, 17).iterations == 51


def test_iterations_are_rounded_up_to_whole_epochs() -> None:
    for iterations, epochs in ((1, 1), (17, 1), (18, 2), (34, 2), (35, 3)):
        assert length(recipe({"iterations": iterations, "batch": 64}), 1117) == Length(epochs, 17)


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(BadInput, match="recipe he2016_small: a batch of 1118 is more than the 1117 training images"):
        length(recipe({"batch": 1118}), 1117)
    assert length(recipe({"batch": 1117}), 1117).per_epoch == 1


def test_fractions_are_of_the_run() -> None:
    given = rates({"epochs": 4, "batch": 10, "warmup": {"lr": 0.01, "for": {"fraction": 0.125}}}, 20)
    assert given == pytest.approx([0.01, *[0.1] * 3, *[0.01] * 2, *[0.001] * 2], rel=1e-12)


def test_steps_and_warm_up_in_iterations() -> None:
    changes: dict[str, Plain] = {
        "epochs": 2, "batch": 10, "warmup": {"lr": 0.5, "for": {"iterations": 2}},
        "schedule": {"step": {"at": {"iterations": [3, 5]}, "by": 0.5}},
    }  # fmt: skip
    assert rates(changes, 30) == pytest.approx([0.5, 0.5, 0.1, 0.05, 0.05, 0.025], rel=1e-12)


def test_steps_and_warm_up_in_epochs_also_parts_of_one() -> None:
    changes: dict[str, Plain] = {
        "epochs": 2, "batch": 10, "warmup": {"lr": 0.5, "for": {"epochs": 0.5}},
        "schedule": {"step": {"at": {"epochs": [1.25]}, "by": 0.1}},
    }  # fmt: skip
    assert rates(changes, 40) == pytest.approx([0.5, 0.5, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01], rel=1e-12)


def test_points_are_rounded_to_the_nearest_iteration() -> None:
    """3 iterations: half is 1.5, which rounds to the even 2; three quarters is 2.25, which rounds to 2."""
    given = rates({**NO_STEPS, "epochs": 3, "batch": 10, "schedule": {"step": {"at": [0.5, 0.75], "by": 0.1}}}, 10)
    assert given == pytest.approx([0.1, 0.1, 0.001], rel=1e-12)


def test_a_step_inside_the_warm_up_acts_on_the_warm_up_too() -> None:
    changes: dict[str, Plain] = {
        "epochs": 1, "batch": 10, "warmup": {"lr": 0.01, "for": {"iterations": 3}},
        "schedule": {"step": {"at": {"iterations": [2]}, "by": 0.1}},
    }  # fmt: skip
    assert rates(changes, 40) == pytest.approx([0.01, 0.01, 0.001, 0.01], rel=1e-12)


def test_without_warm_up_and_schedule_the_rate_stays() -> None:
    assert rates({**NO_STEPS, "epochs": 2, "batch": 10, "lr": 0.3}, 30) == [0.3] * 6


def test_points_beyond_the_run_are_never_reached() -> None:
    changes: dict[str, Plain] = {
        "epochs": 1, "batch": 10, "warmup": {"lr": 0.2, "for": {"iterations": 400}},
        "schedule": {"step": {"at": {"iterations": [32000]}, "by": 0.1}},
    }  # fmt: skip
    assert rates(changes, 30) == [0.2] * 3


def test_the_papers_schedule() -> None:
    """64k iterations of 128 on 50 000 images: 0.01 for 400 iterations, 0.1, and a tenth at half and three quarters."""
    spec = recipe({}, "he2016")
    run = length(spec, 50_000)
    given = learning_rates(spec, run)
    assert run == Length(epochs=164, per_epoch=390)
    assert len(given) == 63_960
    half, three_quarters = 31_980, 47_970
    assert given[399] == 0.01
    assert given[400] == given[half - 1] == 0.1
    assert given[half] == given[three_quarters - 1] == pytest.approx(0.01)
    assert given[three_quarters] == given[-1] == pytest.approx(0.001)
