"""A study in the database -> its finished runs by architecture and recipe, and what it said of how they are judged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from resbench.errors import BadInput, did_you_mean
from resbench.language.study.design import EXACT, Design, design_from
from resbench.statistics.moderated import variance_floor
from resbench.statistics.sample import Sample
from resbench.statistics.standing import Scored
from resbench.store.open import Engine
from resbench.store.records import ENDED
from resbench.store.results.catalogue import get_data, recipe_spec
from resbench.store.results.last_epochs import LastEpochs, last_epochs
from resbench.store.results.reading import StudyRun, runs_of_study
from resbench.store.results.stored import StoredStudy
from resbench.store.results.studies import study_spec
from resbench.store.results.untrained import Untrained, untrained

Key = tuple[str, str]  # architecture, recipe


@dataclass(frozen=True, slots=True)
class Searched:
    """The search that chose who is judged: its name, and how many points it looked at, by runs that are not counted here."""

    use: str
    points: int


@dataclass(frozen=True, slots=True)
class StudyRuns:
    """`looks`: numbers of seeds at which the study had been looked at when seeds were added without a plan.

    `seeds`: all that the study wants, in its order; `fail_above`: the recipe's word for an error above it, in percent.
    `searched`: None where the study names its units. `untrained`: units of the study that have no finished run. `ends`: of each
    run's training, by its number; `sizes_vary`: whether the study itself searches depth, width or other params.
    """

    study: str
    data: str
    n_val: int
    design: Design
    seeds: tuple[int, ...]
    looks: tuple[int, ...]
    fail_above: float | None
    groups: dict[Key, list[StudyRun]]
    searched: Searched | None = None
    untrained: tuple[Untrained, ...] = ()
    ends: Mapping[int, LastEpochs] = field(default_factory=dict)
    sizes_vary: bool = False
    largest_class_error_pct: float | None = None

    @property
    def names(self) -> list[str]:
        """By which tables show the units that have runs, in the order of `groups`."""
        return [aliases(runs)[0] for runs in self.groups.values()]

    def lacking(self, names: Collection[str], look: int) -> list[str]:
        """Those of the units that have not all of the first so many seeds."""
        return [name for name, seeds in self._seeds(names) if not set(self.seeds[:look]) <= seeds]

    def beyond(self, names: Collection[str], look: int) -> list[str]:
        """Those that have seeds after the first so many."""
        return [name for name, seeds in self._seeds(names) if seeds & set(self.seeds[look:])]

    def _seeds(self, names: Collection[str]) -> list[tuple[str, set[int]]]:
        each = zip(self.names, self.groups.values(), strict=True)
        return [(name, {run.seed for run in group}) for name, group in each if name in names]

    def images(self, objective: str) -> int | None:
        """That an error rate is a share of; None: no error rate."""
        return self.n_val if objective == "val_error_pct" else None

    def floor(self, objective: str) -> float:
        return variance_floor(self.images(objective))

    def samples(self, objective: str = "val_error_pct", seeds: Sequence[int] | None = None) -> list[Sample]:
        """`seeds`: only these, as at a look of a race."""
        wanted = self.seeds if seeds is None else seeds
        trained = [_sample(aliases(runs)[0], runs, objective, wanted) for runs in self.groups.values()]
        return trained + [Sample(each.unit, (), missing=len(wanted)) for each in self.untrained]

    def scored(self, seeds: Sequence[int] | None = None) -> list[Scored]:
        """Every objective's samples."""
        return [
            Scored(tuple(self.samples(name, seeds)), self.floor(name), exact=name in EXACT)
            for name in self.design.objectives
        ]

    def find(self, asked: str) -> str:
        """The name under which tables show a unit: for it, for another name of it, for what only one name or digest begins with.
        Raises BadInput with the names there are.
        """
        first = {name: names[0] for names in map(aliases, self.groups.values()) for name in names}
        first |= {each.unit: each.unit for each in self.untrained}
        if asked in first:
            return first[asked]
        begun = {first[name] for name in first if name.startswith(asked)}
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
    """Finished runs of the study's active trials. Raises BadInput for an unknown study and for one without a finished run."""
    groups: dict[Key, list[StudyRun]] = {}
    looked_at: set[Key] = set()
    for run in runs_of_study(engine, study):
        key = run.digest, run.recipe_digest
        if run.active and run.judges and run.status in ENDED:
            groups.setdefault(key, []).append(run)
        elif run.active and not run.judges:
            looked_at.add(key)
    if not groups:
        raise BadInput(_nobody(study, len(looked_at)))
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
            for each in untrained(engine, study)
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
        None if search is None else Searched(search["use"], len(looked_at)),
        tuple({each.unit: each for each in waiting}.values()),
        last_epochs(engine, study),
        search is not None or any(isinstance(value, Mapping) for value in fixed_network.values()),
        data.largest_class_error_pct,
    )


def _nobody(study: str, looked_at: int) -> str:
    if not looked_at:
        return f"study {study} has no finished run yet; `resbench study run` trains them"
    return (
        f"study {study} has no finished run to judge by: its search has looked at {looked_at} points; it is not over, or nobody "
        f"converged. `resbench study run` goes on with it, and v_runs has what it looked at"
    )


def aliases(runs: Iterable[StudyRun]) -> list[str]:
    """The name first given, then other names of the same architecture."""
    return list(dict.fromkeys(run.unit for run in runs))


def shown_name(first: str, more: Sequence[str]) -> str:
    """
    >>> shown_name("full_preactivation", ["mine"])
    'full_preactivation (= mine)'
    """
    return f"{first} (= {', '.join(more)})" if more else first


def _sample(name: str, runs: Sequence[StudyRun], objective: str, wanted: Sequence[int]) -> Sample:
    """One score a seed, though a run may stand under several names."""
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
