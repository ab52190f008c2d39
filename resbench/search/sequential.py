"""A search that proposes points -> its stages: batches of new points, then the finalists, with seeds of their own.

It is replayed from its first proposal at every start, from the results that there are, so that one which was interrupted proposes
what it would have proposed without that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from resbench.language.study.search import SearchSpec
from resbench.language.study.study import StudySpec
from resbench.search.evolution import Evolution
from resbench.search.point import Point
from resbench.search.sampler import Proposal, Result, Sampler
from resbench.search.selection import Selection
from resbench.search.space import Space
from resbench.search.stage import StudyStage
from resbench.statistics.promotion import in_order

# Puts points into the study, and returns the ids of their trials by name.
Register = Callable[[Sequence[Point]], Mapping[str, int]]
Note = Callable[[str], None]


def make_sampler(search: SearchSpec, space: Space, objectives: int) -> Sampler:
    """Return what proposes points, as the study's `search` says."""
    if search.use == "evolution":
        return Evolution(search, space)
    from resbench.search.optuna_samplers import OptunaSampler

    return OptunaSampler(search, space, objectives)


def sequential_stages(
    spec: StudySpec, sampler: Sampler, selection: Selection, register: Register, note: Note
) -> Iterator[StudyStage]:
    """Yield batches until the budget of trials is spent, or nothing new is proposed; then the finalists."""
    search, trials = spec.search, spec.budget.trials or 0
    tried: list[tuple[Proposal, int]] = []
    results: list[Result] = []
    while len(tried) < trials:
        batch: list[Proposal] = []
        for number in range(len(tried), min(len(tried) + search.batch, trials)):
            found = sampler.propose(number, [one.point for one, _ in tried] + [one.point for one in batch])
            if found is None:
                note(f"{search.use} finds no new point after {len(tried) + len(batch)}; it ends there")
                trials = len(tried) + len(batch)
                break
            batch.append(found)
        if not batch:
            break
        prune = _prune(search, [one.point for one, _ in tried], selection)
        ids = register([one.point for one in batch])
        yield StudyStage({ids[one.point.name]: search.own_seeds for one in batch}, judges=False, prune=prune)
        if is_waiting(selection, note, [one.point for one in batch]):
            return
        for one in batch:
            results.append(selection.result(one.point))
            sampler.tell(one, results[-1])
            tried.append((one, ids[one.point.name]))
    chosen = finalists(search, {str(i): result for i, result in enumerate(results)})
    refused = (
        f", {sampler.refused} other draws could not be built, or were over the budget or too large"
        if sampler.refused
        else ""
    )
    summary = f"{search.use}: {len(tried)} points looked at{refused}; {len(chosen)} go into the final, with seeds of their own"
    note(summary)
    if not chosen and tried:
        note("no point converged in the search, so there is nobody to judge and no ranking")
    if chosen:
        yield StudyStage({tried[int(name)][1]: spec.seeds for name in chosen})


def is_waiting(selection: Selection, note: Note, points: Sequence[Point]) -> bool:
    """Return whether a search cannot go on, since runs are missing that it would choose by; that is noted."""
    lost = selection.lacks(points)
    if lost:
        note(f"the search waits for runs that are missing, of {', '.join(lost)}; start the study again")
    return bool(lost)


def finalists(search: SearchSpec, results: Mapping[str, Result]) -> list[str]:
    """Return the best, by dominance rank where there are several objectives; none that fails, nor one stopped above a median."""
    patient = search.prune is not None and search.prune.use == "patience"
    whole = {
        name: one.values for name, one in results.items() if one.values is not None and (patient or not one.pruned)
    }
    return in_order(whole)[: search.finalists]


def _prune(search: SearchSpec, tried: Sequence[Point], selection: Selection) -> dict[str, Any]:
    if search.prune is None:
        return {}
    if search.prune.use == "patience":
        return {"epochs": search.prune.epochs, "by": search.prune.by}
    start = search.prune.from_
    return {"above": dict(selection.above(tried, start, search.prune.after)), "from": start}
