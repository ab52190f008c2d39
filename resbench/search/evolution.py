"""Results so far -> the next point, by regularised evolution.  Real et al. 2019, arXiv:1802.01548

A population of the newest points; the best of a sample of it has a child that differs in one answer (of an arrangement: in two
ops that change places, or one that moves); the oldest point leaves. The first are drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from random import Random

from resbench.errors import SpecError
from resbench.language.graph.params import Choices, Domain
from resbench.language.study.search import SearchSpec
from resbench.random_streams import stream
from resbench.search.answers import EDIT, SLOT, Answer, random_answers
from resbench.search.domains import choices
from resbench.search.point import Point
from resbench.search.sampler import Genome, Proposal, Result
from resbench.search.space import Space
from resbench.statistics.promotion import in_order

TRIES = 500
CHILDREN = 100  # tries for a child that is new, before a point is drawn: all around the population may be known


@dataclass(slots=True)
class Evolution:
    search: SearchSpec
    space: Space
    refused: int = 0
    _results: list[tuple[Genome, tuple[float, ...]]] = field(default_factory=list)

    def propose(self, number: int, taken: Sequence[Point]) -> Proposal | None:
        random = Random(stream(self.search.seed, 0, f"evolution {number}"))
        known = {(point.digest, point.recipe.digest) for point in taken}
        for attempt in range(TRIES):
            grown = number >= self.search.population and self._results and attempt < CHILDREN
            answer = self._child(random) if grown else random_answers(random)
            try:
                point, genome = self.space.at(answer)
            except SpecError:
                self.refused += 1
                continue
            if (point.digest, point.recipe.digest) not in known:
                return Proposal(number, point, genome)
        return None

    def tell(self, proposal: Proposal, result: Result) -> None:
        values = result.values or (inf,)
        self._results.append(
            (proposal.genome, (inf, *values) if result.pruned or result.values is None else (0.0, *values))
        )

    def _child(self, random: Random) -> Answer:
        population = self._results[-self.search.population :]
        sample = random.sample(population, min(self.search.sample, len(population)))
        width = max(len(values) for _, values in sample)
        whole = {str(i): (*values, *(inf,) * (width - len(values))) for i, (_, values) in enumerate(sample)}
        parent = sample[int(in_order(whole)[0])][0]
        return _changed(parent, random)


def _changed(parent: Genome, random: Random) -> Answer:
    """Return what answers as the parent, but one answer; what it was never asked is drawn."""
    child = dict(parent)
    slots = [name for name in child if name.startswith(f"{SLOT}.")]
    edits = [name for name in child if name.startswith(f"{EDIT}.")]
    others = [name for name in child if name not in (*slots, *edits)]
    kinds = [kind for kind, names in (("slots", slots), ("edits", edits), ("others", others)) if names]
    kind = random.choice(kinds)
    redrawn: str | None = None
    if kind == "slots":
        _move(child, slots, random)
    elif kind == "edits":
        _edit(child, edits, random)
    else:
        redrawn = random.choice(others)
    draw = random_answers(random)

    def answer(name: str, domain: Domain) -> str:
        if name == redrawn or name not in child:
            options = list(choices(domain)) if isinstance(domain, Choices) else []
            rest = [label for label in options if label != child.get(name)]
            return random.choice(rest) if rest else draw(name, domain)
        return child[name]

    return answer


def _move(child: dict[str, str], slots: Sequence[str], random: Random) -> None:
    """Let two letters of the word change places, or one move to another place."""
    word = [child[name] for name in slots]
    i, j = random.sample(range(len(word)), 2)
    if random.random() < 0.5:
        word[i], word[j] = word[j], word[i]
    else:
        word.insert(j, word.pop(i))
    child.update(zip(slots, word, strict=True))


def _edit(child: dict[str, str], edits: Sequence[str], random: Random) -> None:
    """Make one more edit where there is room for it, else another last one."""
    free = next((name for name in edits if child[name] == "0"), edits[-1])
    child[free] = str(random.randrange(1, 10**6))
