"""A study in a database -> its finished runs by architecture and recipe, and the design by which they are evaluated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.evidence.names import short_names
from resbench.language.study.design import EXACT, Design, design_from
from resbench.statistics.moderated import variance_floor
from resbench.statistics.sample import Sample
from resbench.statistics.standing import Scored
from resbench.store.open import Engine
from resbench.store.records import TERMINAL_STATUSES
from resbench.store.results.catalogue import get_data, recipe_spec
from resbench.store.results.last_epochs import LastEpochs, last_epochs
from resbench.store.results.reading import StudyRun, runs_of_study
from resbench.store.results.stored import StoredStudy
from resbench.store.results.studies import study_spec
from resbench.store.results.trials_without_runs import UntrainedUnit, untrained_units

Key = tuple[str, str]  # architecture, recipe


@dataclass(frozen=True, slots=True)
class SearchSummary:
    """The search that chose the finalists: its name, and the number of points it tried, by runs that are not counted here."""

    use: str
    points: int


@dataclass(frozen=True, slots=True)
class StudyRuns:
    """The finished runs of a study, grouped by architecture and recipe.

    Attributes:
        seeds: all seeds of the study, in its order.
        looks: the numbers of seeds at which results had been looked at when seeds were added without a plan.
        fail_above: a run with an error above this (percent) has failed, by the recipe.
        searched: None where the study names its units.
        untrained: units of the study that have no finished run.
        ends: the last epochs of each run, by its number.
        sizes_vary: whether the study itself searches depth, width or other params.
    """

    study: str
    data: str
    n_val: int
    design: Design
    seeds: tuple[int, ...]
    looks: tuple[int, ...]
    fail_above: float | None
    groups: dict[Key, list[StudyRun]]
    searched: SearchSummary | None = None
    untrained: tuple[UntrainedUnit, ...] = ()
    ends: Mapping[int, LastEpochs] = field(default_factory=dict)
    sizes_vary: bool = False
    largest_class_error_pct: float | None = None

    @property
    def names(self) -> list[str]:
        """The whole first names of the units that have runs, in the order of `groups`."""
        return [aliases(runs)[0] for runs in self.groups.values()]

    @property
    def shown(self) -> dict[str, str]:
        """Every name of every unit -> how it is shown beside the others."""
        named = [name for runs in self.groups.values() for name in aliases(runs)]
        return short_names([*named, *(each.unit for each in self.untrained)])

    def lacking(self, names: Collection[str], look: int) -> list[str]:
        """Return the units that lack some of the first `look` seeds."""
        return [name for name, seeds in self._seeds(names) if not set(self.seeds[:look]) <= seeds]

    def beyond(self, names: Collection[str], look: int) -> list[str]:
        """Return the units that have seeds beyond the first `look`."""
        return [name for name, seeds in self._seeds(names) if seeds & set(self.seeds[look:])]

    def _seeds(self, names: Collection[str]) -> list[tuple[str, set[int]]]:
        each = zip(self.names, self.groups.values(), strict=True)
        return [(name, {run.seed for run in group}) for name, group in each if name in names]

    def images(self, objective: str) -> int | None:
        """Return the number of images that the error rate is a share of; None where the objective is no error rate."""
        return self.n_val if objective == "val_error_pct" else None

    def floor(self, objective: str) -> float:
        return variance_floor(self.images(objective))

    def samples(self, objective: str = "val_error_pct", seeds: Sequence[int] | None = None) -> list[Sample]:
        """Return a sample of each unit; with `seeds`, only of these seeds, as at a look of a race."""
        wanted = self.seeds if seeds is None else seeds
        trained = [_sample(aliases(runs)[0], runs, objective, wanted) for runs in self.groups.values()]
        return trained + [Sample(each.unit, (), missing=len(wanted)) for each in self.untrained]

    def scored(self, seeds: Sequence[int] | None = None) -> list[Scored]:
        """Return the samples of every objective."""
        return [
            Scored(tuple(self.samples(name, seeds)), self.floor(name), exact=name in EXACT)
            for name in self.design.objectives
        ]

    def find(self, asked: str) -> str:
        """Return a unit's first name: for it, for another name of it, for either as it is shown, and for what only one name, name
        as shown or digest begins with. Raises BadInput with the names there are.
        """
        first = {name: names[0] for names in map(aliases, self.groups.values()) for name in names}
        first |= {each.unit: each.unit for each in self.untrained}
        if asked in first:
            return first[asked]
        as_shown = {shown: first[name] for name, shown in self.shown.items()}
        if asked in as_shown:
            return as_shown[asked]
        begun = {of[name] for of in (first, as_shown) for name in of if name.startswith(asked)}
        begun |= {name for name, (digest, _) in zip(self.names, self.groups, strict=True) if digest.startswith(asked)}
        if asked and len(begun) == 1:
            return begun.pop()
        names = list(first)
        longer = [name for name in names if name.split(" ")[0] == asked]
        near = (
            f"; did you mean {' or '.join(f'`{name}`' for name in longer[:3])}?"
            if longer
            else did_you_mean(asked, names)
        )
        raise BadInput(f"no unit of the study is called `{asked}`{near}; units: {', '.join(names)}")


def study_runs(engine: Engine, study: str) -> StudyRuns:
    """Read the finished runs of a study's active trials. Raises BadInput for an unknown study, and for one that has none."""
    groups: dict[Key, list[StudyRun]] = {}
    looked_at: set[Key] = set()
    for run in runs_of_study(engine, study):
        key = run.digest, run.recipe_digest
        if run.active and run.judges and run.status in TERMINAL_STATUSES:
            groups.setdefault(key, []).append(run)
        elif run.active and not run.judges:
            looked_at.add(key)
    if not groups:
        raise BadInput(_no_run(study, len(looked_at)))
    first = next(iter(groups.values()))[0]
    stored = StoredStudy.from_json(study_spec(engine, study))
    search = stored.search
    data = get_data(engine, first.data_digest)
    network = stored.fixed.get("network")
    fixed_network = network if isinstance(network, Mapping) else {}
    recipe = recipe_spec(engine, first.recipe_digest)
    named = {name for runs in groups.values() for name in aliases(runs)}
    waiting = (
        []
        if search is not None
        else [
            each
            for each in untrained_units(engine, study)
            if (each.digest, each.recipe_digest) not in groups and each.unit not in named
        ]
    )
    return StudyRuns(
        study,
        first.data,
        data.n_val,
        design_from(stored.fixed),
        stored.seeds,
        stored.looks,
        recipe.get("fail_above"),
        groups,
        None if search is None else SearchSummary(search["use"], len(looked_at)),
        tuple({each.unit: each for each in waiting}.values()),
        last_epochs(engine, study),
        search is not None or any(isinstance(value, Mapping) for value in fixed_network.values()),
        data.largest_class_error_pct,
    )


def _no_run(study: str, looked_at: int) -> str:
    if not looked_at:
        return f"study {study} has no finished run yet; `resbench study run` trains them"
    return (
        f"study {study} has no finished evaluation run: its search has tried {looked_at} points; it is not over, or no unit "
        f"converged. `resbench study run` continues it, and the view v_runs has the runs of the search"
    )


def aliases(runs: Iterable[StudyRun]) -> list[str]:
    """Return the name first given, then other names of the same architecture."""
    return list(dict.fromkeys(run.unit for run in runs))


def shown_name(first: str, more: Sequence[str]) -> str:
    """Return a unit's name with its aliases.

    >>> shown_name("full_preactivation", ["mine"])
    'full_preactivation (= mine)'
    """
    return f"{first} (= {', '.join(more)})" if more else first


def _sample(name: str, runs: Sequence[StudyRun], objective: str, wanted: Sequence[int]) -> Sample:
    """Return a sample with one score per seed, though a run may be listed under several names."""
    allowed = set(wanted)
    by_seed = {run.seed: run for run in runs if run.seed in allowed}
    converged = [run for run in by_seed.values() if run.status == "complete"]
    scores = [(run.seed, value) for run in converged if (value := getattr(run, objective)) is not None]
    return Sample(
        name,
        tuple(float(score) for _, score in scores),
        diverged=sum(run.status == "diverged" for run in by_seed.values()),
        missing=max(0, len(allowed) - len(by_seed)),
        seeds=tuple(seed for seed, _ in scores),
    )
