"""A search's space -> which of its questions the sampler models, and which it draws at random. Optuna tells it in a log alone."""

from __future__ import annotations

from collections.abc import Sequence

from resbench.spec.domain import Domain, Range
from resbench.spec.search import MODELS
from resbench.spec.study import StudySpec
from resbench.study.point import Point


def modelled(spec: StudySpec, points: Sequence[Point]) -> str | None:
    """In a sentence; None where the sampler models all questions, or none. `points`: all, or some where there are many."""
    use = spec.search.use
    if use not in MODELS:
        return None
    always, sometimes = _questions(spec, points)
    by_model = [name for name, domain in always.items() if use != "cma_es" or isinstance(domain, Range)]
    at_random = [*(name for name in always if name not in by_model), *sometimes]
    if not at_random:
        return None
    said = f"{use} models {', '.join(by_model) or 'nothing'}, and draws {', '.join(at_random)} at random: {MODELS[use]}"
    return said if by_model else f"{said}; `tpe` models all of them"


def _questions(spec: StudySpec, points: Sequence[Point]) -> tuple[dict[str, Domain | None], list[str]]:
    """Those that every point answers, with their domains (None: a choice that the study makes), and those of some alone."""
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
