"""The recipes of the library hold the values of He et al. 2016 (arXiv:1603.05027, arXiv:1512.03385)."""

from __future__ import annotations

from train_sample import recipe


def test_he2016_is_the_papers() -> None:
    spec = recipe({}, "he2016")
    optimizer = spec.optimizer
    assert (optimizer.use, optimizer.lr, optimizer.momentum, optimizer.weight_decay) == ("sgd", 0.1, 0.9, 1e-4)
    assert not optimizer.nesterov
    assert set(optimizer.decay) == {"conv", "linear", "norm", "bias", "gain"}
    assert (spec.batch, spec.epochs, spec.init, spec.precision, spec.fail_above) == (
        128,
        164,
        "he_normal",
        "float32",
        20,
    )
    assert spec.warmup is not None
    assert (spec.warmup.lr, spec.warmup.span.iterations) == (0.01, 400)
    assert spec.schedule is not None
    assert (spec.schedule.step.at.fractions, spec.schedule.step.by) == ((0.5, 0.75), 0.1)
    assert [step.model_dump(exclude_unset=True) for step in spec.augment] == [{"pad_crop": {"pad": 4}}, {"flip": {}}]


def test_he2016_small_is_the_same_for_small_data() -> None:
    small, paper = recipe({}, "he2016_small"), recipe({}, "he2016")
    assert (small.optimizer, small.schedule, small.init) == (paper.optimizer, paper.schedule, paper.init)
    assert (small.batch, small.augment, small.fail_above) == (64, (), None)
    assert small.warmup is not None
    assert (small.warmup.lr, small.warmup.span.epochs) == (0.01, 1)


def test_only_what_trains_otherwise_is_another_recipe() -> None:
    paper = recipe({}, "he2016")
    assert recipe({"fail_above": 50, "doc": "other words"}, "he2016").digest == paper.digest
    assert recipe({"lr": 0.2}, "he2016").digest != paper.digest
    assert recipe({"epochs": 165}, "he2016").digest != paper.digest
