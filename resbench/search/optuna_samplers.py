"""Results so far -> the next point, by Optuna's samplers, in memory: a search that goes on is replayed from its results.

A sampler is made for each ask, from a seed of its own, so that nothing rests on how often a search was interrupted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import optuna
from optuna.samplers import BaseSampler
from optuna.trial import Trial, TrialState

from resbench.errors import SpecError
from resbench.language.graph.params import Choices, Domain, Range
from resbench.language.study.search import MODELS, SearchSpec
from resbench.language.study.study import StudySpec
from resbench.random_streams import stream
from resbench.search.domains import choices
from resbench.search.point import Point
from resbench.search.sampler import Proposal, Result
from resbench.search.space import Space

TRIES = 200  # asks for one new point, of which the others were refused or known


def sampler_of(search: SearchSpec, number: int) -> BaseSampler:
    """Return the sampler of the ask with that number."""
    seed = stream(search.seed, 0, f"ask {search.use} {number}") % 2**32
    made: dict[str, Callable[[], BaseSampler]] = {
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        "tpe": lambda: optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=search.start, constant_liar=search.batch > 1, multivariate=True, group=True
        ),
        "cma_es": lambda: optuna.samplers.CmaEsSampler(seed=seed, n_startup_trials=search.start),
        "gp": lambda: optuna.samplers.GPSampler(seed=seed, n_startup_trials=search.start),
        "nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed, population_size=search.population),
        "nsga3": lambda: optuna.samplers.NSGAIIISampler(seed=seed, population_size=search.population),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return made[search.use]()


@dataclass(slots=True)
class OptunaSampler:
    search: SearchSpec
    space: Space
    objectives: int
    refused: int = 0
    _study: optuna.Study = field(init=False)
    _asks: int = 0
    _results: dict[tuple[str, str], Result] = field(default_factory=dict)
    _again: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._study = optuna.create_study(directions=["minimize"] * self.objectives, sampler=sampler_of(self.search, 0))

    def propose(self, number: int, taken: Sequence[Point]) -> Proposal | None:
        known = {(point.digest, point.recipe.digest) for point in taken}
        for _ in range(TRIES):
            self._study.sampler = sampler_of(self.search, self._asks)
            self._asks += 1
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Optuna's own, about its own
                trial = self._study.ask()
                try:
                    point, genome = self.space.at(partial(_suggested, trial))
                except SpecError:
                    self.refused += 1
                    self._study.tell(trial, state=TrialState.FAIL)
                    continue
            identity = (point.digest, point.recipe.digest)
            if identity not in known:
                return Proposal(trial.number, point, genome)
            if identity in self._results:
                self._tell(trial.number, self._results[identity])
            else:  # asked for in this very batch: it gets the result when that one does
                self._again.setdefault(identity, []).append(trial.number)
        return None

    def tell(self, proposal: Proposal, result: Result) -> None:
        identity = (proposal.point.digest, proposal.point.recipe.digest)
        self._results[identity] = result
        for number in [proposal.key, *self._again.pop(identity, [])]:
            self._tell(number, result)

    def _tell(self, number: int, result: Result) -> None:
        if result.values is None:
            self._study.tell(number, state=TrialState.FAIL)
        else:
            self._study.tell(number, list(result.values))


def _suggested(trial: Trial, name: str, domain: Domain) -> str:
    """Return the label of what Optuna suggests. Choices are asked for by label: Optuna would compare `1` and `true` as equal."""
    if isinstance(domain, Choices):
        return str(trial.suggest_categorical(name, list(choices(domain))))
    if domain.whole:
        return str(trial.suggest_int(name, int(domain.low), int(domain.high), step=_whole_step(domain), log=domain.log))
    step = None if domain.log else domain.step
    return f"{trial.suggest_float(name, domain.low, domain.high, step=step, log=domain.log):.12g}"


def _whole_step(domain: Range) -> int:
    return 1 if domain.log or domain.step is None else int(domain.step)


def explain_sampler(spec: StudySpec, points: Sequence[Point]) -> str | None:
    """Return which questions the sampler models, in a sentence; None where it models all, or none.

    `points`: all, or some where there are many.
    """
    use = spec.search.use
    if use not in MODELS:
        return None
    always, sometimes = _questions(spec, points)
    by_model = [name for name, domain in always.items() if use != "cma_es" or isinstance(domain, Range)]
    at_random = [*(name for name in always if name not in by_model), *sometimes]
    if not at_random:
        return None
    sentence = (
        f"{use} models {', '.join(by_model) or 'nothing'}, and draws {', '.join(at_random)} at random: {MODELS[use]}"
    )
    return sentence if by_model else f"{sentence}; `tpe` models all of them"


def _questions(spec: StudySpec, points: Sequence[Point]) -> tuple[dict[str, Domain | None], list[str]]:
    """Return those that every point answers, with their domains (None: a choice of the study), and those of some alone."""
    writers = [entry.arrange for entry in spec.units if entry.arrange is not None]
    groups = sum(entry.arrange is None for entry in spec.units) + len({id(one) for one in writers})
    asked = list(dict.fromkeys(name for point in points for name in point.domains))
    seen = {point.unit for point in points}
    always: dict[str, Domain | None] = {} if groups < 2 else {"unit": None}
    sometimes = []
    for name in asked:
        everywhere = all(name in point.domains for point in points)
        if everywhere and (groups < 2 or len(seen) > 1 or not name.startswith("unit.")):
            always[name] = points[0].domains[name]
        else:
            sometimes.append(name)
    written = ["orders (`arrange`)"] * bool(writers)
    written += ["edits (`mutate`)"] * any(entry.mutate is not None for entry in spec.units)
    if groups < 2:
        return always | dict.fromkeys(written), sometimes
    return always, [*sometimes, *written]
