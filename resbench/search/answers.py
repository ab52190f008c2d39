"""What answers the questions of one point, by an index, at random, or a search; and the questions with their answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from resbench.errors import SpaceTooLarge
from resbench.language.graph.params import Choices, Domain, label_of
from resbench.language.yaml.node import Node
from resbench.search.domains import at_step, choices, count_of, value_of

UNIT, SLOT, EDIT = "unit", "slot", "edit"  # the questions that come before a unit's own

Answer = Callable[[str, Domain], str]  # a question and what is allowed -> the label of what is chosen


def is_structure(question: str) -> bool:
    """Return whether it is about which unit; a unit's own questions are called `unit.PARAM`."""
    return question == UNIT or question.startswith((f"{SLOT}.", f"{EDIT}."))


@dataclass(slots=True)
class PointAnswers:
    """The questions of one point as they come, with their answers."""

    answer: Answer
    labels: dict[str, str] = field(default_factory=dict)
    domains: dict[str, Domain] = field(default_factory=dict)

    def choose(self, name: str, domain: Domain) -> Node:
        if name not in self.labels:
            self.labels[name], self.domains[name] = self.answer(name, domain), domain
        return value_of(domain, self.labels[name])


def random_answers(random: Random) -> Answer:
    """Return what answers at random."""

    def answer(name: str, domain: Domain) -> str:
        if isinstance(domain, Choices):
            return random.choice(list(choices(domain)))
        if domain.step is not None and not domain.log:
            return label_of(at_step(domain, random.randrange(count_of(domain) or 1)))
        if domain.log:
            value = domain.low * (domain.high / domain.low) ** random.random()
        else:
            value = random.uniform(domain.low, domain.high)
        return str(round(value)) if domain.whole else f"{value:.12g}"

    return answer


def indexed_answers(prefix: Sequence[int]) -> Answer:
    """Return what answers by a prefix of indices; every further question gets its first answer.

    It raises SpaceTooLarge where a question has too many.
    """
    left = list(prefix)

    def answer(name: str, domain: Domain) -> str:
        try:
            return list(choices(domain))[left.pop(0) if left else 0]
        except SpaceTooLarge as error:
            raise SpaceTooLarge(f"{name}: {error}") from None

    return answer


def next_prefix(answers: PointAnswers) -> list[int] | None:
    """Return the next prefix, or None at the end of the walk."""
    options = {name: list(choices(domain)) for name, domain in answers.domains.items()}
    indices = [(options[name].index(label), len(options[name])) for name, label in answers.labels.items()]
    while indices and indices[-1][0] + 1 == indices[-1][1]:
        indices.pop()
    return [index for index, _ in indices[:-1]] + [indices[-1][0] + 1] if indices else None
