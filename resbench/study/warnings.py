"""A study's points -> what is allowed and seldom meant, in sentences, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from resbench.language.study.search import BY_RUNGS
from resbench.language.study.study import StudySpec
from resbench.search.optuna_samplers import explain_sampler
from resbench.search.point import Point
from resbench.search.successive_halving import rungs_of
from resbench.train.schedule import late_steps, length, warm_epochs

UNEQUAL = 0.1  # of params or MACs, relative to the smallest


def hints(spec: StudySpec, points: Sequence[Point], n_train: int) -> Iterator[str]:
    """Yield what is seldom meant, a sentence each."""
    yield from _of_units(points)
    yield from _of_sizes(points)
    yield from _of_schedules(points, n_train)
    yield from _of_warmup(spec, points, n_train)
    yield from _of_search(spec, points)
    yield from _of_keep(spec)
    sampler = explain_sampler(spec, points)
    if sampler is not None:
        yield sampler


def _of_units(points: Sequence[Point]) -> Iterator[str]:
    """Repeat the cautions of units; not of one that the study searches or writes itself, which differ from point to point."""
    named = [
        point for point in points if point.written is None and not any(key.startswith("unit.") for key in point.labels)
    ]
    yield from dict.fromkeys(f"{point.unit}: {caution}" for point in named for caution in point.bound.cautions)


def _of_sizes(points: Sequence[Point]) -> Iterator[str]:
    """Say where units of one network differ in size, and the study does not search it."""
    if any(question.startswith(("network.", "unit.")) for point in points for question in point.labels):
        return
    for word in ("params", "macs"):
        size = attrgetter(word)
        small, large = min(points, key=size), max(points, key=size)
        if size(large) > (1 + UNEQUAL) * size(small):
            yield (
                f"units are of unequal size: {large.name} has {size(large) / max(1, size(small)) - 1:.0%} more "
                f"{word.replace('macs', 'MACs')} than {small.name}; a difference between them may be one of size"
            )


def _of_schedules(points: Sequence[Point], n_train: int) -> Iterator[str]:
    found: dict[str, None] = {}
    for point in points:
        late, of = late_steps(point.recipe, length(point.recipe, n_train))
        if late:
            falls = "never falls" if late == of else f"falls {of - late} times" if of - late > 1 else "falls once"
            which = "the schedule's step lies" if of == 1 else f"{late} of the schedule's {of} steps lie"
            found[f"{which} beyond the run of {point.epochs} epochs: the learning rate {falls}"] = None
    yield from found


def _of_warmup(spec: StudySpec, points: Sequence[Point], n_train: int) -> Iterator[str]:
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


def _of_search(spec: StudySpec, points: Sequence[Point]) -> Iterator[str]:
    """Name keys without effect."""
    search, epochs, trials = spec.search, min(point.epochs for point in points), spec.budget.trials
    if search.use in BY_RUNGS and search.from_ >= epochs:
        yield f"`search.from` ({search.from_}) is not below the run's {epochs} epochs: its only rung is the end, none is stopped"
    if not search.is_grid and trials is not None and search.finalists > trials:
        yield f"`search.finalists` ({search.finalists}) is more than the {trials} points of `budget.trials`: all are judged"
    prune = search.prune
    if prune is None:
        return
    if prune.use == "median" and prune.from_ >= epochs:
        yield f"`search.prune.from` ({prune.from_}) is not below the run's {epochs} epochs: nothing is pruned"
    if prune.use == "patience" and prune.epochs >= epochs:
        yield f"`search.prune.epochs` ({prune.epochs}) is not below the run's {epochs}: nothing is pruned"
    before = search.batch * ((trials - 1) // search.batch) if trials is not None else prune.after
    if prune.use == "median" and prune.after > before:
        yield f"`search.prune.after` ({prune.after}) is more than the {before} points before the last batch: nothing is pruned"


def _of_keep(spec: StudySpec) -> Iterator[str]:
    """Yield what `keep` says in vain."""
    keep = spec.node.mapping.get("keep")
    if spec.keep.runs == "none" and keep is not None and "gib" in keep.mapping:
        yield f"`keep.gib` ({spec.keep.gib:g}) has no effect: `keep.runs` is none, so no weights are kept"
