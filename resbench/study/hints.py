"""A study's points -> what is allowed and seldom meant, in sentences, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resbench.spec.search import BY_RUNGS
from resbench.spec.study import StudySpec
from resbench.study.point import Point
from resbench.study.rungs import rungs_of
from resbench.train.schedule import length, warm_epochs


def hints(spec: StudySpec, points: Sequence[Point], n_train: int) -> Iterator[str]:
    warm = max(points, key=lambda point: warm_epochs(point.recipe, length(point.recipe, n_train)) / point.epochs)
    epochs = warm_epochs(warm.recipe, length(warm.recipe, n_train))
    if not epochs:
        return
    assert warm.recipe.warmup is not None
    rises = warm.recipe.warmup.shape == "linear"
    if epochs > warm.epochs or (epochs == warm.epochs and not rises):
        yield f"the warm-up lasts {epochs:g} epochs, the run {warm.epochs}: the learning rate `lr` is never reached"
    elif spec.search.use in BY_RUNGS and not rises and any(question.endswith(".lr") for question in warm.labels):
        first = rungs_of(spec.search, warm.epochs)[0]
        if first <= epochs:
            yield (
                f"the first rung, at {first} epochs, lies within the warm-up of {epochs:g}, where points that differ in `lr` "
                f"alone are alike; `search.from` moves it"
            )
